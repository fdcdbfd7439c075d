"""The generated parts of docs/scale.md: what each rate needs, how long a burst takes, and how good the model is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from operate.capacity.measured import Case, measured
from operate.capacity.needs import Limit, Setup, limits, shards_for
from operate.capacity.quotas import Quota, published, quotas
from operate.capacity.service_time import service_seconds
from tools.costs.bill import log_bytes
from tools.costs.document import case_cost
from tools.costs.tables import table
from tools.scale.burst import burst
from tools.scale.drawing import draw
from tools.scale.flow import Ended, Flow, simulate

RATES: Final = (10, 1_000, 10_000, 100_000)
MILLION: Final = 1_000_000
BURST_CONCURRENCY: Final = (100, 1000)
"""What `prod` is shipped with, and the most that maximumConcurrency may be."""

_STAGE: Final = "prod"
REGION: Final = "eu-central-1"
"""Of `prod` as it is shipped."""

SHIPPED: Final = Setup(memory_mb=1024, max_concurrency=100, index_shards=8)
_DELIVERING: Final = replace(SHIPPED, delivery_concurrency=5)
_CASES: Final = {"catalogOnly": "files that are only cataloged", "record1MB": "record files of 1 MB"}
_LOT: Final = 500
_MONTH_SECONDS: Final = 730 * 3600


def scale() -> str:
    """Return the generated part of docs/scale.md."""
    return "\n".join(
        [
            f"Quotas of {REGION}, as published; `prod` as it is shipped; counts of {measured().day}.",
            "",
            *_rates(),
            "### A million files at once",
            "",
            *_bursts(),
            "",
            "![Files left of a million, by minutes](scale-million.svg)",
            "",
            "### The model against the local cloud",
            "",
            *_checked(),
            "",
            "![Files left of a burst on the local cloud, and in the model](scale-burst.svg)",
            "",
            "### Quotas",
            "",
            *_quotas(),
            "",
        ]
    )


def drawings() -> dict[str, str]:
    """Return the drawings by their names."""
    seen = burst()
    return {
        "scale-burst.svg": draw(
            "burst",
            f"{seen.files} files at once on the local cloud, two functions",
            "seconds",
            "files left",
            {"seen": seen.depth, "model": simulated_burst().points()},
        ),
        "scale-million.svg": draw(
            "million",
            "A million files at once",
            "minutes",
            "thousand files left",
            {
                f"{count} functions at once": [(at / 60, left / 1000) for at, left in million(count).points()]
                for count in BURST_CONCURRENCY
            },
        ),
    }


@cache
def simulated_burst() -> Ended:
    """Let the burst that was seen on the local cloud run in the model."""
    return simulate(burst().flow())


@cache
def million(max_concurrency: int, name: str = "catalogOnly") -> Ended:
    """Let a million files come at once."""
    case = _case(name)
    return simulate(
        Flow(
            files=MILLION,
            service_seconds=service_seconds(case, "ingest", SHIPPED.memory_mb),
            concurrency=max_concurrency,
            writes_per_second=_writes(case)[0],
            writes_per_file=_writes(case)[1],
            lot=_LOT,
        )
    )


def _case(name: str) -> Case:
    return measured().stages[_STAGE].cases[name]


def _writes(case: Case) -> tuple[float, float]:
    """Return what the table takes a second, and what a file needs of it: of the part that is scarcest."""
    given = published(REGION)
    index = max(units for name, units in case.write_units.items() if name != "table")
    parts = [
        (given["tableWrites"], case.write_units["table"]),
        (given["partitionWrites"] * SHIPPED.index_shards, index),
    ]
    return min(parts, key=lambda part: part[0] / part[1])


def _rates() -> Iterator[str]:
    given = published(REGION)
    for name, text in _CASES.items():
        case = _case(name)
        most = RATES[0] / limits(RATES[0], case, SHIPPED, given)[0].share
        yield f"### A second: {text}"
        yield ""
        yield (
            f"As it is shipped, `prod` takes {most:,.0f} a second. What only a stack with a delivery needs is in the "
            "first table, and not in the second."
        )
        yield ""
        yield from table(["what is needed", *(f"{rate:,}" for rate in RATES), "there is"], _parts(case, name, given))
        yield ""
        yield from table(
            ["files a second", "first limit", "what to raise, in this order", "a month of it"],
            [_first(rate, name, given) for rate in RATES],
        )
        yield ""


def _parts(case: Case, name: str, quotas: Mapping[str, float]) -> Iterator[list[str]]:
    """Return what each part needs for each rate, and what it gives as it is shipped."""
    delivering = {rate: limits(rate, case, _DELIVERING, quotas) for rate in RATES}
    for limit in sorted(delivering[RATES[0]], key=lambda limit: limit.name):
        cells = [f"{_needed(found, limit.name):,.1f}" for found in delivering.values()]
        yield [limit.name, *cells, f"{limit.given:,.0f}"]
    yield ["shards, so that one index key is enough", *(f"{shards_for(rate, case, quotas):,}" for rate in RATES), "8"]
    logged = log_bytes(measured().stages[_STAGE], case)
    yield ["logs, MB a second", *(f"{rate * logged / 1e6:,.2f}" for rate in RATES), "as AWS bills it"]
    asked = "requests of the API, if each upload is asked for there"
    if name == "catalogOnly":
        yield [asked, *(f"{rate:,}" for rate in RATES), f"{quotas['apiRequests']:,.0f}; `apiThrottleRate` is 100"]


def _first(rate: int, name: str, quotas: Mapping[str, float]) -> list[str]:
    found = limits(rate, _case(name), SHIPPED, quotas)
    short = [limit for limit in found if limit.share > 1]
    first = f"{found[0].name}, {found[0].share:,.1f} times" if short else "none"
    raised = "; ".join(dict.fromkeys(limit.raised_by for limit in short)) or "nothing"
    cost = rate * _MONTH_SECONDS * case_cost(measured().stages[_STAGE], name)
    return [f"{rate:,}", first, raised, f"${cost:,.0f}"]


def _needed(found: list[Limit], name: str) -> float:
    return next(limit.needed for limit in found if limit.name == name)


def _bursts() -> list[str]:
    rows = []
    for name, text in _CASES.items():
        for count in BURST_CONCURRENCY:
            ended = million(count, name)
            rows.append(
                [
                    text,
                    f"{count:,}",
                    f"{ended.seconds / 60:,.0f} minutes",
                    f"{ended.done / ended.seconds:,.0f}",
                    f"${MILLION * case_cost(measured().stages[_STAGE], name):,.0f}",
                ]
            )
    return table(["a million", "`maxConcurrency`", "drained in", "files a second", "cost"], rows)


def _checked() -> list[str]:
    seen, model = burst(), simulated_burst()
    took = seen.depth[-1][0]
    said = (
        f"{seen.files} files at once, two functions: drained in {took:.1f} s, in the model in {model.seconds:.1f} s, "
        f"{abs(model.seconds / took - 1):.0%} off. The model is given one number of that machine: how long a file "
        "took on average in the first quarter of the burst."
    )
    return [said]


def _quotas() -> list[str]:
    rows = [
        [
            f"{quota.of(REGION):,.0f}",
            quota.unit,
            _elsewhere(quota),
            "yes" if quota.raisable else "no",
            quota.source,
            quota.date,
        ]
        for quota in quotas().values()
    ]
    return table(["quota", "of", "other regions", "can be raised", "source", "read"], rows)


def _elsewhere(quota: Quota) -> str:
    most = max((quota.value, *quota.regions.values()))
    return f"{quota.value:,.0f} to {most:,.0f}" if quota.regions else "the same"

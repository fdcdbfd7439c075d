"""The tables of docs/costs.md: counts times prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from operate.capacity.measured import Case, Measured, Stage, Work, measured
from operate.capacity.service_time import work_ms
from tools.costs import bill
from tools.costs.bill import Item, prices, total
from tools.costs.idle import shipped
from tools.costs.tables import table

_MILLION: Final = 1_000_000
_CASES: Final[Mapping[str, tuple[str, Callable[[Stage, Case], list[Item]]]]] = {
    "catalogOnly": ("a file of 10 KB that is only cataloged", bill.file_bill),
    "record1MB": ("a record file of 1 MB", bill.file_bill),
    "recordLargest": ("the largest record file of the stage", bill.file_bill),
    "listFiles": ("`GET /files`, 20 of them", bill.request_bill),
    "showFile": ("`GET /files/{id}`", bill.request_bill),
    "validate": ("`POST /validate`, one record", bill.request_bill),
    "process": ("`POST /process`, one record", bill.request_bill),
}
_TOP: Final = 5

_RULED: Final = {"SQS": "sqs", "KMS": "kms", "events": "eventBridge", "traces": "xray"}
"""What is counted by a rule, and its price."""

_REFERENCES: Final[Mapping[str, Mapping[str, float]]] = {
    "`PutItem`": {"dynamodbWrite": 2},
    "`HeadObject`, `PutItem`": {"s3Get": 1, "dynamodbWrite": 2},
    "`HeadObject`, `PutItem`, `PutMetricData`": {"s3Get": 1, "dynamodbWrite": 2, "customEventMetric": 1},
    "the same, every invocation traced": {"s3Get": 1, "dynamodbWrite": 2, "customEventMetric": 1, "xray": 1},
    "`HeadObject`, `PutItem`, `PutMetricData`, `PutObject` of a result": {
        "s3Get": 1,
        "dynamodbWrite": 2,
        "customEventMetric": 1,
        "s3Put": 1,
    },
}
"""Calls that a file needs where S3 invokes a function directly, and what they are billed as: an item goes into a table
with one index."""


def costs() -> str:
    """Return the generated part of docs/costs.md."""
    found = measured()
    return "\n".join(
        [
            f"Counted on {found.day} ({found.machine}); prices of {bill.price_table().region}, free tiers left out.",
            "",
            "### A million of each",
            "",
            *_million(found),
            "",
            "### The five largest items",
            "",
            *_largest(found),
            "",
            "### What one of each needs",
            "",
            *_needs(found),
            "",
            "### An idle stack, and one in use",
            "",
            *_idle(found),
            "",
            "### Compared",
            "",
            *_compared(found),
            "",
            "### Prices",
            "",
            bill.price_table().note,
            "",
            *_prices(),
            "",
        ]
    )


def case_cost(stage: Stage, name: str) -> float:
    """Return what one file or request of a kind costs."""
    return total(_CASES[name][1](stage, stage.cases[name]))


def _million(found: Measured) -> list[str]:
    rows = [
        [text, *(_dollars(_MILLION * case_cost(stage, name)) for stage in found.stages.values())]
        for name, (text, _) in _CASES.items()
    ]
    for text, name in (
        ("the delivery of a file, beside", "catalogOnly"),
        ("of a result of `POST /process`", "process"),
    ):
        bills = [bill.delivery_bill(stage, stage.cases[name]) for stage in found.stages.values()]
        rows.append([text, *(_dollars(_MILLION * total(items)) for items in bills)])
    return table(["a million times", *found.stages], rows)


def _largest(found: Measured) -> list[str]:
    stage = found.stages["prod"]
    rows = []
    for name in ("catalogOnly", "record1MB", "recordLargest"):
        text, items_of = _CASES[name]
        items = items_of(stage, stage.cases[name])
        shown = [f"{item.name} {_dollars(_MILLION * item.cost)}" for item in bill.largest(items, _TOP)]
        share = total(bill.largest(items, _TOP)) / total(items)
        rows.append([text, *shown, f"{share:.0%}"])
    rows.append(["the delivery of a file", *_shown_delivery(stage)])
    return table(["a million times, `prod`", *(str(number) for number in range(1, _TOP + 1)), "of all"], rows)


def _shown_delivery(stage: Stage) -> list[str]:
    items = bill.delivery_bill(stage, stage.cases["catalogOnly"])
    top = bill.largest(items, _TOP)
    return [*(f"{item.name} {_dollars(_MILLION * item.cost)}" for item in top), f"{total(top) / total(items):.0%}"]


def _needs(found: Measured) -> list[str]:
    rows = []
    for name, (text, items_of) in _CASES.items():
        for stage_name, stage in found.stages.items():
            case = stage.cases[name]
            busy = sum(work_ms(purpose, work, stage.memory_mb) for purpose, work in _own(case))
            cpu = _cpu([work for _, work in _own(case)])
            calls = ", ".join(f"{count:g} {call}" for call, count in _calls(case).items())
            units = ", ".join(f"{count:g} {target}" for target, count in case.write_units.items())
            logged = bill.log_bytes(stage, bill.without_delivery(case))
            ruled = [
                f"{sum(item.count for item in items_of(stage, case) if item.key == key):g}" for key in _RULED.values()
            ]
            own = [f"{case.read_units:g}", cpu, f"{busy:,.0f}", f"{logged:,.0f}"]
            rows.append([text, stage_name, calls, units, *own, *ruled])
    columns = [
        "",
        "stage",
        "calls",
        "write units",
        "read units",
        "CPU here, ms",
        "billed, ms",
        "logged, bytes",
        *_RULED,
    ]
    return table(columns, rows)


def _own(case: Case) -> list[tuple[str, Work]]:
    return list(bill.without_delivery(case).functions.items())


def _cpu(works: Sequence[Work]) -> str:
    """Return the CPU time, and how far rounds are from it on average, where there were several."""
    time, spread = sum(work.cpu_ms for work in works), sum(work.cpu_spread_ms for work in works)
    return f"{time:,.1f} ± {spread / 2:,.1f}" if spread else f"{time:,.1f}"


def _calls(case: Case) -> dict[str, float]:
    calls: dict[str, float] = {}
    for _, work in _own(case):
        for name, count in work.calls.items():
            operation = name.partition(".")[2]
            calls[operation] = calls.get(operation, 0) + count
    return calls


def _idle(found: Measured) -> list[str]:
    rows = []
    for name, stage in found.stages.items():
        for text, delivers in (("", False), (" with a delivery", True)):
            items = bill.idle_bill(shipped(name, delivers=delivers))
            shown = ", ".join(_counted(item) for item in bill.largest(items, len(items)))
            used = bill.in_use_bill(stage, delivers=delivers)
            extra = ", ".join(_counted(item) for item in used)
            rows.append([f"`{name}`{text}", _dollars(total(items)), shown, _dollars(total(used)), extra])
    return table(["", "a month, idle", "of it", "beside, in use in every hour", "of it"], rows)


def _counted(item: Item) -> str:
    return f"{item.count:,.0f} {item.name} {_dollars(item.cost)}"


def _compared(found: Measured) -> Iterator[str]:
    stage = found.stages["prod"]
    everything = bill.file_bill(stage, stage.cases["catalogOnly"])
    own = [item for item in everything if not bill.is_stored(item)]
    # What each design needs whatever it calls: the upload, and a function that is invoked and logs.
    names = {"upload by its sender", "invocations, ingest", "time, ingest", "logs", "traces"}
    same = total(item for item in own if item.name in names)
    rows = [
        [name, _dollars(_MILLION * (same + total(Item("", key, count) for key, count in keys.items())))]
        for name, keys in _REFERENCES.items()
    ]
    calls = " and ".join(f"`{name}`" for name in _calls(stage.cases["catalogOnly"]))
    yield (
        "Five designs in which S3 invokes a function directly, by the calls that the function makes for each file; "
        "each has the upload, the invocation, its time and its logs beside, and a table with one index."
    )
    yield ""
    yield from table(
        ["a million files of 10 KB, only cataloged", "`prod`"],
        [*rows, [f"this: a queue, {calls}, two indexes", _dollars(_MILLION * total(own))]],
    )
    yield ""
    yield (
        f"What is stored is left out here: with {_dollars(_MILLION * total(everything) - _MILLION * total(own))} for a "
        f"month of it, {_dollars(_MILLION * total(everything))}, as in the first table."
    )
    yield ""
    share = prices()["dynamodbWriteHour"].price / 3600 / (prices()["dynamodbWrite"].price / _MILLION)
    hour = prices()["dynamodbWriteHour"].price, prices()["dynamodbReadHour"].price
    month = bill.MONTH_HOURS * 45 * sum(hour)
    units = stage.cases["catalogOnly"].write_units["table"]
    yield (
        "Provisioned with 25 units of the table and 10 of each index, for reads and for writes, "
        f"the table costs {_dollars(month)} a month and takes {25 / units:.0f} files a second; one write unit that is "
        f"provisioned costs as much as on demand at {share:.0%} of use, all month."
    )


def _prices() -> list[str]:
    rows = [
        [price.service, price.unit, f"${price.price:g}", f"{price.per:,.0f}", price.source, price.date]
        for price in bill.price_table().prices
    ]
    return table(["service", "unit", "price", "for", "source", "as of"], rows)


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"  # noqa: PLR2004 - cents of hundreds say nothing

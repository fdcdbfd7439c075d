"""The tables of docs/costs.md: counts times prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from operate.capacity.measured import Case, Measured, Stage, Work, measured
from operate.capacity.service_time import work_ms
from tools.costs import bill
from tools.costs.bill import Item, prices, total
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
    "2 calls": {"s3Get": 1, "dynamodbWrite": 2},
    "3 calls": {"s3Get": 1, "dynamodbWrite": 2, "customEventMetric": 1},
    "3 calls, every invocation traced": {"s3Get": 1, "dynamodbWrite": 2, "customEventMetric": 1, "xray": 1},
    "4 calls": {"s3Get": 1, "dynamodbWrite": 2, "customEventMetric": 1, "s3Put": 1},
}
"""What a file needs where S3 invokes a function directly: it reads the object's head, and puts an item into a table
with one index; sends a metric; stores a result."""


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
    delivered = [_dollars(_MILLION * _delivery_cost(stage)) for stage in found.stages.values()]
    return table(["a million times", *found.stages], [*rows, ["the delivery of a file, beside", *delivered]])


def _delivery_cost(stage: Stage) -> float:
    return total(bill.delivery_bill(stage, stage.cases["catalogOnly"]))


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
            cpu = sum(work.cpu_ms for _, work in _own(case))
            calls = ", ".join(f"{count:g} {call}" for call, count in _calls(case).items())
            units = ", ".join(f"{count:g} {target}" for target, count in case.write_units.items())
            logged = sum(work.log_bytes for _, work in _own(case))
            ruled = [
                f"{sum(item.count for item in items_of(stage, case) if item.key == key):g}" for key in _RULED.values()
            ]
            own = [f"{case.read_units:g}", f"{cpu:,.1f}", f"{busy:,.0f}", f"{logged:,}"]
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
    return [(purpose, work) for purpose, work in case.functions.items() if purpose not in bill.DELIVERY]


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
        for text, idle, delivers in (("", stage.idle, False), (" with a delivery", stage.idle_delivering, True)):
            items = bill.idle_bill(idle)
            shown = ", ".join(_counted(item) for item in bill.largest(items, 6))
            used = bill.in_use_bill(stage, delivers=delivers)
            extra = ", ".join(_counted(item) for item in used)
            rows.append([f"`{name}`{text}", _dollars(total(items)), shown, _dollars(total(used)), extra])
    return table(["", "a month, idle", "of it", "beside, in use in every hour", "of it"], rows)


def _counted(item: Item) -> str:
    return f"{item.count:,.0f} {item.name} {_dollars(item.cost)}"


def _compared(found: Measured) -> Iterator[str]:
    stage = found.stages["prod"]
    own = [item for item in bill.file_bill(stage, stage.cases["catalogOnly"]) if not item.name.startswith("catalog,")]
    # What each design needs whatever it calls: the upload, and a function that is invoked and logs.
    names = {"upload by its sender", "invocations, ingest", "time, ingest", "logs", "traces"}
    same = total(item for item in own if item.name in names)
    rows = [
        [name, _dollars(_MILLION * (same + total(Item("", key, count) for key, count in keys.items())))]
        for name, keys in _REFERENCES.items()
    ]
    yield from table(
        ["a million files of 10 KB, only cataloged", "`prod`"], [*rows, ["this", _dollars(_MILLION * total(own))]]
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

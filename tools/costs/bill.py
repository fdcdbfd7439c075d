"""From counts to a bill: which items of the price table a file, a request or an idle month needs, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from operate.capacity.measured import Case, Stage
from operate.capacity.needs import BUCKET_KEY_SHARE
from operate.capacity.service_time import work_ms
from tools.costs.idle import Idle

PRICES: Final = Path(__file__).with_name("prices.json")

DELIVERY: Final = ("forward", "delivery")
"""The functions that deliver a file, and are not there in a stack that delivers nothing."""

MONTH_HOURS: Final = 730
POLLS_PER_MONTH: Final = 5 * 3 * 60 * MONTH_HOURS
"""Receives of an idle queue: five pollers, each waiting 20 s (Lambda Developer Guide, Scaling SQS event sources)."""

TRACED_SHARE: Final = 0.05
"""Of invocations; beside the first in each second (Lambda Developer Guide, X-Ray)."""

SYSTEM_LOG_BYTES: Final = 166 + 430
"""Lambda's ``platform.start`` and ``platform.report`` with its trace (Telemetry API schema), 26 bytes added each."""

QUEUE_REQUESTS: Final = 3
"""Of a message that is alone in its batch: sent, received, deleted."""

DATA_KEY_REQUESTS_PER_HOUR: Final = 12 * (2 * 1 + 1)
"""Of a queue in use: R = (B / D) * (2P + C), a data key for 5 minutes (SQS Developer Guide, Key management)."""

_GB: Final = 1e9
_PUTS: Final = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


class Price(Struct, frozen=True):
    """A line of the price table: `price` for `per` units."""

    key: str
    service: str
    unit: str
    price: float
    per: float
    source: str
    date: str


class PriceTable(Struct, frozen=True):
    """Prices of one region."""

    region: str
    currency: str
    note: str
    prices: tuple[Price, ...]


@dataclass(frozen=True)
class Item:
    """So many units of something with a price.

    Parameters
    ----------
    name
        What it is for.
    key
        Which price.
    count
        Units.
    """

    name: str
    key: str
    count: float

    @property
    def cost(self) -> float:
        """What it costs, in the table's currency."""
        price = prices()[self.key]
        return self.count * price.price / price.per


@cache
def price_table() -> PriceTable:
    """Read the price table."""
    return msgspec.json.decode(PRICES.read_bytes(), type=PriceTable)


@cache
def prices() -> Mapping[str, Price]:
    """Return the prices by their keys."""
    return {price.key: price for price in price_table().prices}


def file_bill(stage: Stage, case: Case) -> list[Item]:
    """Return what one file needs, up to its final status; what is stored, for its first month."""
    calls = without_delivery(case)
    puts, gets = _object_calls(calls)
    return _merge(
        [
            Item("upload by its sender", "s3Put", 1),
            *_object_items(puts, gets),
            *([Item("event of the upload", "eventBridge", 1)] if stage.event_bridge else []),
            Item("intake queue", "sqs", QUEUE_REQUESTS),
            *_table_items(case),
            *_function_items(stage, calls),
            Item("keys in S3", "kms", BUCKET_KEY_SHARE * (1 + puts + calls.calls("s3.GetObject"))),
            *_stored_items(case),
        ]
    )


def delivery_bill(stage: Stage, case: Case) -> list[Item]:
    """Return what the delivery of one file, or of one request's result, needs."""
    own = {purpose: work for purpose, work in case.functions.items() if purpose in DELIVERY}
    calls = replace(case, functions=own)
    return _merge([Item("delivery queue", "sqsFifo", QUEUE_REQUESTS), *_function_items(stage, calls)])


def request_bill(stage: Stage, case: Case) -> list[Item]:
    """Return what one request of the API needs until it is answered; what is stored, for its first month."""
    calls = without_delivery(case)
    puts, gets = _object_calls(calls)
    return _merge(
        [
            Item("request", "httpApi", 1),
            *_object_items(puts, gets),
            *_table_items(case),
            *_function_items(stage, calls),
            Item("keys in S3", "kms", BUCKET_KEY_SHARE * puts),
            *_stored_items(case),
        ]
    )


def idle_bill(idle: Idle) -> list[Item]:
    """Return what a stack needs in a month in which nothing happens."""
    made = idle.resources
    mappings = made["aws:lambda/eventSourceMapping:EventSourceMapping"]
    fifo = 1 if mappings > 1 else 0  # of a delivery's two mappings, one reads the stream, which costs nothing
    return _merge(
        [
            Item("metrics of alarms", "alarm", idle.alarm_metrics),
            Item("composite alarm", "compositeAlarm", made.get("aws:cloudwatch/compositeAlarm:CompositeAlarm", 0)),
            Item("metric of the search for lost events", "metric", 1 if idle.searches else 0),
            Item("dashboard", "dashboard", made.get("aws:cloudwatch/dashboard:Dashboard", 0)),
            Item("key", "kmsKey", made.get("aws:kms/key:Key", 0)),
            Item("secret", "secret", made.get("aws:secretsmanager/secret:Secret", 0)),
            Item("polls of the intake queue", "sqs", POLLS_PER_MONTH),
            Item("polls of the delivery queue", "sqsFifo", POLLS_PER_MONTH * fifo),
        ]
    )


def in_use_bill(stage: Stage, *, delivers: bool) -> list[Item]:
    """Return what a stack needs beside, in a month in which it has something to do in every hour."""
    metrics = sum(n for purpose, n in stage.custom_metrics.items() if delivers or purpose not in DELIVERY)
    queues = 2 if delivers else 1
    return [
        Item("custom metrics", "metric", metrics),
        Item("requests for data keys of queues", "kms", queues * DATA_KEY_REQUESTS_PER_HOUR * MONTH_HOURS),
    ]


def without_delivery(case: Case) -> Case:
    """Return what a file or a request needs of the functions that do not deliver it."""
    own = {purpose: work for purpose, work in case.functions.items() if purpose not in DELIVERY}
    return replace(case, functions=own)


def is_stored(item: Item) -> bool:
    """Return whether an item is what the catalog takes in a month, and not a call."""
    return item.key in {"dynamodbStored", "dynamodbBackup"}


def total(items: Iterable[Item]) -> float:
    """Return what items cost together."""
    return sum(item.cost for item in items)


def largest(items: Iterable[Item], number: int) -> list[Item]:
    """Return the items that cost the most."""
    return sorted(items, key=lambda item: -item.cost)[:number]


def log_bytes(stage: Stage, case: Case) -> float:
    """Return what all functions log for one file or request, Lambda's own lines included."""
    own = SYSTEM_LOG_BYTES if stage.system_logs else 0
    return sum(work.log_bytes + own * work.invocations for work in case.functions.values())


def _object_calls(case: Case) -> tuple[float, float]:
    puts = sum(case.calls(f"s3.{name}") for name in _PUTS)
    return puts, case.calls("s3.") - puts


def _object_items(puts: float, gets: float) -> list[Item]:
    return [Item("results in S3", "s3Put", puts), Item("reads of S3", "s3Get", gets)]


def _table_items(case: Case) -> Iterator[Item]:
    for name, units in case.write_units.items():
        yield Item("writes of the table" if name == "table" else f"writes of {name}", "dynamodbWrite", units)
    yield Item("reads of the table", "dynamodbRead", case.read_units)


def _stored_items(case: Case) -> Iterator[Item]:
    yield Item("catalog, stored for a month", "dynamodbStored", case.stored_bytes / _GB)
    yield Item("catalog, recoverable for a month", "dynamodbBackup", case.stored_bytes / _GB)


def _function_items(stage: Stage, case: Case) -> Iterator[Item]:
    for purpose, work in case.functions.items():
        seconds = work_ms(purpose, work, stage.memory_mb) / 1000
        yield Item(f"invocations, {purpose}", "lambdaRequest", work.invocations)
        yield Item(f"time, {purpose}", "lambdaGbSecond", seconds * stage.memory_mb / 1024)
    yield Item("logs", "logs", log_bytes(stage, case) / _GB)
    yield Item("traces", "xray", TRACED_SHARE)
    yield Item("secret, read", "secretRequest", case.calls("secretsmanager."))


def _merge(items: Iterable[Item]) -> list[Item]:
    """Leave out what is not needed."""
    return [item for item in items if item.count]

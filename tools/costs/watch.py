"""What a stack on the local cloud does meanwhile: its functions' calls, logs and CPU time, and its table's changes."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from local.emulator import workers
from local.stack import LocalStack
from tools.costs.units import indexes_of, stored_bytes, write_units

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.type_defs import RecordTypeDef

PURPOSES: Final = ("ingest", "api", "forward", "delivery")

EVENT_BYTES: Final = 26
"""What CloudWatch Logs adds to each event (PutLogEvents, API reference)."""

READ_UNIT_BYTES: Final = 4096
"""What one consistent read unit reads, and half a unit otherwise (DynamoDB Developer Guide, Capacity consumption)."""

_EMULATORS_OWN: Final = ("START RequestId", "END RequestId", "REPORT RequestId")
_CPU_FIELDS: Final = slice(13, 15)
"""User and system time of a process (proc(5), /proc/pid/stat), counted from the field after its name."""

_POINTER: Final = "latest:"


class _Note(Struct, frozen=True):
    """A line that the emulator wrote of a request."""

    caller: str
    service: str
    operation: str
    asked: int
    answered: int
    consistent: bool


@dataclass(kw_only=True)
class Seen:
    """What was done.

    Attributes
    ----------
    calls
        Calls of AWS by function and ``service.Operation``.
    cpu_ms, log_bytes, invocations
        By function.
    metrics
        Names of the metrics that each function wrote, with their dimensions.
    write_units
        Of the table and of each index.
    table_writes
        Writes of the table, a transaction's counted twice.
    read_units
        An upper bound: JSON is longer than an item.
    stored_bytes
        What the table and its indexes hold more than before.
    """

    calls: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    cpu_ms: Counter[str] = field(default_factory=Counter)
    log_bytes: Counter[str] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)
    metrics: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    write_units: Counter[str] = field(default_factory=Counter)
    table_writes: int = 0
    read_units: float = 0.0
    stored_bytes: int = 0


@contextmanager
def watching(stack: LocalStack) -> Iterator[Seen]:
    """Watch a stack; what is returned is filled when the block ends, in which all work must have ended."""
    watch, seen = _Watch(stack), Seen()
    changes, logs, cpu = watch.changes(), watch.logs(), watch.cpu_ms()
    with stack.emulator.noted_requests() as file:
        yield seen
        _count_calls(seen, [msgspec.json.decode(line, type=_Note) for line in file.read_bytes().splitlines()], watch)
    for purpose, (lines, number) in watch.logs().items():
        before, earlier = logs[purpose]
        _count_logs(seen, purpose, lines[len(before) :])
        seen.invocations[purpose] = number - earlier
    seen.cpu_ms.update({purpose: spent - cpu[purpose] for purpose, spent in watch.cpu_ms().items()})
    _count_writes(seen, watch.changes()[len(changes) :], stack)


class _Watch:
    def __init__(self, stack: LocalStack) -> None:
        self._cloud = stack.cloud
        self._table = stack.cloud.client("dynamodb").describe_table(TableName=stack.outputs["tableName"])["Table"]
        outputs = {purpose: stack.outputs.get(f"{purpose}FunctionName") for purpose in PURPOSES}
        self.functions = {purpose: name for purpose, name in outputs.items() if name}
        lambda_ = stack.cloud.client("lambda")
        self._log_groups = {
            purpose: lambda_.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
            for purpose, name in self.functions.items()
        }

    def purpose_of(self, function: str) -> str:
        return next((purpose for purpose, name in self.functions.items() if name == function), "")

    def changes(self) -> list[RecordTypeDef]:
        streams, arn = self._cloud.client("dynamodbstreams"), self._table["LatestStreamArn"]
        records: list[RecordTypeDef] = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator: str | None = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator and (page := streams.get_records(ShardIterator=iterator))["Records"]:
                records += page["Records"]
                iterator = page.get("NextShardIterator")
        return records

    def logs(self) -> dict[str, tuple[list[str], int]]:
        """Return what each function logged, and how often it was invoked."""
        found = {}
        for purpose, group in self._log_groups.items():
            pages = self._cloud.client("logs").get_paginator("filter_log_events")
            lines = [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]
            starts = sum(line.startswith(_EMULATORS_OWN[0]) for line in lines)
            found[purpose] = [line for line in lines if not line.startswith(_EMULATORS_OWN)], starts
        return found

    def cpu_ms(self) -> dict[str, float]:
        """Return the CPU time of each function's processes so far, in milliseconds."""
        tick = 1000 / os.sysconf("SC_CLK_TCK")
        return {
            purpose: sum(_ticks(process) for process in workers(function)) * tick
            for purpose, function in self.functions.items()
        }


def _ticks(process: int) -> int:
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in after_name[_CPU_FIELDS.start - 2 : _CPU_FIELDS.stop - 2])


def _count_calls(seen: Seen, notes: list[_Note], watch: _Watch) -> None:
    for note in notes:
        purpose = watch.purpose_of(note.caller)
        if not purpose:
            continue
        seen.calls[purpose][f"{note.service}.{note.operation}"] += 1
        if note.operation in {"GetItem", "Query", "BatchGetItem", "Scan"}:
            units = max(1, -(-note.answered // READ_UNIT_BYTES))
            seen.read_units += units if note.consistent else units / 2


def _count_logs(seen: Seen, purpose: str, lines: list[str]) -> None:
    for line in lines:
        seen.log_bytes[purpose] += len(line.encode()) + EVENT_BYTES
        seen.metrics[purpose] |= _metrics(line)


def _metrics(line: str) -> set[str]:
    """Return the metrics that a line of the embedded metric format holds: each name with its dimensions is one."""
    try:
        document: Mapping[str, object] = json.loads(line)
    except ValueError:
        return set()
    own = document.get("_aws") if isinstance(document, dict) else None
    found = set()
    for directive in own["CloudWatchMetrics"] if isinstance(own, dict) else ():
        for names in directive["Dimensions"]:
            values = ",".join(f"{name}={document[name]}" for name in sorted(names))
            found |= {f"{metric['Name']} {values}" for metric in directive["Metrics"]}
    return found


def _count_writes(seen: Seen, records: list[RecordTypeDef], stack: LocalStack) -> None:
    transacts = any(calls["dynamodb.TransactWriteItems"] for calls in seen.calls.values())
    keys = [record["dynamodb"]["Keys"]["object_id"]["S"] for record in records]
    pointers = Counter(key for key in keys if key.startswith(_POINTER))
    # A file's first change comes with its pointer's, in one transaction.
    transacted = Counter({**dict.fromkeys(keys, 1), **pointers}) if transacts else Counter[str]()
    seen.table_writes = len(records) + transacted.total()
    table = stack.cloud.client("dynamodb").describe_table(TableName=stack.outputs["tableName"])["Table"]
    indexes = indexes_of(table)
    seen.write_units = write_units(records, indexes, transacted)
    seen.stored_bytes = stored_bytes(records, indexes)

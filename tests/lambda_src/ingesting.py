"""The ingest function's logic on moto."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Protocol, TypeAlias

from ingest.events import parse_uploads
from ingest.processor import ContentWork, FileProcessor
from ingest.records import RecordRules
from shared.catalog.model import ObjectFacts, ObjectVersion, Outcome, Status
from shared.objects import Objects
from shared.records.output import Publisher
from shared.rules import IntakeRules
from shared.settings import read_settings
from tests.declared_stack import DeclaredStack
from tests.lambda_src.catalogs import Clock, make_catalog
from tests.lambda_src.conftest import BUCKET, Aws, declared_environment, message

KEY = "uploads/a.csv"
COMPLETED = Outcome(status=Status.COMPLETED)
STORED = datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-1)))
"""When an object was stored: in UTC, that is the next day."""

RECORD_RULES = RecordRules(
    record_types={"uploads/shipments/": "shipment"},
    processed_prefix="processed/",
    rejected_prefix="rejected/",
    max_expanded_bytes=100_000_000,
    max_rejected_records=1000,
    bytes_per_second=1_000_000,
    time_reserve=timedelta(seconds=10),
    storage_class="INTELLIGENT_TIERING",
)


Work: TypeAlias = Callable[[ObjectVersion, ObjectFacts], Outcome]


class WorkerKilledError(BaseException):
    """The worker dies: no handler of ours sees this coming."""


class Make(Protocol):
    """Makes the logic, with content work or without."""

    def __call__(self, work: Work | None = None) -> FileProcessor: ...


def ingest_maker(aws: Aws, dev: DeclaredStack, clock: Clock) -> Make:
    rules = read_settings(IntakeRules, declared_environment(dev))

    def make(work: Work | None = None) -> FileProcessor:
        def work_for(version: ObjectVersion, facts: ObjectFacts) -> ContentWork | None:
            return ContentWork(time=timedelta(seconds=30), run=lambda _end: work(version, facts)) if work else None

        return FileProcessor(make_catalog(aws, clock), Objects(aws.s3), rules, work_for)

    return make


def uploaded(aws: Aws, key: str = KEY, body: bytes = b"content", **options: str) -> ObjectVersion:
    """Put an object and read its event as the function does."""
    (version,), _ = parse_uploads(str(message(aws.put(key, body, **options))["body"]), BUCKET)
    return version


def publisher(aws: Aws) -> Publisher:
    return Publisher(client=aws.s3, completion=lambda: aws.s3)


def published(aws: Aws, prefix: str = "") -> dict[str, list[dict[str, object]]]:
    """Every published result, by key, line by line."""
    listed = aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    keys = [entry["Key"] for entry in listed if entry["Key"].startswith(("processed/", "rejected/"))]
    return {
        key: [
            json.loads(line)
            for line in gzip.decompress(aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).splitlines()
        ]
        for key in keys
    }

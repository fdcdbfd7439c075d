"""A catalog with a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.catalog.model import ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable, latest_key
from shared.catalog.writer import CatalogWriter
from tests.lambda_src.conftest import Aws, catalog_settings
from tests.lambda_src.test_vocabulary import VERSION

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
COMPLETED = Outcome(status=Status.COMPLETED)
FAILED = Outcome(status=Status.FAILED, reason="throttled")
FACTS = ObjectFacts(
    size=48,
    content_type="text/csv",
    last_modified=datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC),
    encryption="aws:kms",
    cache_control="no-store",
    content_encoding="gzip",
    expires="Thu, 01 Dec 2026 16:00:00 GMT",
    user_metadata={"sender": "ACME"},
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []

    def __call__(self) -> datetime:
        return self.now


def worker(name: str, clock: Clock) -> Worker:
    return Worker(
        request_id=name,
        function_name="ingest",
        attempt=1,
        started_at=clock.now,
        deadline=clock.now + timedelta(seconds=60),
    )


def make_catalog(
    aws: Aws, clock: Clock, current: Callable[[ObjectVersion], ObjectVersion | None] = lambda _version: None
) -> CatalogWriter:
    return CatalogWriter(
        CatalogTable(aws.dynamodb, catalog_settings(aws.table), clock, clock.waits.append), current=current
    )


def latest(aws: Aws, key: str = VERSION.key) -> str:
    found = aws.dynamodb.get_item(TableName=aws.table, Key=latest_key(VERSION.bucket, key))["Item"]
    return found["latest_version_id"]["S"]

"""Files in the catalog, and what the API lists of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote

from shared.catalog.model import ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from tests.lambda_src.api.conftest import SHARDS, ApiAnswer, HandlerClient
from tests.lambda_src.conftest import BUCKET, Aws, catalog_settings

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def add(
    aws: Aws,
    key: str,
    status: Status = Status.COMPLETED,
    *,
    at: datetime = START,
    version: str = "v1",
    reason: str | None = None,
    uploaded_by: str = "grace",
    sequencer: str = "0A",
    **results: str,
) -> ObjectVersion:
    """Catalog a file as the ingest function does."""
    file = ObjectVersion(
        bucket=BUCKET,
        key=key,
        version_id=version,
        etag="0" * 32,
        size=7,
        sequencer=sequencer,
        event_name="ObjectCreated:Put",
        event_time="2026-11-20T12:00:00.000Z",
    )
    worker = Worker(request_id="r", function_name="ingest", attempt=1, started_at=at, deadline=at)
    catalog = CatalogWriter(CatalogTable(aws.dynamodb, catalog_settings(aws.table, shards=SHARDS), lambda: at))
    facts = ObjectFacts(user_metadata={"uploaded-by": uploaded_by})
    catalog.record(file, facts, Outcome(status=status, reason=reason, results=results), worker)
    return file


def keys(answer: ApiAnswer) -> list[str]:
    assert answer.status == 200, answer.body
    return [str(file["key"]) for file in cast("list[dict[str, object]]", answer.body["files"])]


def walk(api: HandlerClient, limit: int, **query: object) -> list[str]:
    """All pages of a list."""
    found: list[str] = []
    answer = api.get("/files", limit=limit, **query)
    while True:
        page = keys(answer)
        assert len(page) <= limit
        found += page
        assert len(set(found)) == len(found), "a page begins where the one before did"
        if answer.body["cursor"] is None:
            return found
        assert len(page) == limit
        answer = api.get("/files", limit=limit, cursor=answer.body["cursor"], **query)


def sixteen_files(aws: Aws) -> list[str]:
    """Sixteen files, several in one millisecond, the latest first; every third is rejected."""
    for number in range(16):
        status = Status.REJECTED if number % 3 == 0 else Status.COMPLETED
        add(aws, f"uploads/{number:02d}.csv", status, at=START + timedelta(milliseconds=number // 4))
    return [f"uploads/{number:02d}.csv" for number in reversed(range(16))]


def arrived(object_id: str) -> str:
    """An id as API Gateway hands it over: decoded, but for the percent sign."""
    encoded = quote(object_id, safe="")
    return object_id.replace("%", "%25") if "%" in encoded else encoded

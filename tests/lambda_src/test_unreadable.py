"""Objects that cannot be read, now or on a retry: deleted while they are read, or archived."""

from __future__ import annotations

import pytest

from shared.catalog.reader import CatalogReader
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    catalog_settings,
    message,
    returned,
)

KEY = "uploads/shipments/a.csv"
CSV = b"shipment_id,status,timestamp\nSHP-1,created,2026-11-20T08:15:00Z\n"


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_record_file_is_skipped_with_its_reason_and_not_retried(
    handler: Handler, aws: Aws, storage_class: str
) -> None:
    entry = message(aws.put(KEY, CSV, StorageClass=storage_class))

    assert returned(handler(batch(entry), LambdaContext())) == set()

    item = aws.item(KEY)
    assert (item["status"], item["reason"]) == (
        "SKIPPED",
        "object version is archived: restore it, then reprocess it",
    )
    assert aws.latest(KEY) == item["version_id"]


def test_one_that_was_restored_is_read(handler: Handler, aws: Aws, operator: CatalogWriter) -> None:
    entry = message(aws.put(KEY, CSV, StorageClass="GLACIER"))
    handler(batch(entry), LambdaContext())
    aws.s3.restore_object(Bucket=BUCKET, Key=KEY, RestoreRequest={"Days": 1})

    reopen(aws, operator)
    handler(batch(entry), LambdaContext())

    assert (aws.item(KEY)["status"], aws.item(KEY)["records_valid"]) == ("COMPLETED", 1)


def test_an_archived_file_without_records_is_cataloged_as_any_other(handler: Handler, aws: Aws) -> None:
    """Its content is not needed."""
    handler(batch(message(aws.put("uploads/a.pdf", StorageClass="GLACIER"))), LambdaContext())

    assert aws.item("uploads/a.pdf")["status"] == "COMPLETED"


def test_a_version_deleted_while_it_is_read_is_skipped_and_not_the_latest(
    handler: Handler, aws: Aws, calls: Calls
) -> None:
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())
    first = aws.latest(KEY)
    entry = message(aws.put(KEY, CSV + b"\n"))
    second = aws.s3.head_object(Bucket=BUCKET, Key=KEY)["VersionId"]
    calls.before["GetObject"] = lambda: aws.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=second) and None

    assert returned(handler(batch(entry), LambdaContext())) == set()

    found = {item["version_id"]: item for item in aws.items().values()}
    assert (found[second]["status"], found[second]["reason"]) == (
        "SKIPPED",
        "object version was deleted before it was read",
    )
    assert aws.latest(KEY) == first


def test_a_version_deleted_before_its_event_came_is_not_the_latest(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())
    first = aws.latest(KEY)
    entry = message(aws.put(KEY, CSV + b"\n"))
    second = aws.s3.head_object(Bucket=BUCKET, Key=KEY)["VersionId"]
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=second)

    handler(batch(entry), LambdaContext())

    assert aws.latest(KEY) == first


def test_a_lost_event_that_is_sent_anew_makes_its_version_the_latest(handler: Handler, aws: Aws) -> None:
    """What an operator or the reconciliation sends has no sequencer."""
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())
    lost = aws.put(KEY, CSV + b"\n")
    stored = lost["s3"]
    assert isinstance(stored, dict)
    stored["object"].pop("sequencer")

    handler(batch(message(lost)), LambdaContext())

    assert aws.latest(KEY) == stored["object"]["versionId"]


@pytest.fixture
def operator(aws: Aws) -> CatalogWriter:
    return CatalogWriter(CatalogTable(aws.dynamodb, catalog_settings(aws.table)))


def reopen(aws: Aws, operator: CatalogWriter) -> None:
    """Put the file through again, as an operator does."""
    file = CatalogReader(aws.dynamodb, catalog_settings(aws.table)).latest(BUCKET, KEY)
    assert file is not None
    assert operator.reopen(file.version, status=file.status, processed_at=file.processed_at, by="me")

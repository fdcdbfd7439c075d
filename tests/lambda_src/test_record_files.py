"""Record files through the function: counted, cleaned, published as a whole or not at all, over broken connections."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import datetime

import pytest

from shared.records.batch import Rejection
from shared.records.encoder import RecordEncoder
from shared.records.reasons import Reason, Rule
from tests.declared_stack import dig
from tests.lambda_src.conftest import (
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    import_handler,
    message,
    returned,
)
from tests.lambda_src.ingesting import RECORD_RULES, WorkerKilledError, published

KEY = "uploads/shipments/a.csv"
CSV = (
    b"shipment_id,status,timestamp,weight_kg,note\r\n"
    b"SHP-1,created,2026-11-20T08:15:00+01:00,1.5,dropped\r\n"
    b"SHP-2,created,2026-02-30T08:15:00Z,,\r\n"
    b"SHP-3,delivered,2026-11-20T08:15:00Z,,\r\n"
)


def test_valid_records_are_published_cleaned_and_the_others_with_their_reason(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())

    item = aws.item(KEY)
    version = item["version_id"]
    assert (item["status"], item["records_valid"], item["records_rejected"]) == ("COMPLETED", 2, 1)
    stored = datetime.fromisoformat(str(item["last_modified"]))
    origin = {"_file": KEY, "_version": version, "_modified": f"{stored:%Y-%m-%d %H:%M:%S.000}"}
    first = {"shipment_id": "SHP-1", "status": "created", "timestamp": "2026-11-20T08:15:00+01:00", "weight_kg": 1.5}
    third = {"shipment_id": "SHP-3", "status": "delivered", "timestamp": "2026-11-20T08:15:00Z"}
    fault = {"field": "timestamp", "rule": "format", "text": "invalid RFC3339 encoded datetime"}
    assert published(aws) == {
        item["processed_key"]: [{**origin, "_number": 1, **first}, {**origin, "_number": 3, **third}],
        item["rejected_key"]: [{"number": 2, "reasons": [fault], "record": "SHP-2,created,2026-02-30T08:15:00Z,,"}],
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "file is empty"),
        (b"[]", "file has no records"),
        (b'[{"shipment_id": "a"}', "not valid JSON after byte 1: input data was truncated"),
        (CSV[:60].replace(b"SHP-1", b'"SHP'), "quoted field of the record at line 2 is not closed"),
        (gzip.compress(CSV)[:-5], "gzip is cut off after"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_once(
    handler: Handler, aws: Aws, calls: Calls, body: bytes, reason: str
) -> None:
    entry = message(aws.put(KEY, body))

    assert returned(handler(batch(entry), LambdaContext())) == set()

    item = aws.item(KEY)
    assert item["status"] == "REJECTED"
    assert str(item["reason"]).startswith(reason)
    assert published(aws) == {}
    calls.made.clear()
    assert returned(handler(batch(entry), LambdaContext())) == set()
    assert "GetObject" in calls.made or calls.made == ["HeadObject", "TransactWriteItems"]
    assert aws.item(KEY) == item


def test_a_reason_is_never_longer_than_an_item_can_hold(handler: Handler, aws: Aws) -> None:
    name = "x" * 500_000
    body = f"shipment_id,status,timestamp,{name},{name}\n".encode()

    handler(batch(message(aws.put(KEY, body))), LambdaContext())

    assert aws.item(KEY)["status"] == "REJECTED"
    assert len(str(aws.item(KEY)["reason"])) <= 1001


def test_a_file_of_bad_records_publishes_them_and_is_rejected(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, b"shipment_id,status,timestamp\na,b,c\n,b,c\n"))), LambdaContext())

    item = aws.item(KEY)
    assert (item["status"], item["reason"]) == ("REJECTED", "none of 2 records is valid")
    assert list(published(aws)) == [item["rejected_key"]]


@pytest.mark.usefixtures("handler")
def test_a_file_with_too_many_bad_records_is_rejected_itself(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_REJECTED_RECORDS", "100")
    few, many = (
        b"shipment_id,status,timestamp\na,b,2026-11-20T08:15:00Z\n" + b"a,b\n" * count for count in (100, 2000)
    )

    strict = import_handler()
    strict(batch(message(aws.put(KEY, few)), message(aws.put("uploads/shipments/b.csv", many))), LambdaContext())

    assert aws.item(KEY)["records_rejected"] == 100
    item = aws.item("uploads/shipments/b.csv")
    assert (item["status"], item["reason"]) == ("REJECTED", "more than 100 records are not valid")
    assert set(published(aws)) == {aws.item(KEY)["processed_key"], aws.item(KEY)["rejected_key"]}


@pytest.mark.parametrize("key", ["uploads/shipments/photo.png", "uploads/other/a.csv", "uploads/shipments.csv"])
def test_other_files_are_only_cataloged(handler: Handler, aws: Aws, key: str) -> None:
    handler(batch(message(aws.put(key, b"not records"))), LambdaContext())

    assert aws.item(key)["status"] == "COMPLETED"
    assert "records_valid" not in aws.item(key)


def test_a_retry_publishes_the_same_keys_with_the_same_bytes(handler: Handler, aws: Aws, calls: Calls) -> None:
    """The worker dies after publishing, before the catalog says so: what is there is written again, and once."""
    entry = message(aws.put(KEY, CSV))
    calls.fail("UpdateItem", "InternalServerError", status=500)
    assert returned(handler(batch(entry), LambdaContext())) == {entry["messageId"]}
    first = published(aws)
    aws.dynamodb.delete_item(
        TableName=aws.table,
        Key={
            "object_id": {"S": str(aws.item(KEY)["object_id"])},
            "version_id": {"S": str(aws.item(KEY)["version_id"])},
        },
    )

    assert returned(handler(batch(entry), LambdaContext())) == set()

    assert published(aws) == first
    assert aws.item(KEY)["records_valid"] == 2


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_worker_killed_while_reading_or_publishing_publishes_nothing_half(
    handler: Handler, aws: Aws, calls: Calls, operation: str
) -> None:
    entry = message(aws.put(KEY, CSV))

    def die() -> None:
        raise WorkerKilledError

    calls.before[operation] = die
    # On its way out Powertools also warns that there are no metrics.
    with pytest.raises((WorkerKilledError, UserWarning)):
        handler(batch(entry), LambdaContext())

    assert published(aws) == {}
    assert aws.item(KEY)["status"] == "PROCESSING"


def test_valid_records_appear_when_everything_else_is_there(handler: Handler, aws: Aws, calls: Calls) -> None:
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())

    puts = [p for name, p in zip(calls.made, calls.parameters, strict=True) if name == "PutObject"]
    assert [str(dig(p, "Key")).partition("/")[0] for p in puts[-2:]] == ["rejected", "processed"]


def test_a_rejected_record_is_kept_as_it_came_but_not_without_end() -> None:
    encoder = RecordEncoder()

    line = json.loads(
        encoder.rejections([Rejection(7, (Reason("status", Rule.LENGTH, "is long"),), b'"\xff' + b"x" * 1_000_000)])
    )

    assert (line["number"], line["record"][:3]) == (7, '"\ufffdx')
    assert line["reasons"] == [{"field": "status", "rule": "length", "text": "is long"}]
    assert len(line["record"]) == 64 * 1024


@pytest.mark.parametrize(
    ("key", "schema"),
    [
        ("uploads/shipments/a.csv", "shipment"),
        ("uploads/shipments/A.JSON.GZ", "shipment"),
        ("uploads/shipments/MANIFEST", "shipment"),
        ("uploads/shipments/special/a.csv", "other"),
        ("uploads/shipments/a.pdf", None),
        ("uploads/a.csv", None),
    ],
)
def test_which_files_hold_records(key: str, schema: str | None) -> None:
    rules = replace(
        RECORD_RULES, record_types={"uploads/shipments/": "shipment", "uploads/shipments/special/": "other"}
    )

    assert rules.schema_of(key) == schema

"""Record files through the function: counted, cleaned, published as a whole or not at all, over broken connections."""

from __future__ import annotations

import gzip
import io
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest
from botocore.exceptions import ConnectionClosedError, IncompleteReadError, ReadTimeoutError

from ingest.records import RecordFiles, RecordRules, TooSlowError
from shared.catalog.model import ObjectFacts
from shared.objects import CHUNK_BYTES, MAX_BREAKS, Objects
from shared.records.batch import Rejection
from shared.records.encoder import RecordEncoder
from tests.conftest import dig
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    import_handler,
    message,
    returned,
)
from tests.lambda_src.test_ingest import WorkerKilledError, uploaded
from tests.lambda_src.test_publishing import publisher
from tests.lambda_src.test_vocabulary import VERSION

KEY = "uploads/shipments/a.csv"
RULES = RecordRules(
    record_types={"uploads/shipments/": "shipment"},
    uploads_prefix="uploads/",
    processed_prefix="processed/",
    rejected_prefix="rejected/",
    max_expanded_bytes=100_000_000,
    max_rejected_records=1000,
    bytes_per_second=1_000_000,
    time_reserve=timedelta(seconds=10),
    storage_class="STANDARD",
)
CSV = (
    b"shipment_id,status,timestamp,weight_kg,note\r\n"
    b"SHP-1,created,2026-11-20T08:15:00+01:00,1.5,dropped\r\n"
    b"SHP-2,created,2026-02-30T08:15:00Z,,\r\n"
    b"SHP-3,delivered,2026-11-20T08:15:00Z,,\r\n"
)


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


def test_valid_records_are_published_cleaned_and_the_others_with_their_reason(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, CSV))), LambdaContext())

    item = aws.item(KEY)
    version = item["version_id"]
    assert (item["status"], item["records_valid"], item["records_rejected"]) == ("COMPLETED", 2, 1)
    assert item["processed_key"] == f"processed/shipments/a.csv/{version}.ndjson.gz"
    assert item["rejected_key"] == f"rejected/shipments/a.csv/{version}.ndjson.gz"
    assert published(aws) == {
        item["processed_key"]: [
            {"shipment_id": "SHP-1", "status": "created", "timestamp": "2026-11-20T08:15:00+01:00", "weight_kg": 1.5},
            {"shipment_id": "SHP-3", "status": "delivered", "timestamp": "2026-11-20T08:15:00Z"},
        ],
        item["rejected_key"]: [
            {
                "number": 2,
                "reason": "timestamp: invalid RFC3339 encoded datetime",
                "record": "SHP-2,created,2026-02-30T08:15:00Z,,",
            }
        ],
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


def test_a_file_that_is_too_slow_is_given_up_in_time_to_say_so(aws: Aws) -> None:
    """Not by the time-out, which would leave it PROCESSING, without a reason."""
    version = uploaded(aws, KEY, CSV * 2)
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    moment = [end - RULES.time_reserve / 2 + timedelta(seconds=1)]
    files = RecordFiles(publisher(aws), Objects(aws.s3), RULES, now=lambda: moment[0])
    work = files.work_for(version, ObjectFacts(size=len(CSV)))
    assert work is not None

    with pytest.raises(TooSlowError, match="out of time after 0 records"):
        work.run(end)

    assert published(aws) == {}
    moment[0] -= timedelta(seconds=2)
    assert work.run(end).status == "COMPLETED"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b" " * 5_000_000,
        gzip.compress(b"") * 9000 + b"\0" * 5_000_000,
        gzip.compress(b"\n" * 10**8) + b"\0" * 10**6,
    ],
    ids=["white space", "gzip members without content", "white space, gzipped"],
)
def test_the_time_is_looked_at_though_nothing_is_found(aws: Aws, calls: Calls, body: bytes) -> None:
    """What gives no batch takes time, too."""
    version = uploaded(aws, KEY, body)
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    moments = chain([end - timedelta(minutes=1)] * 2, repeat(end))
    read = list[int]()

    def count(answer: dict[str, object]) -> None:
        answer["Body"] = CountingBody(answer["Body"], read)

    calls.after["GetObject"] = count
    files = RecordFiles(publisher(aws), Objects(aws.s3), RULES, now=lambda: next(moments))
    work = files.work_for(version, ObjectFacts())
    assert work is not None

    with pytest.raises(TooSlowError, match="out of time after 0 records"):
        work.run(end)

    assert sum(read) <= 3 * CHUNK_BYTES


class CountingBody:
    """A body that notes how many bytes are read of it."""

    def __init__(self, body: object, read: list[int]) -> None:
        self._body = body
        self._read = read

    def read(self, size: int) -> bytes:
        assert hasattr(self._body, "read")
        chunk: bytes = self._body.read(size)
        self._read.append(len(chunk))
        return chunk


@pytest.mark.parametrize(("key", "expansion"), [(KEY, 1), (f"{KEY}.gz", 10)])
def test_the_time_that_a_file_needs_follows_from_its_size(aws: Aws, key: str, expansion: int) -> None:
    files = RecordFiles(publisher(aws), Objects(aws.s3), RULES)
    version = replace(VERSION, key=key)

    def seconds(size: int) -> float:
        work = files.work_for(version, ObjectFacts(size=size))
        assert work is not None
        return work.time.total_seconds()

    assert seconds(0) == 10
    assert seconds(5_000_000) == 10 + 5 * expansion
    assert seconds(10**9) == 10 + 100, "no file has more bytes than that, expanded"


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


@pytest.mark.parametrize("slow", [False, True])
def test_of_a_file_that_is_given_up_half_way_no_part_is_left(
    aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    monkeypatch.setattr("shared.records.output.PART_BYTES", 1)
    names = random.Random(1)
    rows = b"".join(b"%032x,created,2026-11-20T08:15:00Z\n" % names.getrandbits(128) for _ in range(20_000))
    version = uploaded(aws, KEY, b"shipment_id,status,timestamp\n" + rows + b'"not closed')
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    early = end - timedelta(minutes=1)
    moments = chain([early] * 15, repeat(end if slow else early))
    files = RecordFiles(publisher(aws), Objects(aws.s3), RULES, now=lambda: next(moments))
    work = files.work_for(version, ObjectFacts())
    assert work is not None

    if slow:
        with pytest.raises(TooSlowError):
            work.run(end)
    else:
        assert work.run(end).status == "REJECTED"

    assert "CreateMultipartUpload" in calls.made, "a part was uploaded"
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=BUCKET)
    assert published(aws) == {}


def test_a_key_without_room_for_its_results_is_rejected(handler: Handler, aws: Aws) -> None:
    key = "uploads/shipments/" + "a" * 900 + ".csv"

    handler(batch(message(aws.put(key, CSV))), LambdaContext())

    assert str(aws.item(key)["reason"]).startswith("key is longer than 900 bytes")


class BreakingBody(io.BytesIO):
    """A body whose connection breaks after some bytes."""

    def __init__(self, content: bytes, after: int, error: Exception) -> None:
        super().__init__(content)
        self._left = after
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(min(size or 0, self._left) if self._left else 0)
        self._left -= len(chunk)
        if not chunk:
            raise self._error
        return chunk


ERRORS = [
    ReadTimeoutError(endpoint_url="https://s3"),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ConnectionClosedError(endpoint_url="https://s3"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_dropped_connection_is_taken_up_where_it_broke(aws: Aws, calls: Calls, error: Exception) -> None:
    content = bytes(range(256)) * 40
    version = uploaded(aws, "uploads/a.csv", content)
    breaks = iter([100, 4000, 1])

    def drop(answer: dict[str, object]) -> None:
        after = next(breaks, None)
        if after:
            body = answer["Body"]
            assert hasattr(body, "read")
            answer["Body"] = BreakingBody(body.read(), after, error)

    calls.after["GetObject"] = drop
    calls.parameters.clear()

    assert b"".join(Objects(aws.s3).stream(version)) == content

    ranges = [p.get("Range") for p in calls.parameters if isinstance(p, dict) and "Key" in p]
    assert ranges == [None, "bytes=100-", "bytes=4100-", "bytes=4101-"]


def test_a_connection_that_never_gives_a_byte_ends(aws: Aws, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv", b"content")
    calls.after["GetObject"] = lambda answer: answer.update(Body=BreakingBody(b"", 0, ERRORS[0]))
    calls.made.clear()

    with pytest.raises(ReadTimeoutError):
        list(Objects(aws.s3).stream(version))

    assert calls.made == ["GetObject"] * (MAX_BREAKS + 1)


def test_an_empty_object_is_read(aws: Aws) -> None:
    assert list(Objects(aws.s3).stream(uploaded(aws, "uploads/a.csv", b""))) == []


def test_a_rejected_record_is_kept_as_it_came_but_not_without_end() -> None:
    encoder = RecordEncoder()

    line = json.loads(encoder.rejections([Rejection(7, "why", b'"\xff' + b"x" * 1_000_000)]))

    assert (line["number"], line["reason"], line["record"][:3]) == (7, "why", '"\ufffdx')
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
    rules = replace(RULES, record_types={"uploads/shipments/": "shipment", "uploads/shipments/special/": "other"})

    assert rules.schema_of(key) == schema

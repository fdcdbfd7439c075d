"""GET /files, GET /files/{id} and POST /uploads."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.files import FAILED_REASON
from shared.catalog.model import MAX_KEY_BYTES, ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable, latest_key
from shared.catalog.writer import REOPENED, CatalogWriter
from tests.lambda_src.api.conftest import SHARDS, Answer, Api
from tests.lambda_src.conftest import BUCKET, Aws, catalog_settings, import_function

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import WriteRequestTypeDef

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
    **results: str,
) -> ObjectVersion:
    """Catalog a file as the ingest function does."""
    file = ObjectVersion(
        bucket=BUCKET,
        key=key,
        version_id=version,
        etag="0" * 32,
        size=7,
        sequencer="0A",
        event_name="ObjectCreated:Put",
        event_time="2026-11-20T12:00:00.000Z",
    )
    worker = Worker(request_id="r", function_name="ingest", attempt=1, started_at=at, deadline=at)
    catalog = CatalogWriter(CatalogTable(aws.dynamodb, catalog_settings(aws.table, shards=SHARDS), lambda: at))
    facts = ObjectFacts(user_metadata={"uploaded-by": uploaded_by})
    catalog.record(file, facts, Outcome(status=status, reason=reason, results=results), worker)
    return file


def listed(api: Api) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", api.get("/files").body["files"])


def keys(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [str(file["key"]) for file in cast("list[dict[str, object]]", answer.body["files"])]


def walk(api: Api, limit: int, **query: object) -> list[str]:
    """All pages of a list."""
    found: list[str] = []
    answer = api.get("/files", limit=limit, **query)
    while True:
        page = keys(answer)
        assert len(page) <= limit
        found += page
        if answer.body["cursor"] is None:
            return found
        assert len(page) == limit
        answer = api.get("/files", limit=limit, cursor=answer.body["cursor"], **query)


@pytest.fixture(scope="module")
def written() -> list[WriteRequestTypeDef]:
    """The items of the catalog, once they were written: in moto, each transaction copies the whole table."""
    return []


@pytest.fixture
def catalog(aws: Aws, written: list[WriteRequestTypeDef]) -> list[str]:
    """Sixteen files, several in one millisecond, the latest first; every third is rejected."""
    if not written:
        for number in range(16):
            status = Status.REJECTED if number % 3 == 0 else Status.COMPLETED
            add(aws, f"uploads/{number:02d}.csv", status, at=START + timedelta(milliseconds=number // 4))
        written += [{"PutRequest": {"Item": item}} for item in aws.dynamodb.scan(TableName=aws.table)["Items"]]
    for some in (written[:25], written[25:]):
        aws.dynamodb.batch_write_item(RequestItems={aws.table: some})
    return [f"uploads/{number:02d}.csv" for number in reversed(range(16))]


def test_all_files_newest_first(api: Api, catalog: list[str]) -> None:
    times = [file["processed_at"] for file in cast("list[dict[str, str]]", api.get("/files", limit=100).body["files"])]

    assert sorted(walk(api, 100)) == sorted(catalog)
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 4, 15, 16, 100])
def test_pages_have_every_file_once(api: Api, catalog: list[str], limit: int) -> None:
    assert walk(api, limit) == walk(api, 100)
    assert sorted(walk(api, limit)) == sorted(catalog)


@pytest.mark.parametrize("limit", [2, 100])
def test_by_status(api: Api, catalog: list[str], limit: int) -> None:
    expected = [key for key in catalog if int(key[8:10]) % 3 == 0]

    assert sorted(walk(api, limit, status="REJECTED")) == sorted(expected)
    assert walk(api, limit, status="SKIPPED") == []


def test_by_day(api: Api, aws: Aws) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    for key, at in {
        "before": midnight - timedelta(milliseconds=1),
        "first": midnight,
        "last": midnight + timedelta(days=1, milliseconds=-1),
        "after": midnight + timedelta(days=1),
    }.items():
        add(aws, key, at=at)

    assert keys(api.get("/files", day="2026-11-20")) == ["last", "first"]
    assert keys(api.get("/files", day="2026-11-20", status="COMPLETED")) == ["last", "first"]
    assert keys(api.get("/files", day="2026-11-22")) == []


def test_a_file_that_comes_later_does_not_move_the_pages(api: Api, aws: Aws, catalog: list[str]) -> None:
    first = api.get("/files", limit=6)
    add(aws, "uploads/new.csv", at=START + timedelta(hours=1))

    second = api.get("/files", limit=6, cursor=first.body["cursor"])
    third = api.get("/files", limit=6, cursor=second.body["cursor"])

    assert sorted(keys(first) + keys(second) + keys(third)) == sorted(catalog)


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"status": "DONE"}, {"day": "2026-02-30"}, {"cursor": ""}]
)
def test_a_wrong_question_names_its_field(api: Api, query: dict[str, object]) -> None:
    event = api.event("GET", "/files")
    event["queryStringParameters"] = {name: str(value) for name, value in query.items()}

    answer = api.answer(event)

    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert set(answer.fields()) == set(query)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *(
            ("day", value, "should be a day, as YYYY-MM-DD")
            for value in (
                *("1795219200", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00", "20261121", "2026-W47-6", "2026-02-30"),
                *(" 2026-11-21", "2026-11-21\n", "\uff12026-11-21", "0000-01-01", "x", "2026-11-21,2026-11-22"),
            )
        ),
        *(
            ("limit", value, "should be a number, in decimal digits")
            for value in (
                "1.0",
                "1e1",
                "+1",
                "-1",
                " 1",
                "1\n",
                "1_0",
                "\uff11",
                "0x1",
                "true",
                "x",
                "1,2",
                "null,null",
            )
        ),
        ("limit", "101", "Input should be less than or equal to 100"),
        ("limit", "1" * 5000, "should be a number, in decimal digits"),
    ],
)
def test_a_day_and_a_number_are_written_as_the_document_says(api: Api, name: str, value: str, message: str) -> None:
    answer = api.get("/files", **{name: value})

    assert (answer.status, answer.fields()) == (400, {name: message})


@pytest.mark.parametrize(("name", "value"), [("day", "2026-11-21"), ("limit", "1")])
def test_what_is_given_twice_is_a_400(api: Api, name: str, value: str) -> None:
    event = api.event("GET", "/files", query=f"{name}={value}&{name}={value}")
    event["queryStringParameters"] = {name: f"{value},{value}"}

    answer = api.answer(event)

    assert (answer.status, set(answer.fields())) == (400, {name})


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "change",
    [
        lambda cursor: cursor[:-8],
        lambda _cursor: "not a cursor",
        lambda _cursor: "\u00fc",
        lambda _cursor: cursor_of("9", "f"),
        lambda cursor: cursor_of(*read(cursor)[:2]),
        lambda cursor: cursor_of(*read(cursor), "more"),
        lambda cursor: cursor_of(read(cursor)[0], "9", read(cursor)[2]),
        lambda cursor: cursor_of(read(cursor)[0], read(cursor)[1] + "\n", read(cursor)[2]),
        lambda cursor: cursor_of(*read(cursor)[:2], "f"),
        lambda cursor: cursor_of(*read(cursor)[:2], 7),
        lambda cursor: cursor_of("0" * 16, *read(cursor)[1:]),
    ],
)
def test_a_wrong_cursor_is_a_400(api: Api, catalog: list[str], change: Callable[[str], str]) -> None:
    assert catalog
    cursor = str(api.get("/files", limit=2).body["cursor"])

    answer = api.get("/files", cursor=change(cursor))

    assert (answer.status, set(answer.fields())) == (400, {"cursor"})


@pytest.mark.parametrize("other", [{"status": "COMPLETED"}, {"day": "2026-11-20"}])
def test_a_cursor_is_of_one_question(api: Api, catalog: list[str], other: dict[str, str]) -> None:
    assert catalog
    cursor = api.get("/files", limit=2).body["cursor"]

    assert (api.get("/files", limit=5, cursor=cursor).status, api.get("/files", cursor=cursor, **other).status) == (
        200,
        400,
    )


def test_a_cursor_shows_nothing_that_its_question_does_not(api: Api, catalog: list[str]) -> None:
    """One that a caller makes up moves the position; what is listed is what the question asks for."""
    assert catalog
    question, *_ = read(str(api.get("/files", status="REJECTED", limit=1).body["cursor"]))

    found = keys(api.get("/files", status="REJECTED", cursor=cursor_of(question, "9999-12-31T23:59:59.999Z", "f" * 16)))

    assert found == walk(api, 100, status="REJECTED")


def read(cursor: str) -> list[str]:
    parts: list[str] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return parts


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.integers(1, 12),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
def test_any_times_any_page_size(api: Api, aws: Aws, times: list[int], limit: int) -> None:
    prefix = f"{id(times)}-{len(times)}"
    day = datetime(2020 + hash((tuple(times), limit)) % 5000, 1, 1, tzinfo=UTC)
    names = [f"{prefix}-{number}" for number in range(len(times))]
    for name, time in zip(names, times, strict=True):
        add(aws, name, at=day + timedelta(milliseconds=time))

    found = walk(api, limit, day=day.date())

    assert sorted(name for name in found if name.startswith(prefix)) == sorted(names)


def test_one_file(api: Api, aws: Aws) -> None:
    file = add(aws, "uploads/a b/ü+%2F#?.csv", rejected_key="rejected/a/v1.ndjson.gz")

    answer = api.get("/files/" + arrived(file.object_id))

    assert answer.status == 200
    assert (answer.body["id"], answer.body["key"]) == (file.object_id, file.key)
    assert (answer.body["uploaded_by"], answer.body["versions"]) == ("grace", ["v1"])
    url = str(answer.body["rejects_url"])
    assert "rejected/a/v1.ndjson.gz" in url
    assert "X-Amz-Expires=900" in url


def test_an_uploader_is_shown_as_the_name_is(api: Api, aws: Aws) -> None:
    """S3 takes ASCII in metadata: there the name is URL-encoded."""
    file = add(aws, "uploads/a.csv", uploaded_by="j%C3%B6rg@x%20+1")

    assert api.get("/files/" + arrived(file.object_id)).body["uploaded_by"] == "jörg@x +1"
    assert [entry["uploaded_by"] for entry in listed(api)] == ["jörg@x +1"]


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        (Status.FAILED, "ClientError: no access to arn:aws:kms:eu-central-1:111122223333:key/a", FAILED_REASON),
        (Status.FAILED, REOPENED, REOPENED),
        (Status.REJECTED, "file has no records", "file has no records"),
        (Status.COMPLETED, None, None),
    ],
)
def test_what_aws_said_is_not_shown(api: Api, aws: Aws, status: Status, reason: str | None, shown: str | None) -> None:
    file = add(aws, "uploads/a.csv", status, reason=reason)

    assert aws.item(file.key).get("reason") == reason, "the catalog keeps it"
    assert api.get("/files/" + arrived(file.object_id)).body["reason"] == shown
    assert [entry["reason"] for entry in listed(api)] == [shown]


def test_a_file_by_its_safe_path(api: Api, aws: Aws) -> None:
    """A question mark in a key would end the path: every file says where it is shown without one."""
    file = add(aws, "uploads/what?.csv")
    path = str(cast("list[dict[str, object]]", api.get("/files").body["files"])[0]["path"])

    assert "?" not in path
    assert api.get(path).body["id"] == file.object_id
    assert api.get(path[:-1] + "!").status == 404


def test_one_version_of_a_file(api: Api, aws: Aws) -> None:
    file = add(aws, "uploads/a.csv", version="v1")
    add(aws, "uploads/a.csv", Status.REJECTED, version="v2", at=START + timedelta(seconds=1))
    path = "/files/" + arrived(file.object_id)

    assert api.get(path).body["version_id"] == "v2"
    assert api.get(path).body["versions"] == ["v2", "v1"]
    assert api.get(path, version_id="v1").body["status"] == "COMPLETED"
    assert api.get(path, version_id="v3").status == 404


def test_what_is_no_file_is_not_found(api: Api, aws: Aws) -> None:
    add(aws, "uploads/a.csv")

    for path in ("nope", "x" * 2049, quote(latest_key(BUCKET, "uploads/a.csv")["object_id"]["S"]), "%25"):
        answer = api.get(f"/files/{path}")
        assert (answer.status, answer.body["code"]) == (404, "not_found")


def test_an_upload_is_signed_for_one_key_type_and_size(api: Api) -> None:
    answer = api.post("/uploads", {"name": "shipments/a b.csv", "content_type": "text/csv"})

    fields = cast("dict[str, str]", answer.body["fields"])
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert answer.status == 200
    assert answer.body["key"] == fields["key"] == "uploads/shipments/a b.csv"
    assert ["content-length-range", 0, 1024**3] in policy["conditions"]
    exact = {name: value for part in policy["conditions"] if isinstance(part, dict) for name, value in part.items()}
    assert exact["key"] == "uploads/shipments/a b.csv"
    assert exact["Content-Type"] == "text/csv"
    assert exact["x-amz-meta-uploaded-by"] == "ada"
    assert exact["x-amz-server-side-encryption"] == "aws:kms"
    assert exact["x-amz-server-side-encryption-aws-kms-key-id"].startswith("arn:aws:kms:")
    assert exact["x-amz-storage-class"] == fields["x-amz-storage-class"] == "STANDARD"
    assert not any(part[0] == "starts-with" for part in policy["conditions"] if isinstance(part, list))


@pytest.mark.usefixtures("api")
def test_uploads_and_records_are_stored_in_the_stages_class_at_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_CLASS", "INTELLIGENT_TIERING")
    tiering = Api(handler=import_function("api").handler)

    record = {"shipment_id": "SHP-1", "status": "lost", "timestamp": "2026-11-20T08:15:00Z"}
    form = cast("dict[str, str]", tiering.post("/uploads", {"name": "a.csv"}).body["fields"])
    key = tiering.post("/process", {"data": record}).body["s3_key"]

    assert form["x-amz-storage-class"] == "INTELLIGENT_TIERING"
    assert aws.s3.head_object(Bucket=BUCKET, Key=str(key))["StorageClass"] == "INTELLIGENT_TIERING"


def test_an_upload_is_never_larger_than_s3_takes_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_OBJECT_BYTES", str(6 * 1024**3))
    api.handler = import_function("api").handler

    answer = api.post("/uploads", {"name": "a.csv"})

    policy = json.loads(base64.b64decode(cast("dict[str, str]", answer.body["fields"])["policy"]))
    assert answer.body["max_bytes"] == 5 * 1024**3
    assert ["content-length-range", 0, 5 * 1024**3] in policy["conditions"]


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_name_that_is_too_long_for_a_key_is_refused_now(api: Api, letter: str) -> None:
    longest = letter * ((MAX_KEY_BYTES - len("uploads/")) // len(letter.encode()))

    assert api.post("/uploads", {"name": longest}).status == 200
    answer = api.post("/uploads", {"name": longest + letter})
    assert (answer.status, answer.fields()) == (400, {"name": "name is longer than 1016 bytes"})


def test_links_name_the_bucket_in_its_region(api: Api, aws: Aws) -> None:
    """The global endpoint would redirect, and a signature holds for one host."""
    file = add(aws, "uploads/a.csv", rejected_key="rejected/a.ndjson.gz")
    host = f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/"

    assert str(api.post("/uploads", {"name": "a.csv"}).body["url"]) == host
    assert str(api.get("/files/" + arrived(file.object_id)).body["rejects_url"]).startswith(host)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.exe", "extension .exe is not taken in"),
        ("temp/a.csv", "objects under temp/ are not taken in"),
        ("folder/", "key is a folder, not a file"),
        ("/a.csv", "name should be printable"),
        ("../a.csv", "name should be printable"),
        ("./temp/a.csv", "name should be printable"),
        ("${filename}", "name should be printable"),
        ("a\nb.csv", "name should be printable"),
        ("ü" * 509, "name is longer than 1016 bytes"),
    ],
)
def test_an_upload_that_would_not_be_taken_in_is_refused_now(api: Api, name: str, problem: str) -> None:
    answer = api.post("/uploads", {"name": name})

    assert answer.status == 400
    assert answer.fields()["name"].startswith(problem)


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 3}, {"name": "a.csv", "content_type": "text/csv\r\nx"}])
def test_a_wrong_upload_names_its_field(api: Api, body: dict[str, object]) -> None:
    answer = api.post("/uploads", body)

    assert answer.status == 400
    assert set(answer.fields()) == ({"content_type"} if "content_type" in body else {"name"})


def arrived(object_id: str) -> str:
    """An id as API Gateway hands it over: decoded, but for the percent sign."""
    encoded = quote(object_id, safe="")
    return object_id.replace("%", "%25") if "%" in encoded else encoded

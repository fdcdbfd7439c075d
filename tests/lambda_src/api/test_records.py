"""POST /validate and POST /process: the files' own checks, and each request stored once."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from shared.records.encoder import RecordEncoder
from shared.records.parse import parse
from shared.records.results import file_name, result_key
from shared.records.schemas import load_schema
from shared.records.schemas.shipment import Shipment
from shared.records.types import Money
from tests.conftest import DeclaredStack, texts
from tests.lambda_src.api.conftest import Api
from tests.lambda_src.conftest import BUCKET, Aws, Calls, declared_environment, import_function

GOOD = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00", "more": 1}
BAD = {"shipment_id": "SHP-2", "status": "delivered", "timestamp": "2026-02-30T00:00:00Z"}

BAD_REASON = {"field": "timestamp", "rule": "format", "text": "invalid RFC3339 encoded datetime"}


def stored(aws: Aws, answer_id: object) -> dict[str, object]:
    pages = aws.dynamodb.query(
        TableName=aws.table,
        KeyConditionExpression="object_id = :id",
        ExpressionAttributeValues={":id": {"S": str(answer_id)}},
    )["Items"]
    (item,) = pages
    return {name: next(iter(value.values())) for name, value in item.items()}


def lines(aws: Aws, key: str) -> list[dict[str, object]]:
    """The records of an object."""
    body = aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def objects(aws: Aws) -> dict[str, int]:
    """Key → number of versions."""
    versions = aws.s3.list_object_versions(Bucket=BUCKET).get("Versions", [])
    keys = [version["Key"] for version in versions]
    return {key: keys.count(key) for key in keys}


def test_validate_answers_per_record_and_notes_it(api: Api, aws: Aws) -> None:
    answer = api.post("/validate", {"data": [GOOD, BAD, 7]})

    assert answer.status == 200
    assert answer.body["results"] == [
        {"number": 1, "valid": True, "reasons": []},
        {"number": 2, "valid": False, "reasons": [BAD_REASON]},
        {
            "number": 3,
            "valid": False,
            "reasons": [{"field": None, "rule": "type", "text": "expected object, got int"}],
        },
    ]
    assert (answer.body["records_valid"], answer.body["records_rejected"]) == (1, 2)
    assert answer.body["s3_key"] is None
    item = stored(aws, answer.body["id"])
    assert (item["status"], item["uploaded_by"], item["records_rejected"]) == ("VALIDATED", "ada", "2")
    assert not objects(aws)


def test_one_record_needs_no_list(api: Api) -> None:
    answer = api.post("/validate", {"data": GOOD})

    assert answer.body["results"] == [{"number": 1, "valid": True, "reasons": []}]


def test_process_stores_what_is_valid_and_catalogs_it(api: Api, aws: Aws) -> None:
    answer = api.post("/process", {"data": [GOOD, BAD]})

    assert (answer.status, answer.body["status"]) == (200, "COMPLETED")
    key, item = str(answer.body["s3_key"]), stored(aws, answer.body["id"])
    assert (item["status"], item["key"], item["processed_key"]) == ("COMPLETED", key, key)
    assert (item["records_valid"], item["records_rejected"], item["uploaded_by"]) == ("1", "1", "ada")
    assert item["bucket"] == BUCKET
    assert str(item["ttl"]).isdigit()
    received = datetime.fromisoformat(str(item["event_time"]))
    origin = {"_file": answer.body["id"], "_version": "api", "_modified": f"{received:%F %T}.{received:%f}"[:-3]}
    valid = {name: value for name, value in GOOD.items() if name != "more"}
    (rejected,) = lines(aws, str(item["rejected_key"]))
    assert lines(aws, key) == [{**origin, "_number": 1, **valid}]
    assert json.loads(str(rejected.pop("record"))) == BAD
    assert rejected == {"number": 2, "reasons": [BAD_REASON]}
    folders = {name.partition("/api-")[0] for name in objects(aws)}
    assert folders == {f"{kind}/record_type=shipment/day={received:%F}" for kind in ("processed", "rejected")}


@pytest.mark.parametrize("failed", [True, False])
def test_the_same_request_on_another_day_writes_the_same_keys_and_bytes(
    api: Api, aws: Aws, calls: Calls, *, failed: bool
) -> None:
    """The first died on the day before, with its results stored and its end not."""
    first = api.post("/process", {"data": [GOOD, BAD]})
    aws.dynamodb.update_item(
        TableName=aws.table,
        Key={"object_id": {"S": str(first.body["id"])}, "version_id": {"S": "api"}},
        UpdateExpression="SET #status = :status, event_time = :time",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":status": {"S": "FAILED" if failed else "PROCESSING"},
            ":time": {"S": "2026-01-02T23:59:59.120Z"},
        },
    )
    calls.made.clear()

    again = api.post("/process", {"data": [GOOD, BAD]})

    item = stored(aws, again.body["id"])
    assert again.body["s3_key"] == item["processed_key"]
    for kind in ("processed", "rejected"):
        assert str(item[f"{kind}_key"]).startswith(f"{kind}/record_type=shipment/day=2026-01-02/api-")
    assert [record["_modified"] for record in lines(aws, str(item["processed_key"]))] == ["2026-01-02 23:59:59.120"]
    assert (item["status"], item["event_time"]) == ("COMPLETED", "2026-01-02T23:59:59.120Z")


def test_the_function_may_write_what_it_writes_and_no_file_has_such_a_key(
    api: Api, aws: Aws, dev: DeclaredStack
) -> None:
    """The names that its policy allows are those that its results have, and a file's results never."""
    statement = dev.one("RolePolicy", "-api-policy").statements()["PublishApiResults"]
    allowed = [resource.partition("/")[2] for resource in texts(statement["Resource"])]
    api.post("/process", {"data": [GOOD, BAD]})

    assert len(objects(aws)) == 2
    for key in objects(aws):
        assert [fnmatchcase(key, pattern) for pattern in allowed].count(True) == 1
    for name in ("api-x", "day=1/api-x", "uploads/shipments/record_type=a/day=b/api-1"):
        key = result_key("processed/", "shipment", datetime(2026, 11, 20, tzinfo=UTC), file_name(name, "v"))
        assert not any(fnmatchcase(key, pattern) for pattern in allowed)


def test_amounts_are_stored_with_all_their_digits(api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sale(Struct):
        total: Money

    for module in ("checked", "records"):
        monkeypatch.setattr(f"api.{module}.load_schema", lambda _name: Sale)

    answer = api.post("/process", {"data": [{"total": 19.9}, {"total": "19.90"}, {"total": "NaN"}]})

    body = gzip.decompress(aws.s3.get_object(Bucket=BUCKET, Key=str(answer.body["s3_key"]))["Body"].read())
    assert [line.partition(b'"total":')[2] for line in body.splitlines()] == [b"19.9}", b"19.90}"]
    assert answer.body["records_rejected"] == 1


@pytest.mark.parametrize("header", [{}, {"Idempotency_Key": "order-4711"}])
def test_the_same_again_stores_nothing_again_and_answers_the_same(api: Api, aws: Aws, header: dict[str, str]) -> None:
    first = api.post("/process", {"data": [GOOD, BAD]}, **header)
    before = stored(aws, first.body["id"])

    again = api.post("/process", {"data": [GOOD, BAD]}, **header)

    assert again == first
    assert stored(aws, first.body["id"]) == before
    assert set(objects(aws).values()) == {1}


def test_two_at_once_store_one_item(api: Api, aws: Aws, calls: Calls) -> None:
    """Both look, both store the same object; the second item is refused, and the answer is the first's."""
    answers = []
    calls.before["PutItem"] = lambda: answers.append(api.post("/process", {"data": GOOD}))

    second = api.post("/process", {"data": GOOD})

    assert [second] == answers
    assert len(objects(aws)) == 1


def test_an_idempotency_key_stands_for_one_content(api: Api, aws: Aws) -> None:
    api.post("/process", {"data": GOOD}, Idempotency_Key="k")

    other = api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")

    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")
    assert len(objects(aws)) == 1


def test_of_two_at_once_with_one_key_the_refused_one_stores_nothing(api: Api, aws: Aws, calls: Calls) -> None:
    answers = []
    calls.before["PutObject"] = lambda: answers.append(
        api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")
    )

    first = api.post("/process", {"data": GOOD}, Idempotency_Key="k")

    assert first.status == 200
    assert [answer.status for answer in answers] == [409]
    assert objects(aws) == {first.body["s3_key"]: 1}


def test_changed_rules_make_another_request(api: Api, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rejected under the rules before is not answered as stored, but stored."""

    class Strict(Shipment, kw_only=True):
        must: str

    monkeypatch.setattr("api.checked.load_schema", lambda _name: Strict)
    before = api.post("/process", {"data": GOOD})
    monkeypatch.setattr("api.checked.load_schema", load_schema)

    after = api.post("/process", {"data": GOOD})

    assert (before.body["status"], after.body["status"]) == ("REJECTED", "COMPLETED")
    assert objects(aws)[str(after.body["s3_key"])] == 1


def test_an_answer_stays_below_what_lambda_answers(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.checked._MAX_REASONS_BYTES", 200)

    results = cast("list[dict[str, object]]", api.post("/validate", {"data": [BAD] * 5}).body["results"])

    assert [result["valid"] for result in results] == [False] * 5
    assert results[0]["reasons"] == [BAD_REASON]
    assert results[-1]["reasons"] == [
        {"field": None, "rule": "format", "text": "not shown: the answer would be too large"}
    ]


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ü"])
def test_a_wrong_idempotency_key_is_refused(api: Api, key: str) -> None:
    answer = api.post("/process", {"data": GOOD}, Idempotency_Key=key)

    assert (answer.status, answer.body["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_json_by_any_name(api: Api, content_type: str) -> None:
    assert api.post("/validate", {"data": GOOD}, Content_Type=content_type).status == 200


def test_two_callers_share_no_idempotency_key(api: Api) -> None:
    first = api.post("/process", {"data": GOOD}, Idempotency_Key="k")
    api.subject = "somebody-else"

    second = api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")

    assert second.status == 200
    assert second.body["id"] != first.body["id"]


def test_where_nothing_is_valid_the_rejected_records_are_stored(api: Api, aws: Aws) -> None:
    answer = api.post("/process", {"data": [BAD]})

    assert (answer.body["status"], answer.body["s3_key"]) == ("REJECTED", None)
    item = stored(aws, answer.body["id"])
    assert (item["reason"], "processed_key" in item) == ("none of the records is valid", False)
    assert objects(aws) == {item["rejected_key"]: 1}


@pytest.mark.usefixtures("api")
def test_a_stack_without_record_types_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_TYPES", "[]")

    answer = Api(handler=import_function("api").handler).post("/validate", {"data": GOOD})

    assert answer.status == 400
    assert answer.fields() == {"record_type": "this stack knows none: recordTypes is empty"}


def test_record_types(api: Api, dev: DeclaredStack) -> None:
    configured = json.loads(declared_environment(dev, "api")["RECORD_TYPES"])
    names = dict.fromkeys(entry.rpartition("=")[2] for entry in configured)
    assert api.post("/validate", {"data": GOOD, "record_type": "shipment"}).status == 200

    unknown = api.post("/validate", {"data": GOOD, "record_type": "../secrets"})

    assert unknown.status == 400
    assert unknown.fields() == {"record_type": f"should be one of {', '.join(names)}"}


DEEP = '{"data": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}"


@pytest.mark.parametrize("path", ["/validate", "/process"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "the body is not JSON: input data was truncated"),
        ('{"data": {},}', "the body is not JSON: trailing comma in object at byte 12"),
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        (b"\xff\xfe", "the body is not UTF-8"),
        ("[]", "the body is not a JSON object"),
        ("null", "the body is not a JSON object"),
        ('{"data": {"a": NaN}}', "the body has NaN, which is not JSON"),
        ('{"data": {"a": -Infinity}}', "the body has -Infinity, which is not JSON"),
        ('{"data": {"a": 1, "a": 2}}', "the body has 'a' twice in one object"),
        ('{"data": {}, "data": []}', "the body has 'data' twice in one object"),
        ('{"data": ' + "1" * 5000 + "}", "the body has a number that is too long"),
        ('{"data": [{"a": "\\ud800"}]}', "the body has a lone surrogate, which is no text"),
        ('{"data": {"\\uDFFF": 1}}', "the body has a lone surrogate, which is no text"),
        ('{"data": {"a": 1}, "record_type": "\\uDc00\\ud800"}', "the body has a lone surrogate, which is no text"),
        (DEEP, "the body is nested too deeply"),
        ("{}", "data: should be a record, or a list of at least one record"),
        ('{"data": null}', "data: should be a record, or a list of at least one record"),
        ('{"data": "x"}', "data: should be a record, or a list of at least one record"),
        ('{"data": 7}', "data: should be a record, or a list of at least one record"),
        ('{"data": []}', "data: should be a record, or a list of at least one record"),
    ],
)
def test_a_wrong_body_is_a_clear_400(api: Api, aws: Aws, path: str, body: str | bytes, message: str) -> None:
    answer = api.send(path, body)

    assert (answer.status, answer.body["code"], answer.body["message"]) == (400, "invalid_request", message)
    assert answer.body["request_id"] == "JKJaXmPLvHcESHA="
    assert aws.dynamodb.scan(TableName=aws.table)["Count"] == 0


@pytest.mark.parametrize("text", ["\\ud83d\\ude80", "\\\\ud800"])
def test_a_pair_of_surrogates_and_a_backslash_are_text(api: Api, text: str) -> None:
    assert api.send("/validate", f'{{"data": [{json.dumps(GOOD)}, {{"more": "{text}"}}]}}').status == 200


def test_too_much_is_a_413_that_names_the_limit(api: Api) -> None:
    many = api.post("/validate", {"data": [GOOD] * 51})
    long = api.post("/validate", {"data": [{**GOOD, "more": "x" * 1_100_000}]})
    large = api.post("/validate", {"data": {"more": "x" * 4_200_000}})

    for answer, words in (
        (many, "more than 50 records"),
        (long, "record 1 has more than 1048576"),
        (large, "at most 4194304"),
    ):
        assert (answer.status, answer.body["code"]) == (413, "too_large")
        assert words in str(answer.body["message"])


def test_a_body_may_come_as_base64(api: Api) -> None:
    assert api.send("/validate", json.dumps({"data": GOOD}).encode()).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(api: Api, content_type: str) -> None:
    answer = api.post("/validate", {"data": GOOD}, Content_Type=content_type)

    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=3),
            st.fixed_dictionaries(
                {},
                optional={
                    "shipment_id": st.one_of(st.text(max_size=3), st.integers(), st.none()),
                    "status": st.sampled_from(["ok", "", 3]),
                    "timestamp": st.sampled_from(["2026-11-20T08:15:00Z", "2026-11-20", "soon", 5]),
                    "pieces": st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
                },
            ),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_the_same_verdicts_as_in_a_file(api: Api, records: list[object]) -> None:
    """The oracle: the same records as a JSON array in a file."""
    text = json.dumps(records)
    rejections = [
        json.loads(RecordEncoder().rejections([rejection]))
        for batch in parse([text.encode()], load_schema("shipment"), max_bytes=1 << 20)
        for rejection in batch.rejected
    ]

    answer = api.send("/validate", f'{{"data": {text}}}')

    results = cast("list[dict[str, object]]", answer.body["results"])
    assert [result["number"] for result in results] == list(range(1, len(records) + 1))
    assert [(result["number"], result["reasons"]) for result in results if not result["valid"]] == [
        (rejected["number"], rejected["reasons"]) for rejected in rejections
    ]

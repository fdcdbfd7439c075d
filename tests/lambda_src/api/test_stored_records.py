"""POST /process: what it stores, where, and each request once."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from msgspec import Struct

from shared.records.results import file_name, result_key
from shared.records.schemas import load_schema
from shared.records.schemas.shipment import Shipment
from shared.records.types import Money
from tests.declared_stack import DeclaredStack, texts
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.api.test_records import BAD, BAD_REASON, GOOD, objects, stored
from tests.lambda_src.conftest import BUCKET, Aws, Calls


def lines(aws: Aws, key: str) -> list[dict[str, object]]:
    """The records of an object."""
    body = aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def test_process_stores_what_is_valid_and_catalogs_it(api: HandlerClient, aws: Aws) -> None:
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
    api: HandlerClient, aws: Aws, calls: Calls, *, failed: bool
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
    api: HandlerClient, aws: Aws, dev: DeclaredStack
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


def test_amounts_are_stored_with_all_their_digits(
    api: HandlerClient, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sale(Struct):
        total: Money

    for module in ("checked", "records"):
        monkeypatch.setattr(f"api.{module}.load_schema", lambda _name: Sale)

    answer = api.post("/process", {"data": [{"total": 19.9}, {"total": "19.90"}, {"total": "NaN"}]})

    body = gzip.decompress(aws.s3.get_object(Bucket=BUCKET, Key=str(answer.body["s3_key"]))["Body"].read())
    assert [line.partition(b'"total":')[2] for line in body.splitlines()] == [b"19.9}", b"19.90}"]
    assert answer.body["records_rejected"] == 1


@pytest.mark.parametrize("header", [{}, {"Idempotency_Key": "order-4711"}])
def test_the_same_again_stores_nothing_again_and_answers_the_same(
    api: HandlerClient, aws: Aws, header: dict[str, str]
) -> None:
    first = api.post("/process", {"data": [GOOD, BAD]}, **header)
    before = stored(aws, first.body["id"])

    again = api.post("/process", {"data": [GOOD, BAD]}, **header)

    assert again == first
    assert stored(aws, first.body["id"]) == before
    assert set(objects(aws).values()) == {1}


def test_two_at_once_store_one_item(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    """Both look, both store the same object; the second item is refused, and the answer is the first's."""
    answers = []
    calls.before["PutItem"] = lambda: answers.append(api.post("/process", {"data": GOOD}))

    second = api.post("/process", {"data": GOOD})

    assert [second] == answers
    assert len(objects(aws)) == 1


def test_an_idempotency_key_stands_for_one_content(api: HandlerClient, aws: Aws) -> None:
    api.post("/process", {"data": GOOD}, Idempotency_Key="k")

    other = api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")

    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")
    assert len(objects(aws)) == 1


def test_of_two_at_once_with_one_key_the_refused_one_stores_nothing(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    answers = []
    calls.before["PutObject"] = lambda: answers.append(
        api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")
    )

    first = api.post("/process", {"data": GOOD}, Idempotency_Key="k")

    assert first.status == 200
    assert [answer.status for answer in answers] == [409]
    assert objects(aws) == {first.body["s3_key"]: 1}


def test_changed_rules_make_another_request(api: HandlerClient, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rejected under the rules before is not answered as stored, but stored."""

    class Strict(Shipment, kw_only=True):
        must: str

    monkeypatch.setattr("api.checked.load_schema", lambda _name: Strict)
    before = api.post("/process", {"data": GOOD})
    monkeypatch.setattr("api.checked.load_schema", load_schema)

    after = api.post("/process", {"data": GOOD})

    assert (before.body["status"], after.body["status"]) == ("REJECTED", "COMPLETED")
    assert objects(aws)[str(after.body["s3_key"])] == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ü"])
def test_a_wrong_idempotency_key_is_refused(api: HandlerClient, key: str) -> None:
    answer = api.post("/process", {"data": GOOD}, Idempotency_Key=key)

    assert (answer.status, answer.body["code"]) == (400, "invalid_request")


def test_two_callers_share_no_idempotency_key(api: HandlerClient) -> None:
    first = api.post("/process", {"data": GOOD}, Idempotency_Key="k")
    api.subject = "somebody-else"

    second = api.post("/process", {"data": [GOOD, GOOD]}, Idempotency_Key="k")

    assert second.status == 200
    assert second.body["id"] != first.body["id"]


def test_where_nothing_is_valid_the_rejected_records_are_stored(api: HandlerClient, aws: Aws) -> None:
    answer = api.post("/process", {"data": [BAD]})

    assert (answer.body["status"], answer.body["s3_key"]) == ("REJECTED", None)
    item = stored(aws, answer.body["id"])
    assert (item["reason"], "processed_key" in item) == ("none of the records is valid", False)
    assert objects(aws) == {item["rejected_key"]: 1}

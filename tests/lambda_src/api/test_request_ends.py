"""Whatever dies or fails, what POST /process has begun ends with a status or a reason."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ReadTimeoutError

from api.records import PUT_ATTEMPTS
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.api.test_records import GOOD, objects, stored
from tests.lambda_src.conftest import Aws, Calls


def only_item(aws: Aws) -> dict[str, object]:
    (item,) = aws.dynamodb.scan(TableName=aws.table)["Items"]
    return {name: next(iter(value.values())) for name, value in item.items()}


@pytest.mark.parametrize("failed_at", ["PutObject", "PutItem"])
def test_a_request_that_failed_is_failed_and_the_same_request_goes_on(
    api: HandlerClient, aws: Aws, calls: Calls, failed_at: str
) -> None:
    """Before the object, and between the object and its item."""
    if failed_at == "PutObject":
        calls.fail("PutObject", "InternalError", status=500)
    else:
        calls.after["PutObject"] = lambda _answer: calls.fail("PutItem", "InternalError", status=500)
    failed = api.post("/process", {"data": GOOD})
    assert (failed.status, failed.body["code"]) == (503, "unavailable")
    assert len(objects(aws)) == (0 if failed_at == "PutObject" else 1)
    calls.after.clear()
    item = only_item(aws)
    assert item["status"] == "FAILED"
    assert str(item["reason"]).startswith("ClientError: An error occurred (InternalError) when calling the")
    assert "claim_expires_at" not in item

    again = api.post("/process", {"data": GOOD})

    assert again.status == 200
    assert objects(aws) == {again.body["s3_key"]: 1}
    assert stored(aws, again.body["id"])["status"] == "COMPLETED"
    assert "reason" not in stored(aws, again.body["id"])


def test_what_failed_for_good_is_failed_too_and_tells_its_sender_nothing(
    api: HandlerClient, aws: Aws, calls: Calls
) -> None:
    calls.fail("PutObject", "AccessDenied", status=403)

    assert api.post("/process", {"data": GOOD}).status == 500

    item = only_item(aws)
    assert (item["status"], "AccessDenied" in str(item["reason"])) == ("FAILED", True)
    shown = api.get(f"/files/{item['object_id']}")
    assert shown.body["reason"] == "processing failed; send the same request again"


def test_a_worker_that_was_killed_leaves_a_claim_that_lapses(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    """It can write nothing any more: what is left says until when it may have been alive."""
    calls.after["PutItem"] = lambda _answer: calls.fail("PutItem", "InternalServerError", status=500, times=2)
    before = time.time()
    api.post("/process", {"data": GOOD})
    calls.after.clear()
    calls.faults.clear()

    item = only_item(aws)
    assert item["status"] == "PROCESSING"
    assert before + 61 <= int(str(item["claim_expires_at"])) <= time.time() + 62, "60 s are left, and 2 of margin"

    again = api.post("/process", {"data": GOOD})
    assert (again.status, stored(aws, again.body["id"])["status"]) == (200, "COMPLETED")
    assert "claim_expires_at" not in stored(aws, again.body["id"])


def test_a_request_whose_claim_was_written_unheard_is_failed(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    """The catalog took the item, and the answer was lost on its way."""

    def lose(_answer: object) -> None:
        calls.after.clear()
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    calls.after["PutItem"] = lose

    assert api.post("/process", {"data": GOOD}).status == 503
    assert only_item(aws)["status"] == "FAILED"


@pytest.mark.filterwarnings("ignore:No application metrics")  # the request in the request has sent them
def test_a_request_that_fails_takes_nothing_from_one_that_has_gone_on_with_it(
    api: HandlerClient, aws: Aws, calls: Calls
) -> None:
    def go_on() -> None:
        api.request_id = "the-same-again"
        calls.fail("PutObject", "InternalError", status=500)
        calls.after["PutItem"] = lambda _answer: calls.fail("PutItem", "InternalServerError", status=500)
        api.post("/process", {"data": GOOD})  # killed: it neither finishes nor says so
        calls.after.clear()
        calls.faults.clear()
        calls.fail("PutObject", "InternalError", status=500)

    calls.before["PutObject"] = go_on

    assert api.post("/process", {"data": GOOD}).status == 503

    item = only_item(aws)
    assert (item["status"], item["request_id"]) == ("PROCESSING", "the-same-again")


def test_a_write_that_collides_in_s3_is_tried_again(
    api: HandlerClient, aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0)
    calls.fail("PutObject", "ConditionalRequestConflict", status=409, times=4)

    answer = api.post("/process", {"data": GOOD})

    assert answer.status == 200
    assert objects(aws) == {answer.body["s3_key"]: 1}


def test_a_write_that_collides_all_the_time_is_a_503(
    api: HandlerClient, aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0)
    calls.fail("PutObject", "ConditionalRequestConflict", status=409, times=PUT_ATTEMPTS)

    answer = api.post("/process", {"data": GOOD})

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    item = only_item(aws)
    assert (item["status"], "ConditionalRequestConflict" in str(item["reason"])) == ("FAILED", True)
    assert api.post("/process", {"data": GOOD}).status == 200

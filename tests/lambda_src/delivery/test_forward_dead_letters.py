"""From the catalog's stream to the queue: what can never be queued, and what happens to what is beside it."""

from __future__ import annotations

import json

import pytest

from forward.changes import MAX_BODY_BYTES
from tests.declared_stack import dig
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import Delivering, Record, change, number_of
from tests.lambda_src.delivery.test_answers import counted
from tests.lambda_src.delivery.test_forward import entries, queued


def broken(record: Record, **change_of: object) -> Record:
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    inner |= change_of
    return record


@pytest.mark.parametrize("missing", ["object_id", "version_id", "bucket", "key", "request_id"])
def test_a_record_without_a_name_is_dead_lettered_whole_and_holds_up_nothing(
    delivery: Delivering, missing: str
) -> None:
    record = change(1)
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    del inner["NewImage"][missing]

    assert delivery.forward(record, change(2)) == []

    (letter,) = delivery.dead_letters()
    assert json.loads(letter.body) == record
    assert letter.attributes == {"reason": f"the item has no {missing}", "malformed": "true"}
    assert queued(delivery) == [("uploads/2.csv", "COMPLETED")]


@pytest.mark.parametrize(
    "record",
    [
        {"eventID": "1"},
        {"eventID": "1", "dynamodb": None},
        broken(change(1), NewImage=["status"]),
        broken(change(1), NewImage={"status": "COMPLETED"}),
        broken(change(1), NewImage={"status": {"S": "COMPLETED"}, "object_id": "x"}),
        change(1, size={"N": "1.5"}),
        change(1, object_id="x" * MAX_BODY_BYTES),
    ],
    ids=["nothing", "null", "list", "text", "untyped", "fraction", "too large"],
)
def test_a_record_that_can_never_be_queued_is_dead_lettered_and_holds_up_nothing(
    delivery: Delivering, record: Record
) -> None:
    assert delivery.forward(record, change(2)) == []
    assert delivery.forward(record, change(2)) == []

    (letter,) = delivery.dead_letters()
    assert letter.reason
    assert letter.attributes["malformed"] == "true"
    assert len(letter.body) < MAX_BODY_BYTES
    assert json.loads(letter.body)["eventID"] == record["eventID"]
    assert queued(delivery) == [("uploads/2.csv", "COMPLETED")]


def test_a_message_that_sqs_refuses_is_dead_lettered_and_the_next_of_its_file_goes_on(
    delivery: Delivering, calls: Calls
) -> None:
    refused, following = change(1), change(1, version_id={"S": "v2"})

    def refuse(answer: dict[str, object]) -> None:
        answer["Failed"] = [{"Id": "0", "Code": "InvalidMessageContents", "SenderFault": True}]
        del calls.after["SendMessageBatch"]

    calls.after["SendMessageBatch"] = refuse

    assert delivery.forward(refused, following) == []
    (letter,) = delivery.dead_letters()
    assert letter.reason == "SQS refuses the message: InvalidMessageContents"
    assert "malformed" not in letter.attributes, "it can be sent again as it is"
    assert json.loads(letter.body)["version_id"] == dig(refused, "dynamodb", "NewImage", "version_id", "S")
    assert len(entries(calls)) == 2


def test_what_is_queued_and_what_is_dead_lettered_is_counted(
    delivery: Delivering, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(answer: dict[str, object]) -> None:
        answer["Failed"] = [{"Id": "0", "Code": "InvalidMessageContents", "SenderFault": True}]

    calls.after["SendMessageBatch"] = refuse

    assert delivery.forward(change(0), change(1), change(2), change(3, key=None)) == []

    assert counted(capsys, "Changes") == {"ChangesQueued": 2, "ChangesDeadLettered": 2}


def test_a_dead_letter_queue_out_of_reach_has_the_stream_read_again(delivery: Delivering, calls: Calls) -> None:
    record = change(1, key=None)
    calls.fail("SendMessage", "ServiceUnavailable", status=503)

    assert delivery.forward(change(0), record, change(2)) == [number_of(record)]
    assert queued(delivery) == [("uploads/0.csv", "COMPLETED")]

    assert delivery.forward(record, change(2)) == []
    assert len(delivery.dead_letters()) == 1
    assert queued(delivery) == [("uploads/2.csv", "COMPLETED")]


def test_what_is_behind_a_record_that_fails_is_not_dead_lettered_before_it(delivery: Delivering, calls: Calls) -> None:
    """Each retry would dead-letter it again."""
    records = [change(0), change(1, key=None), change(2)]
    calls.fail("SendMessageBatch", "ServiceUnavailable", status=503, times=2)

    assert delivery.forward(*records) == [number_of(records[0])]
    assert delivery.forward(*records) == [number_of(records[0])]
    assert "SendMessage" not in calls.made
    assert delivery.forward(*records) == []

    assert calls.made.count("SendMessage") == 1
    assert len(delivery.dead_letters()) == 1
    assert queued(delivery) == [("uploads/0.csv", "COMPLETED"), ("uploads/2.csv", "COMPLETED")]


def test_a_message_that_sqs_refuses_behind_one_that_is_throttled_is_not_dead_lettered_before_it(
    delivery: Delivering, calls: Calls
) -> None:
    records = [change(number) for number in range(4)]
    refused = {"Id": "2", "Code": "InvalidMessageContents", "SenderFault": True}

    def throttle(answer: dict[str, object]) -> None:
        answer["Failed"] = [refused, {"Id": "1", "Code": "RequestThrottled", "SenderFault": True}]
        calls.after["SendMessageBatch"] = refuse

    def refuse(answer: dict[str, object]) -> None:
        answer["Failed"] = [{**refused, "Id": "1"}]

    calls.after["SendMessageBatch"] = throttle

    assert delivery.forward(*records) == [number_of(records[1])]
    assert "SendMessage" not in calls.made
    assert delivery.forward(*records[1:]) == []
    assert calls.made.count("SendMessage") == 1


def test_records_that_can_never_be_queued_leave_the_order_as_it_is(delivery: Delivering) -> None:
    records = [change(0), change(1, key=None), change(0, status="FAILED", before="COMPLETED"), change(2, key=None)]

    assert delivery.forward(*records) == []

    assert queued(delivery) == [("uploads/0.csv", "COMPLETED"), ("uploads/0.csv", "FAILED")]
    assert len(delivery.dead_letters()) == 2

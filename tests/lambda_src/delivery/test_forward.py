"""From the catalog's stream to the queue: which changes are queued, under which ids, in which order."""

from __future__ import annotations

import hashlib
import json

import pytest

from forward.changes import MAX_BODY_BYTES
from tests.declared_stack import dig
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import Delivering, Record, change, number_of

LARGE = {"S": "r" * (MAX_BODY_BYTES // 2)}


def queued(delivery: Delivering) -> list[tuple[str, str]]:
    """Key and status of what is in the queue, in order; taken out."""
    found = []
    while messages := delivery.receive():
        for message in messages:
            body = json.loads(message["Body"])
            found.append((body["key"], body["status"]))
            delivery.sqs.delete_message(QueueUrl=delivery.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.parametrize("status", ["COMPLETED", "REJECTED", "FAILED"])
@pytest.mark.parametrize("before", ["PROCESSING", None])
def test_each_final_status_is_queued(delivery: Delivering, status: str, before: str | None) -> None:
    assert delivery.forward(change(status=status, before=before)) == []

    assert queued(delivery) == [("uploads/0.csv", status)]


def test_what_is_no_change_to_a_final_status_is_not_queued(delivery: Delivering) -> None:
    """All that a filter may let through, or that another filter would."""
    removed = change()
    inner = removed["dynamodb"]
    assert isinstance(inner, dict)
    del inner["NewImage"]

    failures = delivery.forward(
        change(status="SKIPPED"),
        change(status="PROCESSING", before="FAILED"),
        change(before="COMPLETED"),
        change(status="FAILED", before="COMPLETED", reopened_by={"S": "arn:aws:sts::123456789012:x"}),
        removed,
    )

    assert failures == []
    assert queued(delivery) == []


def test_a_message_names_its_change_and_its_file(delivery: Delivering) -> None:
    delivery.forward(change())

    (message,) = delivery.receive()
    attributes = message["Attributes"]
    assert attributes["MessageGroupId"] == hashlib.sha256(b"landing-bucket/uploads/0.csv").hexdigest()
    assert attributes["MessageDeduplicationId"] == json.loads(message["Body"])["delivery_id"]


def test_all_versions_and_contents_of_a_key_are_one_group_and_other_keys_are_not(
    delivery: Delivering, calls: Calls
) -> None:
    records = [
        change(1, object_id="landing-bucket/uploads/1.csv#1"),
        change(1, object_id="landing-bucket/uploads/1.csv#2"),
        change(2),
        change(3, version_id={"S": "api"}, key=None, status="REJECTED"),
        change(4, version_id={"S": "api"}, key=None, status="REJECTED"),
    ]

    assert delivery.forward(*records) == []

    first, second, *others = [entry["MessageGroupId"] for entry in entries(calls)]
    assert first == second
    assert len({first, *others}) == 4


def entries(calls: Calls) -> list[dict[str, str]]:
    """What SQS was asked to queue."""
    asked = zip(calls.made, calls.parameters, strict=True)
    batches = [parameters for name, parameters in asked if name == "SendMessageBatch"]
    assert all(isinstance(batch, dict) for batch in batches)
    return [entry for batch in batches if isinstance(batch, dict) for entry in batch["Entries"]]


def test_the_same_change_has_the_same_id_and_another_run_another(delivery: Delivering, calls: Calls) -> None:
    failed = change(status="FAILED")
    again = change(status="FAILED", request_id={"S": "another-run"}, attempt={"N": "2"})
    later = change(status="FAILED", processed_at={"S": "2026-11-20T08:00:01.000Z"})
    for record in (failed, failed, again, later, change(status="COMPLETED"), change(1, status="FAILED")):
        delivery.forward(record)

    first, duplicate, *others = entries(calls)
    assert first == duplicate
    assert len({entry["MessageDeduplicationId"] for entry in (first, *others)}) == 5


def test_a_batch_that_comes_again_is_queued_once(delivery: Delivering) -> None:
    """A forwarder that dies after its work was done is never heard of: Lambda hands everything over again."""
    records = [change(number) for number in range(25)]

    assert delivery.forward(*records) == []
    assert delivery.forward(*records) == []

    assert len(queued(delivery)) == 25


def test_no_request_holds_two_messages_of_a_file(delivery: Delivering, calls: Calls) -> None:
    """One may fail alone; the other would overtake it."""
    records = [change(number % 3, version_id={"S": f"v{number}"}) for number in range(9)]

    delivery.forward(*records)

    sizes = [len(p["Entries"]) for p in calls.parameters if isinstance(p, dict) and "Entries" in p]
    assert sizes == [3, 3, 3]
    assert [key for key, _ in queued(delivery)] == [f"uploads/{number % 3}.csv" for number in range(9)]


def test_a_request_holds_ten_messages_and_no_more_bytes_than_sqs_takes(delivery: Delivering, calls: Calls) -> None:
    delivery.forward(*(change(number) for number in range(15)))
    delivery.forward(*(change(number, reason=LARGE) for number in range(20, 23)))

    sizes = [len(p["Entries"]) for p in calls.parameters if isinstance(p, dict) and "Entries" in p]
    assert sizes == [10, 5, 1, 1, 1]


@pytest.mark.parametrize("failing", [0, 4, 12])
def test_what_sqs_does_not_take_is_reported_and_nothing_overtakes_it(
    delivery: Delivering, calls: Calls, failing: int
) -> None:
    """One entry of a request is throttled: the stream is read again from there, and order holds for each file."""
    records = [change(number % 5, version_id={"S": f"v{number}"}) for number in range(15)]
    request, place = divmod(failing, 5)

    def throttle(answer: dict[str, object]) -> None:
        nonlocal request
        request -= 1
        if request >= 0:
            calls.after["SendMessageBatch"] = throttle
            return
        answer["Failed"] = [{"Id": str(place), "Code": "RequestThrottled", "SenderFault": True}]

    calls.after["SendMessageBatch"] = throttle

    assert delivery.forward(*records) == [number_of(records[failing])]
    assert len(entries(calls)) == (failing // 5 + 1) * 5
    assert delivery.dead_letters() == []


def test_a_queue_that_cannot_be_reached_loses_nothing(delivery: Delivering, calls: Calls) -> None:
    records = [change(number) for number in range(12)]
    calls.fail("SendMessageBatch", "ServiceUnavailable", status=503)

    assert delivery.forward(*records) == [number_of(records[0])]
    assert delivery.forward(*records) == []
    assert len(queued(delivery)) == 12


def test_a_file_put_through_again_that_fails_before_it_is_claimed_is_delivered(delivery: Delivering) -> None:
    reopened = change(1, status="FAILED", before="COMPLETED", reopened_by={"S": "an operator"})
    failed = change(1, status="FAILED", before="FAILED")
    image(failed, "OldImage")["reopened_by"] = {"S": "an operator"}

    assert delivery.forward(reopened, failed) == []
    assert queued(delivery) == [("uploads/1.csv", "FAILED")]


def image(record: Record, name: str) -> dict[str, object]:
    found = dig(record, "dynamodb", name)
    assert isinstance(found, dict)
    return found

"""What SQS no longer recognizes as a repeat is sent again: under the id that it had, with the same bytes.

SQS remembers a deduplication id for five minutes, counted from when it was first sent.
"""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from tests.lambda_src.delivery.conftest import Delivering, change


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.sqs.models.DEDUPLICATION_TIME_IN_SECONDS", 0)


def test_changes_that_the_stream_gives_again_late_are_told_under_the_same_ids(delivery: Delivering) -> None:
    """The first time they come in their order. One that is repeated may come behind a later one."""
    records = [
        change(1, status="FAILED"),
        change(2),
        change(1, before="FAILED", processed_at={"S": "2026-11-20T09:00:00.000Z"}),
    ]

    assert delivery.forward(*records) == []
    assert delivery.forward(*records) == []
    assert delivery.waiting() == 6
    delivery.deliver_all()

    bodies = defaultdict[str, set[bytes]](set)
    for arrival in delivery.receiver.arrivals:
        bodies[arrival.delivery_id].add(arrival.body)
    assert [len(of_id) for of_id in bodies.values()] == [1, 1, 1]
    first = [(json.loads(body)["key"], json.loads(body)["status"]) for (body,) in bodies.values()]
    assert [status for key, status in first if key == "uploads/1.csv"] == ["FAILED", "COMPLETED"]


def test_a_message_that_is_dead_lettered_twice_is_one_delivery_when_it_is_sent_again(delivery: Delivering) -> None:
    """The function dead-letters it and dies before that is heard of; its visibility, 6 time-outs, outlasts SQS."""
    delivery.forward(change())
    (message,) = delivery.receive()
    delivery.receiver.will_answer(404, 404)
    for _ in range(2):
        assert delivery.call(delivery.event(message)) == []
    delivery.sqs.delete_message(QueueUrl=delivery.queue_url, ReceiptHandle=message["ReceiptHandle"])

    letters = delivery.dead_letters()
    assert len(letters) == 2
    for number, letter in enumerate(letters):
        delivery.sqs.send_message(
            QueueUrl=delivery.queue_url,
            MessageBody=letter.body,
            MessageGroupId=letter.group,
            MessageDeduplicationId=f"message-{number}",
        )
    delivery.deliver_all()

    taken = delivery.receiver.taken()
    assert taken == [json.loads(message["Body"])["delivery_id"]] * 2
    assert len({arrival.body for arrival in delivery.receiver.arrivals}) == 1

"""``redrive`` of what was not delivered: to a FIFO queue, in the order of each file."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

import pytest

from forward.changes import parse_change
from tests.declared_stack import dig
from tests.lambda_src.conftest import Aws, Calls
from tests.lambda_src.delivery.conftest import Record, change
from tests.operate.conftest import Operate, Ran, bodies, bury, raise_interrupt

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

QUEUE: Final = "https://sqs.eu-central-1.amazonaws.com/123456789012/delivery.fifo"


def bury_delivery(aws: Aws, url: str, body: str, group: str, **attributes: str) -> str:
    """Put a dead-letter message of the delivery; returns its id."""
    return aws.sqs.send_message(
        QueueUrl=url,
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )["MessageId"]


def queued(aws: Aws) -> list[MessageTypeDef]:
    """What waits in the delivery queue, in order."""
    return aws.sqs.receive_message(
        QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])


def delivery(ran: Ran) -> dict[str, object]:
    found = dig(ran.json(), "queues", "delivery")
    assert isinstance(found, dict)
    return found


def test_each_is_sent_in_the_order_of_its_file_with_its_group_and_another_deduplication_id(
    aws: Aws, operate: Operate, delivery_letters: str
) -> None:
    refused = {"reason": "the endpoint answered 404", "status": "404"}
    ids = [bury_delivery(aws, delivery_letters, f"m{n}", f"file-{n % 2}", **refused) for n in range(6)]

    ran = operate("redrive", "--json")

    assert (ran.status, delivery(ran)["sent"]) == (0, 6)
    messages = queued(aws)
    assert [(m["Body"], m["Attributes"]["MessageGroupId"]) for m in messages] == [
        (f"m{n}", f"file-{n % 2}") for n in range(6)
    ]
    assert [m["Attributes"]["MessageDeduplicationId"] for m in messages] == ids


def test_what_is_malformed_stays_unless_it_is_asked_for(aws: Aws, operate: Operate, delivery_letters: str) -> None:
    bury_delivery(aws, delivery_letters, "malformed", "a", reason="the item has no key", malformed="true")
    bury_delivery(aws, delivery_letters, "unreachable", "b", reason="no answer in time; tried for 6:00:00")
    bury_delivery(aws, delivery_letters, "moved by SQS", "c")

    listed = operate("redrive", "--dry-run", "--json")
    assert delivery(listed)["reasons"] == {
        "the item has no key": 1,
        "no answer in time; tried for 6:00:00": 1,
        "received too often": 1,
    }
    ran = operate("redrive", "--json")
    assert (ran.status, delivery(ran)["sent"], delivery(ran)["kept"]) == (1, 2, 1)
    assert {message["Body"] for message in queued(aws)} == {"unreachable", "moved by SQS"}

    assert operate("redrive", "--all").status == 0
    assert len(queued(aws)) == 3


def forwarded(aws: Aws, url: str, record: Record) -> str:
    """Put a record of the stream as the forwarding function dead-letters what it cannot read; returns its id."""
    return bury_delivery(aws, url, json.dumps(record), "a group", reason="the item has no key", malformed="true")


def test_of_a_record_of_the_stream_the_message_is_made_once_it_can_be_read(
    aws: Aws, operate: Operate, delivery_letters: str
) -> None:
    id_ = forwarded(aws, delivery_letters, change())
    expected = parse_change(change())
    assert expected

    for options in (("--dry-run",), ()):
        kept = operate("redrive", "--queue", "delivery", *options)
        assert (kept.status, queued(aws)) == (1, [])
        assert "Malformed messages stay: 1. Look at them and delete them, or send them with --all" in kept.out
    assert "Malformed" not in operate("redrive", "--queue", "delivery", "--all", "--dry-run").out

    assert operate("redrive", "--queue", "delivery", "--all").status == 0
    (message,) = queued(aws)
    assert (message["Body"], message["Attributes"]["MessageGroupId"]) == (expected.body, expected.group)
    assert message["Attributes"]["MessageDeduplicationId"] == id_


@pytest.mark.parametrize(
    "record",
    [change(key=None), {"eventID": "1", "dynamodb": {"Keys": {"object_id": {"S": "x"}}, "SequenceNumber": "1"}}],
    ids=["malformed", "cut, since it was too large"],
)
def test_a_record_of_the_stream_of_which_no_message_can_be_made_stays_and_is_never_sent(
    aws: Aws, operate: Operate, delivery_letters: str, record: Record
) -> None:
    """The delivery function would dead-letter it again, each time."""
    forwarded(aws, delivery_letters, record)

    ran = operate("redrive", "--queue", "delivery", "--all")

    assert (ran.status, queued(aws)) == (1, [])
    assert "the item has no key" in ran.out
    assert "Malformed messages stay: 1. This version cannot read them" in ran.out
    assert delivery(operate("redrive", "--all", "--json"))["kept"] == 1, "it is shown again at once"


def test_what_the_endpoint_refuses_again_meanwhile_is_sent_once(
    aws: Aws, operate: Operate, delivery_letters: str, calls: Calls
) -> None:
    """It comes back while the command still runs: it does not go round."""
    refused = {"reason": "the endpoint answered 404", "status": "404"}
    bury_delivery(aws, delivery_letters, "refused", "a", **refused)
    again = iter(range(5))

    def refuse(_answer: object) -> None:
        for _ in islice(again, 1):
            bury_delivery(aws, delivery_letters, "refused", "a", **refused)
            calls.after["DeleteMessage"] = refuse

    calls.after["DeleteMessage"] = refuse

    ran = operate("redrive", "--json")

    assert (ran.status, delivery(ran)["sent"], delivery(ran)["kept"]) == (1, 1, 1)
    assert len(queued(aws)) == 1


@pytest.mark.parametrize("name", ["intake", "delivery"])
def test_one_queue_alone(aws: Aws, operate: Operate, delivery_letters: str, name: str) -> None:
    bury(aws, "an upload")
    bury_delivery(aws, delivery_letters, "a delivery", "a")

    ran = operate("redrive", "--queue", name, "--json")

    assert (ran.status, set(dict(ran.json()["queues"]))) == (0, {name})  # type: ignore[call-overload]  # it is an object
    assert (bool(bodies(aws)), bool(queued(aws))) == (name == "intake", name == "delivery")


def test_a_stack_that_delivers_nothing_has_no_such_queue(aws: Aws, operate: Operate) -> None:
    bury(aws, "an upload")

    ran = operate("redrive", "--queue", "delivery")
    assert (ran.status, "deliveryEndpoint is not set" in ran.err) == (2, True)
    assert operate("redrive").status == 0


def test_it_is_sent_before_it_is_deleted_and_once_if_it_is_run_again(
    aws: Aws, operate: Operate, delivery_letters: str, calls: Calls
) -> None:
    bury_delivery(aws, delivery_letters, "one", "a")
    calls.fail("DeleteMessage", "ServiceUnavailable")

    assert operate("redrive").status == 1
    assert operate("redrive").status == 0

    assert [message["Body"] for message in queued(aws)] == ["one"]


def test_an_interruption_says_how_far_each_queue_came(
    aws: Aws, operate: Operate, delivery_letters: str, calls: Calls
) -> None:
    bury(aws, "an upload")
    for number in range(2):
        bury_delivery(aws, delivery_letters, f"m{number}", f"file-{number}")
    sends = iter(range(2))

    def interrupt() -> None:
        calls.before["SendMessage"] = raise_interrupt if next(sends) else interrupt

    calls.before["SendMessage"] = interrupt
    ran = operate("redrive", "--json")

    assert ran.status == 130
    assert dig(ran.json(), "queues", "intake", "sent") == 1
    assert (delivery(ran)["sent"], delivery(ran)["notReached"]) == (1, 1)


def test_by_sqs_each_goes_back_where_it_came_from(
    operate: Operate, delivery_letters: str, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    del delivery_letters
    monkeypatch.setattr("operate.redrive._POLL_SECONDS", 0)
    calls.answers["StartMessageMoveTask"] = {"TaskHandle": "task"}
    calls.answers["ListMessageMoveTasks"] = {
        "Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2}]
    }

    assert operate("redrive", "--sqs").status == 0

    asked = zip(calls.made, calls.parameters, strict=True)
    moves = [parameters for name, parameters in asked if name == "StartMessageMoveTask"]
    assert [(str(dig(m, "SourceArn")).split(":")[-1], str(dig(m, "DestinationArn")).split(":")[-1]) for m in moves] == [
        ("dead-letters", "intake"),
        ("delivery-dead-letters.fifo", "delivery.fifo"),
    ]


def test_others_of_a_file_are_behind_the_first_ones(aws: Aws, operate: Operate, delivery_letters: str) -> None:
    for number in range(12):
        bury_delivery(aws, delivery_letters, json.dumps(number), "a")

    listed = operate("redrive", "--dry-run", "--json")
    assert delivery(listed)["reasons"] == {"received too often": 10, "not seen: behind others of the same file": 2}

    assert delivery(operate("redrive", "--json"))["sent"] == 12


def test_what_is_behind_messages_of_its_file_that_stay_is_not_reached(
    aws: Aws, operate: Operate, delivery_letters: str
) -> None:
    for number in range(12):
        bury_delivery(aws, delivery_letters, json.dumps(number), "a", reason="another shape", malformed="true")

    ran = operate("redrive", "--queue", "delivery", "--json")

    assert (delivery(ran)["kept"], delivery(ran)["notReached"]) == (10, 2)


def test_of_what_is_malformed_only_records_of_the_stream_are_sent_as_anything_else(
    aws: Aws, operate: Operate, delivery_letters: str
) -> None:
    bury(aws, '{"eventID": "1"}', "the message has no Records")
    bury_delivery(aws, delivery_letters, '{"delivery_id": 1}', "a", reason="another shape", malformed="true")

    assert operate("redrive", "--all").status == 0
    assert bodies(aws) == ['{"eventID": "1"}']
    assert [message["Body"] for message in queued(aws)] == ['{"delivery_id": 1}']

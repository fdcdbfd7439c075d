"""Dead letters sent again: all of them, in order, none lost wherever it stops."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import boto3
import pytest
from botocore.exceptions import ClientError

from operate import __main__ as program
from operate.redeliver import HIDDEN_SECONDS
from operate.stack_outputs import OutputsError, StackOutputs
from tests.conftest import dig
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import change
from tests.operate.delivery.conftest import Operating


def test_all_are_sent_oldest_first_and_deleted(operating: Operating, capsys: pytest.CaptureFixture[str]) -> None:
    refused = operating.put_aside(25)
    capsys.readouterr()

    assert operating.redeliver() == 0

    assert operating.delivery.receiver.taken() == refused
    assert operating.waiting() == 0
    assert operating.function.invocations == 3
    assert capsys.readouterr().out.splitlines()[-1] == "25 sent"


def test_a_dry_run_lists_and_leaves_all(operating: Operating, capsys: pytest.CaptureFixture[str]) -> None:
    refused = operating.put_aside(12)
    capsys.readouterr()

    assert operating.redeliver(dry_run=True, as_json=True) == 1

    found = json.loads(capsys.readouterr().out)["letters"]
    assert [letter["letter"] for letter in found] == refused
    assert {letter["reason"] for letter in found} == {"the endpoint answered 404"}
    assert operating.waiting() == 12
    assert operating.function.invocations == 0


def test_interrupted_it_loses_nothing(operating: Operating, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = operating.put_aside(25)

    def interrupt() -> None:
        raise KeyboardInterrupt

    operating.function.before = [lambda: None, interrupt]
    outputs = tmp_path / "outputs.json"
    values = {
        "deliveryDeadLetterQueueUrl": operating.delivery.queue_url,
        "deliveryFunctionName": "delivery",
        "queueArn": "arn:aws:sqs:eu-central-1:123456789012:intake",
    }
    outputs.write_text(json.dumps(values))

    assert program.main(["redeliver", "--outputs", str(outputs)]) == 130

    printed = capsys.readouterr()
    assert "nothing is lost" in printed.err
    assert printed.out.splitlines()[-1] == "10 sent, 15 not reached: in the queue as before"
    assert operating.delivery.receiver.taken() == refused[:10]
    assert operating.waiting() == 15, "at once, not when their time is up"
    assert program.main(["redeliver", "--outputs", str(outputs)]) == 0
    assert operating.delivery.receiver.taken() == refused


def test_it_stops_when_the_endpoint_is_not_well(operating: Operating, capsys: pytest.CaptureFixture[str]) -> None:
    operating.put_aside(25)
    operating.delivery.receiver.will_answer(204, 204, 503)
    capsys.readouterr()

    assert operating.redeliver() == 1

    assert len(operating.delivery.receiver.asked) == 3
    assert operating.waiting() == 23
    assert "the endpoint answered 503" in capsys.readouterr().out


def test_what_is_refused_again_does_not_hold_up_the_others(operating: Operating) -> None:
    operating.put_aside(5)
    operating.delivery.receiver.will_answer(404)

    assert operating.redeliver() == 1

    assert len(operating.delivery.receiver.taken()) == 4
    assert operating.waiting() == 1


def test_a_function_that_crashes_loses_nothing(operating: Operating, capsys: pytest.CaptureFixture[str]) -> None:
    operating.put_aside(3)
    operating.function.crash = True
    capsys.readouterr()

    assert operating.redeliver() == 1

    assert "out of memory" in capsys.readouterr().out
    assert operating.waiting() == 3


def test_a_message_that_is_no_letter_is_named_and_left(
    operating: Operating, capsys: pytest.CaptureFixture[str]
) -> None:
    operating.delivery.sqs.send_message(QueueUrl=operating.delivery.queue_url, MessageBody="by hand")

    assert operating.redeliver() == 1

    assert "holds neither a delivery nor a record" in capsys.readouterr().out
    assert operating.waiting() == 1


PLACE: Final = {
    "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/catalog/stream/2026-11-20T08:00:00.000",
    "shardId": "shardId-00000000000000000001-00000001",
    "startSequenceNumber": "1",
    "endSequenceNumber": "2",
}


def put_place(operating: Operating, count: int, *, beyond: int = 0) -> None:
    """Finish files in a table with a stream, and put the place of their records aside, as the event source does."""
    table = boto3.client("dynamodb").create_table(
        TableName="catalog",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "object_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "object_id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    for number in range(count):
        inner = change(number)["dynamodb"]
        assert isinstance(inner, dict)
        boto3.client("dynamodb").put_item(TableName="catalog", Item=inner["NewImage"])
    streams, arn = boto3.client("dynamodbstreams"), table["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    place = {
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {
            "streamArn": arn,
            "shardId": shard,
            "startSequenceNumber": records[1]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": str(int(records[-2]["dynamodb"]["SequenceNumber"]) + beyond),
            "approximateArrivalOfFirstRecord": "2026-11-20T08:15:31.000Z",
        },
    }
    operating.delivery.sqs.send_message(QueueUrl=operating.delivery.queue_url, MessageBody=json.dumps(place))


def test_a_place_in_the_stream_is_read_and_sent(operating: Operating) -> None:
    """What crashed the function: the event source keeps the place alone, and the stream the data, for a day."""
    put_place(operating, 15)

    assert operating.redeliver() == 0

    keys = [arrival.told["key"] for arrival in operating.delivery.receiver.arrivals]
    assert keys == [f"uploads/{number}.csv" for number in range(1, 14)]
    assert operating.waiting() == 0


def test_a_place_that_is_sent_in_part_stays(operating: Operating) -> None:
    put_place(operating, 5)
    operating.delivery.receiver.will_answer(204, 503)

    assert operating.redeliver() == 1

    assert operating.waiting() == 1


def test_a_place_whose_data_is_over_is_named_and_left(
    operating: Operating, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    put_place(operating, 3)
    calls.fail("GetShardIterator", "TrimmedDataAccessException")

    assert operating.redeliver() == 1

    assert "look the files up in the catalog" in capsys.readouterr().out
    assert operating.waiting() == 1


@pytest.mark.parametrize(
    "place",
    [
        pytest.param({}, id="empty"),
        pytest.param("x", id="text"),
        pytest.param([1], id="list"),
        pytest.param(PLACE | {"endSequenceNumber": "y"}, id="no number"),
        pytest.param(PLACE | {"streamArn": "x"}, id="no stream"),
        pytest.param(PLACE | {"shardId": "s"}, id="no shard"),
    ],
)
def test_a_malformed_place_is_left_and_holds_up_nobody(operating: Operating, place: object) -> None:
    """Without a time it is the first to be sent, in every run."""
    sqs, url = operating.delivery.sqs, operating.delivery.queue_url
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"DDBStreamBatchInfo": place}))
    refused = operating.put_aside(1)

    assert operating.redeliver() == 1

    assert operating.delivery.receiver.taken() == refused
    assert operating.waiting() == 1


def test_a_place_that_ends_beyond_the_stream_is_left(operating: Operating, capsys: pytest.CaptureFixture[str]) -> None:
    put_place(operating, 3, beyond=10**6)

    assert operating.redeliver() == 1

    assert "the stream ends before the place does" in " ".join(capsys.readouterr().out.split())
    assert operating.waiting() == 1


@pytest.mark.parametrize("dry_run", [False, True])
def test_hidden_letters_are_said(operating: Operating, capsys: pytest.CaptureFixture[str], *, dry_run: bool) -> None:
    operating.put_aside(2)
    sqs, url = operating.delivery.sqs, operating.delivery.queue_url
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=300)
    capsys.readouterr()

    assert operating.redeliver(dry_run=dry_run) == 1

    assert "2 in flight" in capsys.readouterr().out


def test_a_letter_that_is_shown_again_meanwhile_is_one_letter(
    operating: Operating, calls: Calls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its time was up while others were read: its receipt is new, and it is the same."""
    refused = operating.put_aside(3)
    monkeypatch.setattr("operate.redeliver.HIDDEN_SECONDS", 0)
    receives = iter(range(100))
    calls.after["ReceiveMessage"] = lambda _answer: None if next(receives) < 99 else pytest.fail("it has no end")
    capsys.readouterr()

    assert operating.redeliver(dry_run=True, as_json=True) == 1
    assert [letter["letter"] for letter in json.loads(capsys.readouterr().out)["letters"]] == refused

    assert operating.redeliver() == 0
    assert operating.delivery.receiver.taken() == refused


def test_what_is_held_stays_hidden_while_others_are_sent(operating: Operating, calls: Calls) -> None:
    operating.put_aside(12)
    extended: list[int] = []

    def invoked() -> None:
        entries = [dig(p, "Entries") for p in calls.parameters if dig(p, "Entries")]
        assert all(dig(e, "VisibilityTimeout") == HIDDEN_SECONDS for part in entries for e in _list(part))
        extended.append(sum(len(_list(part)) for part in entries))

    operating.function.before = [invoked, invoked]

    assert operating.redeliver() == 0

    assert extended == [12, 12 + 2], "before each invocation, what is not deleted"


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def test_a_release_that_fails_stops_neither_the_others_nor_the_report(
    operating: Operating, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    operating.put_aside(25)
    calls.fail("ChangeMessageVisibilityBatch", "RequestThrottled")
    capsys.readouterr()

    assert operating.redeliver(dry_run=True, as_json=True) == 1

    printed = capsys.readouterr()
    assert len(json.loads(printed.out)["letters"]) == 25
    assert "10 letters stay hidden" in printed.err
    assert operating.waiting() == 15


def test_what_was_sent_is_said_though_aws_fails_then(
    operating: Operating, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    operating.put_aside(3)
    operating.function.before = [lambda: calls.before.update(DeleteMessage=second)]

    def second() -> None:
        calls.before["DeleteMessage"] = lambda: calls.fail("DeleteMessage", "AccessDenied")

    capsys.readouterr()

    with pytest.raises(ClientError, match="AccessDenied"):
        operating.redeliver()

    assert capsys.readouterr().out.splitlines()[-1] == "1 sent, 2 not reached: in the queue as before"


def test_when_all_are_to_be_sent_later_they_are_left_and_said(
    operating: Operating, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A function without time left tries none of them."""
    operating.put_aside(12)

    def no_time(event: dict[str, object]) -> object:
        return {"results": [{"outcome": "later", "reason": "out of time"} for _ in _list(event["letters"])]}

    monkeypatch.setattr(operating.function, "call", no_time)
    capsys.readouterr()

    assert operating.redeliver() == 1

    assert capsys.readouterr().out.splitlines()[-1] == "12 later"
    assert (operating.waiting(), operating.function.invocations) == (12, 1)


def test_a_letter_does_not_overtake_a_place_in_the_stream(operating: Operating) -> None:
    put_place(operating, 4)
    for name, changed_at in (("before", "2026-11-20T08:15:30.000Z"), ("after", "2026-11-20T08:15:32.000Z")):
        letter = {"delivery_id": hashlib.md5(name.encode()).hexdigest(), "body": json.dumps({"key": name})}  # noqa: S324
        operating.delivery.sqs.send_message(
            QueueUrl=operating.delivery.queue_url, MessageBody=json.dumps({**letter, "changed_at": changed_at})
        )

    assert operating.redeliver() == 0

    keys = [arrival.told["key"] for arrival in operating.delivery.receiver.arrivals]
    assert keys == ["before", "uploads/1.csv", "uploads/2.csv", "after"]


def test_a_stack_that_delivers_nothing_says_so(operating: Operating) -> None:
    with pytest.raises(OutputsError, match="no output deliveryDeadLetterQueueUrl: it delivers nothing"):
        replace(operating, outputs=StackOutputs({})).redeliver()

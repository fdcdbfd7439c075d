"""The function as Lambda calls it: partial batches, refusals, time running out, metrics and logs."""

from __future__ import annotations

import json
import logging

import pytest

from shared import observability
from tests.declared_stack import dig
from tests.lambda_src.conftest import (
    BUCKET,
    EVENTS,
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    import_handler,
    message,
    returned,
)

TEST_EVENT = (EVENTS / "s3_test_event.json").read_text()


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Every line that the function printed: logs and metrics are JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.strip()]


def metrics_of(lines: list[dict[str, object]]) -> dict[str, float]:
    """Metric name → sum of its values."""
    found: dict[str, float] = {}
    for line in lines:
        if "_aws" in line:
            for name, values in line.items():
                if isinstance(values, list):
                    found[name] = found.get(name, 0) + sum(values)
    return found


def test_a_batch_ends_with_exactly_the_right_messages_back(handler: Handler, aws: Aws, calls: Calls) -> None:
    """Ten messages: six good, a poisoned, a duplicate, a test event, and one that S3 throttles."""
    good = [message(aws.put(f"uploads/{number}.csv")) for number in range(6)]
    duplicate = message(aws.put("uploads/again.csv"))
    handler(batch(duplicate), LambdaContext())
    poisoned, test_event = message(body="{poisoned"), message(body=TEST_EVENT)
    throttled = message(aws.put("uploads/throttled.csv"))
    ten = [throttled, *good, poisoned, duplicate, test_event]
    for entry in ten:
        aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody=str(entry["body"]))
    calls.fail("HeadObject", "SlowDown", status=503)

    response = handler(batch(*ten), LambdaContext())

    assert returned(response) == {throttled["messageId"]}
    assert aws.dead_letters() == {"{poisoned": "the message is not JSON"}
    statuses = {key: item["status"] for key, item in aws.items().items()}
    assert statuses.pop("uploads/throttled.csv") == "FAILED"
    assert set(statuses.values()) == {"COMPLETED"}
    assert len(statuses) == 7

    assert returned(handler(batch(throttled), LambdaContext())) == set()
    assert aws.item("uploads/throttled.csv")["status"] == "COMPLETED"


def test_a_batch_that_fails_as_a_whole_comes_back_as_a_whole(handler: Handler, aws: Aws, calls: Calls) -> None:
    messages = [message(aws.put(f"uploads/{number}.csv")) for number in range(3)]
    calls.fail("HeadObject", "SlowDown", times=3)

    response = handler(batch(*messages), LambdaContext())

    assert returned(response) == {entry["messageId"] for entry in messages}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the message is not JSON"),
        ("{}", "the message has no Records"),
        ('{"Records": [{"eventSource": "aws:sns"}]}', "eventSource is"),
        ('{"Records": [null]}', "is not a JSON object"),
    ],
)
def test_a_malformed_message_is_put_aside_at_once_with_its_reason(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str], body: str, reason: str
) -> None:
    response = handler(batch(message(body=body or " ")), LambdaContext())

    assert returned(response) == set()
    ((text, said),) = aws.dead_letters().items()
    assert text == (body or " ")
    assert reason in said
    assert metrics_of(emitted(capsys))["MessagesDeadLettered"] == 1


def test_a_refusal_that_fails_leaves_the_message(handler: Handler, aws: Aws, calls: Calls) -> None:
    calls.fail("SendMessage", "ServiceUnavailable", status=503)
    poisoned = message(body="{")

    assert returned(handler(batch(poisoned), LambdaContext())) == {poisoned["messageId"]}
    assert aws.dead_letters() == {}


def test_a_refusal_that_fails_says_so(handler: Handler, calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    calls.fail("SendMessage", "ServiceUnavailable", status=503)

    handler(batch(message(body="{")), LambdaContext())

    messages = [record.message for record in caplog.records]
    assert "cannot be dead-lettered, left in the queue" in messages
    assert "dead-lettered" not in messages


def test_time_is_looked_at_before_each_upload_of_a_message(handler: Handler, aws: Aws) -> None:
    remaining = iter([30_000, 9_999])
    both = message(aws.put("uploads/a.csv"), aws.put("uploads/b.csv"))

    response = handler(batch(both), LambdaContext(remaining_ms=lambda: next(remaining)))

    assert returned(response) == {both["messageId"]}
    assert set(aws.items()) == {"uploads/a.csv"}


@pytest.mark.usefixtures("handler")
def test_no_credentials_are_logged_where_everything_is(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Lambda sets the root logger to DEBUG where the stage logs DEBUG."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-session-token")
    caplog.set_level(logging.DEBUG)
    again = import_handler()

    again(batch(message(aws.put("uploads/a.csv"))), LambdaContext())

    assert {record.name.partition(".")[0] for record in caplog.records}.isdisjoint({"botocore", "boto3", "urllib3"})
    assert "the-session-token" not in caplog.text
    assert "Signature=" not in caplog.text


@pytest.mark.usefixtures("handler")
def test_the_stages_level_counts_whatever_lambda_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's own filter is at INFO, or it would drop the metrics; the logger's must not follow it."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "ERROR")

    import_handler()

    assert logging.getLogger("ingest").level == logging.ERROR


def test_a_message_with_good_and_bad_records_loses_neither(handler: Handler, aws: Aws) -> None:
    mixed = message(aws.put("uploads/good.csv"), {"eventSource": "aws:sns"})

    assert returned(handler(batch(mixed), LambdaContext())) == set()

    assert aws.item("uploads/good.csv")["status"] == "COMPLETED"
    assert list(aws.dead_letters()) == [mixed["body"]]


def test_a_message_that_failed_in_part_is_not_refused_yet(handler: Handler, aws: Aws, calls: Calls) -> None:
    """It comes back whole: put aside now, it would be there twice."""
    mixed = message(aws.put("uploads/a.csv"), {"eventSource": "aws:sns"}, aws.put("uploads/b.csv"))
    calls.fail("HeadObject", "SlowDown")

    assert returned(handler(batch(mixed), LambdaContext())) == {mixed["messageId"]}

    assert aws.dead_letters() == {}
    assert {key: item["status"] for key, item in aws.items().items()} == {
        "uploads/a.csv": "FAILED",
        "uploads/b.csv": "COMPLETED",
    }


def test_an_event_of_another_bucket_is_refused_unread(handler: Handler, aws: Aws, calls: Calls) -> None:
    foreign = aws.put("uploads/a.csv")
    text = json.dumps({"Records": [foreign]}).replace(f'"name": "{BUCKET}"', '"name": "other-bucket"')
    calls.made.clear()

    assert returned(handler(batch(message(body=text)), LambdaContext())) == set()

    assert calls.made == ["SendMessage"]


def test_no_message_is_started_when_the_time_runs_out(handler: Handler, aws: Aws) -> None:
    """The stage keeps 10 s back: the second and third message are handed back unharmed."""
    remaining = iter([30_000, 9_999, 9_999])
    messages = [message(aws.put(f"uploads/{number}.csv")) for number in range(3)]

    response = handler(batch(*messages), LambdaContext(remaining_ms=lambda: next(remaining)))

    assert returned(response) == {messages[1]["messageId"], messages[2]["messageId"]}
    assert set(aws.items()) == {"uploads/0.csv"}


def test_a_held_file_stays_in_the_queue_and_is_no_failure(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = message(aws.put("uploads/a.csv"))
    handler(batch(entry), LambdaContext())
    item = aws.dynamodb.scan(TableName=aws.table)["Items"]
    (held,) = [i for i in item if "status" in i]
    aws.dynamodb.put_item(
        TableName=aws.table,
        Item={**held, "status": {"S": "PROCESSING"}, "owner": {"S": "other"}, "claim_expires_at": {"N": "9999999999"}},
    )
    capsys.readouterr()

    assert returned(handler(batch(entry), LambdaContext())) == {entry["messageId"]}

    metrics = metrics_of(emitted(capsys))
    assert "FilesFailed" not in metrics
    assert metrics["MessagesReturned"] == 1


def test_metrics_say_what_happened_without_a_call(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str], calls: Calls
) -> None:
    messages = [message(aws.put("uploads/a.csv", b"12345")), message(aws.put("uploads/a.exe", b"1"))]
    failing = message(aws.put("uploads/b.csv"))
    capsys.readouterr()
    calls.made.clear()

    handler(batch(*messages), LambdaContext())
    calls.fail("HeadObject", "SlowDown")
    handler(batch(failing), LambdaContext())

    lines = emitted(capsys)
    metrics = metrics_of(lines)
    assert (metrics["FilesCompleted"], metrics["FilesSkipped"], metrics["FilesFailed"]) == (1, 1, 1)
    assert (metrics["FileSize"], metrics["MessagesReturned"]) == (6, 1)
    assert metrics["ProcessingTime"] > 0
    (namespace,) = {dig(line, "_aws", "CloudWatchMetrics", 0, "Namespace") for line in lines if "_aws" in line}
    assert namespace == "file-pipeline/dev"
    assert set(calls.made) == {"HeadObject", "TransactWriteItems"}


def test_logs_name_the_file_and_the_invocation(handler: Handler, aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    entry = message(aws.put("uploads/a.csv"), attempt=3)
    context = LambdaContext()

    handler(batch(entry), context)

    (record,) = [record for record in caplog.records if record.message == "file processed"]
    line = json.loads(observability.logger.registered_formatter.format(record))
    assert (line["key"], line["version_id"]) == ("uploads/a.csv", aws.item("uploads/a.csv")["version_id"])
    assert (line["status"], line["attempt"], line["service"]) == ("COMPLETED", 3, "ingest")
    assert line["function_request_id"] == context.aws_request_id
    assert str(line["timestamp"]).endswith("+00:00")
    assert aws.item("uploads/a.csv")["attempt"] == 3


def test_a_files_line_says_nothing_that_every_line_says(
    handler: Handler, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    handler(batch(message(aws.put("uploads/a.txt"))), LambdaContext())

    (record,) = (record for record in caplog.records if record.message == "file processed")
    line = json.loads(observability.logger.registered_handler.format(record))
    assert {"key", "version_id", "status", "function_request_id", "level", "timestamp"} <= line.keys()
    assert {"function_arn", "function_memory_size", "location"}.isdisjoint(line)

"""Each command on moto: what it changes, what it leaves, what it prints, and its exit status."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import cast

import boto3
import pytest

from ingest.events import parse_uploads
from operate import redrive, why
from operate.pace import Pace
from shared.catalog.model import ObjectFacts, Outcome, Status, Worker
from shared.created_event import created_event
from tests.conftest import REGION, dig
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.lambda_src.test_vocabulary import VERSION
from tests.operate.conftest import (
    SHARDS,
    Operate,
    add_output,
    api_result,
    bodies,
    buried,
    bury,
    ended,
    operator_catalog,
    request_catalog,
    uploaded,
)

COMPLETED = Outcome(status=Status.COMPLETED)
LONG_AGO = datetime(2026, 3, 1, 12, tzinfo=UTC)
REJECTED = Outcome(status=Status.REJECTED, reason="file has no records")


def test_the_event_says_what_s3_would_say() -> None:
    assert parse_uploads(created_event(VERSION, REGION, sender="test"), VERSION.bucket) == ([VERSION], [])


# --- status


def test_an_operator_who_may_not_decrypt_is_told_so(aws: Aws, operate: Operate, calls: Calls) -> None:
    """Lambda then shows no environment, and says why beside it."""
    del aws
    refused = {"Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "not allowed to decrypt"}}}
    calls.answers["GetFunctionConfiguration"] = refused

    ran = operate("status")

    assert ran.status == 2
    assert "not allowed to decrypt; the operator needs kms:Decrypt" in ran.err


def test_status_of_a_quiet_stack_is_well(aws: Aws, operate: Operate) -> None:
    for number in range(6):
        ended(aws, uploaded(aws, f"uploads/{number}.csv"), COMPLETED)

    ran = operate("status")

    assert ran.status == 0, ran.err
    assert "All is well." in ran.out
    assert dig(operate("status", "--json").json(), "files", "COMPLETED") == 6


def test_status_says_what_needs_attention(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), Outcome(status=Status.FAILED, reason="throttled"))
    bury(aws, "nonsense", "the message is not JSON")
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="waits")

    ran = operate("status", "--json")

    assert ran.status == 1
    result = ran.json()
    assert (result["deadLetters"], dig(result, "queue", "waiting")) == (1, 1)
    assert dig(result, "oldest", "FAILED", "key") == "uploads/a.csv"
    assert len(str(result["attention"])) > 2
    assert "Needs attention: 1 FAILED" in operate("status").out


@pytest.mark.parametrize("kind", ["deadLetters", "deliveryDeadLetters"])
def test_a_dead_letter_alone_needs_attention(aws: Aws, operate: Operate, delivery_letters: str, kind: str) -> None:
    url = aws.dead_letter_url if kind == "deadLetters" else delivery_letters
    aws.sqs.send_message(QueueUrl=url, MessageBody="a letter")

    ran = operate("status", "--json")

    assert (ran.status, ran.json()[kind]) == (1, 1)
    assert len(cast("list[str]", ran.json()["attention"])) == 1
    assert "Needs attention: 1 " in operate("status").out


def test_status_of_what_waits_reads_nothing_else(aws: Aws, operate: Operate, calls: Calls) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    ran = operate("status", "--waiting", "--json")

    assert (ran.status, set(cast("dict[str, int]", ran.json()["files"]))) == (0, {"PROCESSING", "FAILED"})
    asked = {str(dig(p, "ExpressionAttributeValues", ":shard", "S")) for p in calls.parameters if dig(p, "IndexName")}
    assert {text.partition("#")[0] for text in asked} == {"PROCESSING", "FAILED"}


def test_status_asks_more_shards_if_told(operate: Operate, calls: Calls) -> None:
    operate("status", "--shards", "9")

    asked = {str(dig(p, "ExpressionAttributeValues", ":shard", "S")) for p in calls.parameters if dig(p, "IndexName")}
    assert {f"{status}#{shard}" for status in Status for shard in range(9)} <= asked


def test_what_the_api_left_unfinished_does_not_hide_an_upload(aws: Aws, operate: Operate) -> None:
    long_ago = request_catalog(aws, lambda: LONG_AGO)
    for number in range(12 * SHARDS):
        long_ago.store(api_result(f"api/process/{number}", Status.PROCESSING))
    later = LONG_AGO + timedelta(days=1)
    version = uploaded(aws, "uploads/stuck.csv")
    worker = Worker(request_id="w", function_name="ingest", attempt=1, started_at=later, deadline=later)
    operator_catalog(aws, lambda: later).claim(version, ObjectFacts(), worker)

    ran = operate("status")

    assert ran.status == 1
    assert "uploads/stuck.csv is PROCESSING for more than" in ran.out


# --- redrive


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_redrive_says_that_letters_are_hidden(aws: Aws, operate: Operate, options: tuple[str, ...]) -> None:
    bury(aws, "one")
    aws.sqs.receive_message(QueueUrl=aws.dead_letter_url, VisibilityTimeout=300)

    ran = operate("redrive", *options)

    assert ran.status == 1
    assert "1 in flight" in ran.out
    assert operate("redrive", "--json", *options).json()["inFlight"] == 1


def test_a_polite_stop_is_an_interruption(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    unheeded = list[int]()
    before = signal.signal(signal.SIGTERM, lambda number, _frame: unheeded.append(number))
    try:
        calls.before["SendMessage"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        ran = operate("redrive", "--json")
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert (ran.status, ran.json()["sent"]) == (130, 0)
    assert buried(aws) == ["one"], "shown again at once"
    assert unheeded == [signal.SIGTERM], "afterwards it is whose it was"


def test_redrive_sends_what_was_received_too_often_and_leaves_what_is_malformed(aws: Aws, operate: Operate) -> None:
    bury(aws, "one")
    bury(aws, "malformed", "the message is not JSON")

    ran = operate("redrive", "--json")

    assert ran.status == 1, "a letter is left"
    assert (ran.json()["sent"], ran.json()["kept"]) == (1, 1)
    assert bodies(aws) == ["one"]
    assert aws.dead_letters() == {"malformed": "the message is not JSON"}, "it is shown again at once"


def test_redrive_of_all_sends_what_is_malformed_once(aws: Aws, operate: Operate, calls: Calls) -> None:
    """The function refuses it again, while the command still runs: it does not go round."""
    bury(aws, "malformed", "the message is not JSON")
    refusals = iter(range(5))

    def refuse(_answer: object) -> None:
        for _ in islice(refusals, 1):
            bury(aws, "malformed", "the message is not JSON")

    calls.after["DeleteMessage"] = refuse

    ran = operate("redrive", "--all", "--json")

    assert (ran.json()["sent"], ran.json()["kept"]) == (1, 1)
    assert bodies(aws) == ["malformed"]


def test_redrive_dry_run_counts_by_reason_and_changes_nothing(aws: Aws, operate: Operate, calls: Calls) -> None:
    for number in range(12):
        bury(aws, f"m{number}", "the message is not JSON")
    bury(aws, "retried")

    ran = operate("redrive", "--dry-run", "--json")

    assert ran.json()["reasons"] == {"the message is not JSON": 12, "received too often": 1}
    assert not {"SendMessage", "DeleteMessage"} & set(calls.made[13:])
    assert len(buried(aws)) == 10, "as many as one receive gives: all are visible again"


def test_redrive_sends_before_it_deletes(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    calls.fail("DeleteMessage", "ServiceUnavailable", times=9)

    ran = operate("redrive")

    assert ran.status == 1
    assert "injected" in ran.err
    assert bodies(aws) == ["one"]
    assert buried(aws) == ["one"], "twice at worst, never lost"


def test_redrive_that_is_interrupted_says_how_far_it_came(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    bury(aws, "two")

    def interrupt() -> None:
        calls.before["SendMessage"] = _raise_interrupt

    calls.before["SendMessage"] = interrupt
    ran = operate("redrive", "--json")

    assert (ran.status, ran.json()["sent"], ran.json()["notReached"]) == (130, 1, 1)
    assert "nothing is lost" in ran.err
    assert len(bodies(aws)) == len(buried(aws)) == 1


def _raise_interrupt() -> None:
    raise KeyboardInterrupt


def test_redrive_by_sqs_names_the_destination_and_follows_the_task(
    operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive, "_POLL_SECONDS", 0)
    running = {"Results": [{"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1}]}
    completed = {"Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2}]}
    calls.answers["StartMessageMoveTask"] = {"TaskHandle": "task"}
    calls.answers["ListMessageMoveTasks"] = running
    calls.before["ListMessageMoveTasks"] = lambda: calls.before.update(
        ListMessageMoveTasks=lambda: calls.answers.update(ListMessageMoveTasks=completed)
    )

    ran = operate("redrive", "--sqs", "--rate", "20", "--json")

    assert (ran.status, ran.json()["sent"]) == (0, 2)
    started = calls.parameters[calls.made.index("StartMessageMoveTask")]
    assert str(dig(started, "DestinationArn")).endswith(":intake")
    assert str(dig(started, "SourceArn")).endswith(":dead-letters")
    assert dig(started, "MaxNumberOfMessagesPerSecond") == 20


def test_redrive_by_sqs_that_fails_says_why(operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive, "_POLL_SECONDS", 0)
    calls.answers["StartMessageMoveTask"] = {"TaskHandle": "task"}
    calls.answers["ListMessageMoveTasks"] = {"Results": [{"Status": "FAILED", "FailureReason": "AccessDenied"}]}

    ran = operate("redrive", "--sqs")

    assert ran.status == 1
    assert "AccessDenied" in ran.err


def test_redrive_by_sqs_follows_the_task_of_a_run_that_was_interrupted(
    operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive, "_POLL_SECONDS", 0)
    calls.fail("StartMessageMoveTask", "InvalidParameterValue")
    calls.answers["ListMessageMoveTasks"] = {"Results": [{"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1}]}
    completed = {"Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 7}]}
    calls.before["ListMessageMoveTasks"] = lambda: calls.before.update(
        ListMessageMoveTasks=lambda: calls.answers.update(ListMessageMoveTasks=completed)
    )

    ran = operate("redrive", "--sqs", "--json")

    assert (ran.status, ran.json()["sent"]) == (0, 7)


def test_redrive_does_it_itself_where_sqs_cannot(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    calls.fail("StartMessageMoveTask", "InvalidAction")

    assert operate("redrive", "--sqs").status == 0
    assert bodies(aws) == ["one"]


# --- reprocess


def test_reprocess_frees_a_finished_version_and_sends_its_event(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/Köln + Zürich.csv")
    ended(aws, version, REJECTED)

    ran = operate("reprocess", version.key, "--json")

    assert ran.status == 0, ran.err
    item = aws.item(version.key)
    assert item["status"] == "FAILED"
    assert item["reason"] == "reprocess requested"
    assert str(item["reopened_by"]).startswith("arn:aws:")
    assert str(item["status_shard"]).startswith("FAILED#")
    ((body,),) = [bodies(aws)]
    assert parse_uploads(body, BUCKET) == ([version], [])


def test_reprocess_that_dies_in_between_is_taken_up_again(aws: Aws, operate: Operate, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    calls.fail("SendMessage", "KMS.ThrottlingException", times=9)

    broken = operate("reprocess", version.key)
    assert (broken.status, bodies(aws)) == (1, [])
    assert "uploads/a.csv" in broken.err
    assert aws.item(version.key)["status"] == "FAILED", "visible"

    calls.faults.clear()
    assert operate("reprocess", version.key).status == 0
    assert len(bodies(aws)) == 1


@pytest.mark.parametrize("narrowed", [(), ("--status", "REJECTED")])
def test_what_was_reopened_and_not_sent_is_in_its_selection_still(
    aws: Aws, operate: Operate, calls: Calls, narrowed: tuple[str, ...]
) -> None:
    """The catalog said so on an earlier day; a run that dies changes neither that day nor what is asked for."""
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, REJECTED, at=LONG_AGO)
    selection = ("reprocess", "--day", LONG_AGO.date().isoformat(), *narrowed, "--json")
    calls.before["SendMessage"] = _raise_interrupt

    broken = operate(*selection)

    assert (broken.status, bodies(aws)) == (130, [])
    assert broken.json()["reopenedNotSent"] == [version.key]
    again = operate(*selection)
    assert (again.status, again.json()["reopenedNotSent"]) == (0, [])
    assert again.json()["files"] == [{"key": version.key, "was": "FAILED", "outcome": "sent"}]
    assert len(bodies(aws)) == 1


def test_what_was_reopened_is_sent_though_a_later_version_has_come(aws: Aws, operate: Operate, calls: Calls) -> None:
    first = uploaded(aws, "uploads/a.csv", b"first")
    ended(aws, first, REJECTED)
    calls.fail("SendMessage", "KMS.ThrottlingException", times=9)
    assert "1 reopened and not sent" in operate("reprocess", first.key).out
    calls.faults.clear()
    ended(aws, uploaded(aws, "uploads/a.csv", b"second"), COMPLETED)

    assert operate("reprocess", first.key, "--status", "REJECTED").status == 0

    ((sent,), _) = parse_uploads(bodies(aws)[0], BUCKET)
    assert sent.version_id == first.version_id


def test_the_next_claim_forgets_who_reopened_a_file(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, REJECTED)
    assert operate("reprocess", version.key).status == 0

    ended(aws, version, Outcome(status=Status.FAILED, reason="throttled"))

    assert "reopened_by" not in aws.item(version.key)
    assert operate("reprocess", "uploads/", "--status", "REJECTED").status == 1, "a failure is no file that waits"


def test_reprocess_takes_the_latest_version_unless_told(aws: Aws, operate: Operate) -> None:
    for body in (b"first", b"second"):
        ended(aws, uploaded(aws, "uploads/a.csv", body), COMPLETED)

    assert dig(operate("reprocess", "uploads/a.csv", "--json").json(), "counts", "sent") == 1
    assert dig(operate("reprocess", "uploads/a.csv", "--all-versions", "--json").json(), "counts", "sent") == 2


def test_reprocess_of_a_key_is_not_of_those_that_begin_with_it(aws: Aws, operate: Operate) -> None:
    for key in ("uploads/a", "uploads/ab", "uploads/a/b"):
        ended(aws, uploaded(aws, key), COMPLETED)

    def keys(target: str) -> set[str]:
        files = operate("reprocess", target, "--dry-run", "--json").json()["files"]
        assert isinstance(files, list)
        return {file["key"] for file in files}

    assert keys("uploads/a") == {"uploads/a"}
    assert keys("uploads/a/") == {"uploads/a/b"}
    assert keys("uploads/a*") == {"uploads/a", "uploads/ab", "uploads/a/b"}


def test_reprocess_dry_run_changes_nothing(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)

    ran = operate("reprocess", version.key, "--dry-run")

    assert (ran.status, bodies(aws), aws.item(version.key)["status"]) == (0, [], "COMPLETED")
    assert "to be sent" in ran.out


def test_reprocess_sends_an_upload_that_was_never_seen(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/lost.csv")

    assert operate("reprocess", "uploads/lost.csv").status == 0

    ((sent,), problems) = parse_uploads(bodies(aws)[0], BUCKET)
    assert (sent.version_id, sent.etag, sent.size, problems) == (version.version_id, version.etag, 7, [])


def test_reprocess_leaves_a_file_that_is_being_worked_on(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    now = datetime.now(UTC)

    def claim(seconds: int) -> None:
        deadline = now + timedelta(seconds=seconds)
        worker = Worker(request_id="w", function_name="ingest", attempt=1, started_at=now, deadline=deadline)
        operator_catalog(aws).claim(version, ObjectFacts(), worker)

    claim(60)
    assert (operate("reprocess", version.key).status, bodies(aws)) == (1, [])
    claim(-60)
    assert (operate("reprocess", version.key).status, len(bodies(aws))) == (0, 1), "its claim has lapsed"


def test_reprocess_of_a_day_leaves_what_came_through_the_api(aws: Aws, operate: Operate) -> None:
    request_catalog(aws).store(api_result("api/process/1", Status.COMPLETED))

    ran = operate("reprocess", "--day", datetime.now(UTC).date().isoformat(), "--json")

    assert ran.status == 1, "nothing fits"
    assert operate("status", "--json").json()["requests"]["COMPLETED"] == 1  # type: ignore[index]


def test_reprocess_of_a_day_leaves_what_is_gone(aws: Aws, operate: Operate) -> None:
    """It would become SKIPPED, and what the catalog knows of it would be lost."""
    kept, gone = uploaded(aws, "uploads/kept.csv"), uploaded(aws, "uploads/gone.csv")
    for version in (kept, gone):
        ended(aws, version, COMPLETED)
    aws.s3.delete_object(Bucket=BUCKET, Key=gone.key, VersionId=gone.version_id)

    ran = operate("reprocess", "--day", datetime.now(UTC).date().isoformat(), "--json")

    assert ran.status == 1
    assert ran.json()["counts"] == {"sent": 1, "gone from S3": 1}
    assert aws.item(gone.key)["status"] == "COMPLETED"
    assert operate("reprocess", "--day", "2020-01-01").status == 1, "nothing fits"


def test_reprocess_by_status(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/good.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/bad.csv"), REJECTED)

    ran = operate("reprocess", "uploads/", "--status", "REJECTED", "--json")

    assert ran.json()["files"] == [{"key": "uploads/bad.csv", "was": "REJECTED", "outcome": "sent"}]


def test_a_version_that_changed_meanwhile_is_left(aws: Aws, operate: Operate, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    item = aws.item(version.key)

    def other_operator() -> None:
        assert operator_catalog(aws).reopen(
            version, status=Status.COMPLETED, processed_at=str(item["processed_at"]), by="another"
        )

    calls.before["UpdateItem"] = other_operator
    ran = operate("reprocess", version.key, "--json")

    assert ran.json()["counts"] == {"changed meanwhile": 1}
    assert aws.item(version.key)["reopened_by"] == "another"


def test_only_a_final_status_is_reopened(aws: Aws) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, Outcome(status=Status.FAILED, reason="throttled"))
    at = str(aws.item(version.key)["processed_at"])

    assert not operator_catalog(aws).reopen(version, status=Status.FAILED, processed_at=at, by="again")
    assert aws.item(version.key)["reason"] == "throttled"


# --- why


def test_why_tells_all_versions_the_latest_and_the_dead_letter(aws: Aws, operate: Operate) -> None:
    first, second = uploaded(aws, "uploads/a b.csv", b"1"), uploaded(aws, "uploads/a b.csv", b"2")
    ended(aws, first, Outcome(status=Status.COMPLETED, results={"records_valid": 3, "processed_key": "processed/a"}))
    ended(aws, second, REJECTED)
    bury(aws, created_event(second, REGION, sender="test"))
    bury(aws, created_event(uploaded(aws, "uploads/other.csv"), REGION, sender="test"))

    ran = operate("why", "uploads/a b.csv", "--json")

    assert ran.status == 1, "it has a dead letter"
    versions = ran.json()["versions"]
    assert isinstance(versions, list)
    assert [(v["version_id"], v["status"], v["is_latest"], v["in_s3"]) for v in versions] == [
        (second.version_id, "REJECTED", True, True),
        (first.version_id, "COMPLETED", False, True),
    ]
    assert "request-1" in versions[0]["logs"]
    assert "/aws/lambda/file-pipeline-dev-ingest" in versions[0]["logs"]
    assert [letter["reason"] for letter in ran.json()["dead_letters"]] == ["received too often"]  # type: ignore[attr-defined]
    assert len(buried(aws)) == 2, "looked at, not taken"
    text = operate("why", "uploads/a b.csv").out
    assert "processed: s3://landing-bucket/processed/a" in text
    assert "file has no" in text


def test_why_finds_the_delivery_that_was_put_aside(aws: Aws, operate: Operate, delivery_letters: str) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    for key in (version.key, "uploads/other.csv"):
        letter = {"delivery_id": "0" * 32, "body": json.dumps({"key": key}), "reason": "the endpoint answered 400"}
        aws.sqs.send_message(QueueUrl=delivery_letters, MessageBody=json.dumps(letter))
    record = {"dynamodb": {"NewImage": {"key": {"S": version.key}}}}
    aws.sqs.send_message(QueueUrl=delivery_letters, MessageBody=json.dumps({"record": record, "reason": "no status"}))

    ran = operate("why", version.key, "--json")

    letters = ran.json()["dead_letters"]
    assert isinstance(letters, list)
    assert (ran.status, {letter["reason"] for letter in letters}) == (1, {"the endpoint answered 400", "no status"})


def test_why_is_not_sure_of_letters_that_it_did_not_see(
    aws: Aws, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    bury(aws, "one")
    assert operate("why", "uploads/a.csv").status == 0
    bury(aws, "two")
    monkeypatch.setattr(why, "PEEKED_LETTERS", 1)

    ran = operate("why", "uploads/a.csv")

    assert ran.status == 1
    assert "About 1 dead letters were not looked at" in ran.out
    assert operate("why", "uploads/a.csv", "--json").json()["dead_letters_not_seen"] == 1


def test_numbers_are_numbers_in_json(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv", b"12345"), COMPLETED)

    (version,) = cast("list[dict[str, object]]", operate("why", "uploads/a.csv", "--json").json()["versions"])

    assert (version["size"], version["attempt"]) == (5, 1)


def test_a_key_cannot_write_over_the_screen(aws: Aws, operate: Operate) -> None:
    key = "uploads/a\x9b2J\u202e.csv"
    ended(aws, uploaded(aws, key), REJECTED)

    ran = operate("why", key)

    assert "uploads/a\\x9b2J\\u202e.csv" in ran.out
    assert not {"\x9b", "\u202e"} & set(ran.out)
    assert not {"\x9b", "\u202e"} & set(operate("why", key + "none").out)
    assert not {"\x9b", "\u202e"} & set(operate("reprocess", key, "--dry-run").out)


def test_why_of_a_finished_file_is_well(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    assert operate("why", "uploads/a.csv").status == 0


def test_why_finds_versions_that_s3_has_no_more(aws: Aws, operate: Operate) -> None:
    for body in (b"1", b"2"):
        version = uploaded(aws, "uploads/a.csv", body)
        ended(aws, version, COMPLETED)
        aws.s3.delete_object(Bucket=BUCKET, Key=version.key, VersionId=version.version_id)

    def seen(*options: str) -> list[bool]:
        versions = operate("why", "uploads/a.csv", "--json", *options).json()["versions"]
        assert isinstance(versions, list)
        return [version["is_latest"] for version in versions]

    assert seen() == [True], "the latest is known anyway"
    assert seen("--search") == [True, False]


def test_why_says_that_a_key_is_deleted(aws: Aws, operate: Operate) -> None:
    """Its version is there, and a delete marker hides it: nobody sees it in a listing."""
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/a.csv.gz"), COMPLETED)
    assert operate("why", "uploads/a.csv", "--json").json()["deleted"] is False
    aws.s3.delete_object(Bucket=BUCKET, Key="uploads/a.csv")

    ran = operate("why", "uploads/a.csv")

    assert ran.status == 0
    assert "a delete marker hides its versions" in ran.out
    assert operate("why", "uploads/a.csv", "--json").json()["deleted"] is True


def test_why_reads_no_further_than_its_key(aws: Aws, operate: Operate, calls: Calls) -> None:
    for number in range(3):
        uploaded(aws, f"uploads/a.csv{number}")
    version = uploaded(aws, "uploads/a.csv")
    page = {"Key": "uploads/a.csv0", "VersionId": "0", "ETag": '""', "Size": 1, "IsLatest": True}
    calls.answers["ListObjectVersions"] = {
        "IsTruncated": True,
        "NextKeyMarker": "uploads/a.csv0",
        "Versions": [
            {**page, "Key": version.key, "VersionId": version.version_id, "LastModified": LONG_AGO},
            {**page, "LastModified": LONG_AGO},
        ],
    }

    ran = operate("why", version.key, "--json")

    assert ran.json()["not_in_catalog"] == [version.version_id]
    assert calls.made.count("ListObjectVersions") == 1


def test_why_of_an_unknown_file_says_so(operate: Operate) -> None:
    ran = operate("why", "uploads/nothing.csv")

    assert ran.status == 1
    assert "Nothing is known of uploads/nothing.csv" in ran.out


def test_why_shows_an_upload_without_an_item(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/lost.csv")

    ran = operate("why", "uploads/lost.csv", "--json")

    assert (ran.status, ran.json()["not_in_catalog"]) == (1, [version.version_id])


# --- rotate-secret


@pytest.mark.parametrize(
    ("value", "options", "username"),
    [
        pytest.param('{"username": "u", "password": "p", "signing_key": "k", "note": "n"}', (), "u", id="whole"),
        pytest.param('{"username": "u"}', ("--username", "v"), "v", id="another"),
        pytest.param("not JSON", ("--username", "v"), "v", id="broken"),
        pytest.param("[]", (), None, id="no object"),
        pytest.param('{"user": "u"}', (), None, id="no username"),
    ],
)
def test_a_secret_is_rotated_if_it_has_or_gets_a_username(
    operate: Operate, value: str, options: tuple[str, ...], username: str | None
) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="secret", SecretString=value)["ARN"]
    add_output("secretArn", arn)

    ran = operate("rotate-secret", *options)

    after = client.get_secret_value(SecretId=arn)["SecretString"]
    if username is None:
        assert (ran.status, after) == (2, value)
        assert "--username NAME gives it one" in ran.err
        return
    renewed = json.loads(after)
    assert (ran.status, renewed["username"]) == (0, username)
    assert len(renewed["password"]) == len(renewed["signing_key"]) == 32
    assert renewed.get("note") == ("n" if "note" in value else None)
    assert not {renewed["password"], renewed["signing_key"]} & set(ran.out.split())


# --- all of them


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "COMMAND"),
        (("nonsense",), "nonsense"),
        (("reprocess",), "required"),
        (("reprocess", "uploads/a", "--day", "2026-11-20"), "not allowed"),
        (("reprocess", "--day", "yesterday"), "should be a day such as 2026-11-20"),
        (("reprocess", "processed/a.csv"), "only what lies under uploads/"),
        (("redrive", "--rate", "0"), "should be a number of messages a second"),
        (("redrive", "--rate", "fast"), "should be a number of messages a second"),
        (("status", "--shards", "-1"), "should be a number of shards"),
        (("status", "--shards", "99999999999"), "from 1 to 200"),
        (("why", "processed/api/1.json"), "only what lies under uploads/"),
        (("why", "api/process/1"), "'api/process/1': is the id of no request"),
        (("end",), "name the ids to end, or --all"),
        (("end", "api/process/1", "--all"), "name the ids to end, or --all"),
        (("rotate-secret",), "it has no secret to rotate"),
        (("status", "--outputs", "/nowhere.json"), "/nowhere.json cannot be read"),
    ],
)
def test_what_is_not_understood_is_said_with_status_2(
    operate: Operate, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = operate(*arguments)

    assert ran.status == 2
    assert complaint in ran.err


def test_an_error_of_aws_is_said_with_status_1(operate: Operate, calls: Calls) -> None:
    calls.fail("GetFunctionConfiguration", "AccessDeniedException")

    ran = operate("status")

    assert (ran.status, ran.out) == (1, "")
    assert "AccessDeniedException" in ran.err


def test_no_colours_and_nothing_but_json_without_a_terminal(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    assert "\x1b[" not in operate("status").out
    assert json.loads(operate("status", "--json").out)


def test_the_pace_is_kept_and_what_was_late_is_not_made_up_for() -> None:
    clock, waits = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waits.append(round(seconds, 6))
        clock[0] += seconds

    pace = Pace(10, now=lambda: clock[0], wait=wait)
    for _ in range(3):
        pace.keep()
    clock[0] += 5
    for _ in range(3):
        pace.keep()

    assert waits == [0.1, 0.1, 0.1]


@pytest.mark.parametrize(
    "text", ["shipments/a.csv", "uploads/shipments/a.csv", f"s3://{BUCKET}/uploads/shipments/a.csv"]
)
def test_a_file_is_named_as_people_name_it(aws: Aws, operate: Operate, text: str) -> None:
    ended(aws, uploaded(aws, "uploads/shipments/a.csv"), COMPLETED)

    assert (operate("why", text).status, operate("why", text, "--json").json()["key"]) == (0, "uploads/shipments/a.csv")
    sent = operate("reprocess", "--dry-run", "--json", text).json()["files"]
    assert sent == [{"key": "uploads/shipments/a.csv", "was": "COMPLETED", "outcome": "to be sent"}]
    assert operate("reprocess", "--dry-run", "--json", text.replace("a.csv", "*")).json()["counts"] == {"to be sent": 1}


@pytest.mark.parametrize("command", ["why", "reprocess"])
def test_a_file_of_another_bucket_is_not_looked_for(operate: Operate, calls: Calls, command: str) -> None:
    ran = operate(command, "s3://another-bucket/uploads/a.csv")

    assert ran.status == 2
    assert f"'s3://another-bucket/uploads/a.csv': this stack's bucket is {BUCKET}" in ran.err
    assert not [name for name in calls.made if name not in {"GetFunctionConfiguration", "CreateQueue"}]


def test_status_does_not_call_refused_files_well(aws: Aws, operate: Operate) -> None:
    """They are nobody's fault here, and they are told all the same."""
    ended(aws, uploaded(aws, "uploads/a.csv"), REJECTED)
    for number in range(2):
        ended(aws, uploaded(aws, f"uploads/{number}.exe"), Outcome(status=Status.SKIPPED, reason="extension"))

    ran = operate("status")

    assert ran.status == 0
    assert "1 REJECTED and 2 SKIPPED, which their senders can put right: `why KEY` gives the reason." in ran.out
    assert "Nothing needs attention." in ran.out
    assert "All is well" not in ran.out


def test_what_is_printed_is_what_is_there(aws: Aws, operate: Operate) -> None:
    """No part of an ARN or a key is taken for an emoji or a style."""
    key = "uploads/[bold]:secret:[/bold].csv"
    ended(aws, uploaded(aws, key), Outcome(status=Status.REJECTED, reason="[red]:warning:"))
    arn = boto3.client("secretsmanager").create_secret(Name="secret", SecretString='{"username": "a"}')["ARN"]
    add_output("secretArn", arn)

    why, rotated = operate("why", key), operate("rotate-secret")

    assert f"{key}, latest" in why.out
    assert "[red]:warning:" in why.out
    assert rotated.out.splitlines()[0] == arn
    assert ":secret:" in arn


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(("key", "expected"), [("uploads/a.csv", 0), ("uploads/b.csv", 1)])
def test_a_reader_that_has_seen_enough_changes_nothing(
    aws: Aws, operate: Operate, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], key: str, expected: int
) -> None:
    """As with ``| head``: the command does all its work, and ends as it would have ended."""
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/b.csv"), Outcome(status=Status.FAILED, reason="throttled"))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        ran = operate("why", key, *options)

    assert (ran.status, ran.err) == (expected, "")

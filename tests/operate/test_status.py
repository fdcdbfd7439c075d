"""``status``: what is counted, and what needs attention."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from shared.catalog.model import ObjectFacts, Outcome, Status, Worker
from tests.declared_stack import dig
from tests.lambda_src.conftest import Aws, Calls
from tests.operate.conftest import (
    COMPLETED,
    LONG_AGO,
    REJECTED,
    SHARDS,
    Operate,
    api_result,
    bury,
    ended,
    operator_catalog,
    request_catalog,
    uploaded,
)


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
    assert "Nothing failed, nothing stuck. Whether each part of the stack is on and connected, `check` says" in ran.out
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
    fifo = {"MessageGroupId": "a", "MessageDeduplicationId": "a"} if url.endswith(".fifo") else {}
    aws.sqs.send_message(QueueUrl=url, MessageBody="a letter", **fifo)  # type: ignore[arg-type]  # texts

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


def test_status_does_not_call_refused_files_well(aws: Aws, operate: Operate) -> None:
    """They are nobody's fault here, and they are told all the same."""
    ended(aws, uploaded(aws, "uploads/a.csv"), REJECTED)
    for number in range(2):
        ended(aws, uploaded(aws, f"uploads/{number}.exe"), Outcome(status=Status.SKIPPED, reason="extension"))

    ran = operate("status")

    assert ran.status == 0
    assert "1 REJECTED and 2 SKIPPED: for their senders to correct; `show KEY` gives the reason." in ran.out
    assert "Nothing failed, nothing stuck." in ran.out


def test_one_message_is_one(aws: Aws, operate: Operate) -> None:
    bury(aws, "nonsense")

    assert "Needs attention: 1 message in the intake dead-letter queue" in operate("status").out

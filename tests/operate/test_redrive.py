"""``redrive``: what is sent again, what stays, and what an interruption leaves."""

from __future__ import annotations

from itertools import islice

import pytest

from operate import redrive
from tests.declared_stack import dig
from tests.lambda_src.conftest import Aws, Calls
from tests.operate.conftest import (
    Operate,
    Ran,
    bodies,
    buried,
    bury,
    raise_interrupt,
)


def intake(ran: Ran) -> dict[str, object]:
    """What became of the intake's messages."""
    return part(ran, "intake")


def part(ran: Ran, queue: str) -> dict[str, object]:
    found = dig(ran.json(), "queues", queue)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_redrive_says_that_letters_are_hidden(aws: Aws, operate: Operate, options: tuple[str, ...]) -> None:
    bury(aws, "one")
    aws.sqs.receive_message(QueueUrl=aws.dead_letter_url, VisibilityTimeout=300)

    ran = operate("redrive", *options)

    assert ran.status == 1
    assert "1 in flight" in ran.out
    assert intake(operate("redrive", "--json", *options))["inFlight"] == 1


def test_redrive_sends_what_was_received_too_often_and_leaves_what_is_malformed(aws: Aws, operate: Operate) -> None:
    bury(aws, "one")
    bury(aws, "malformed", "the message is not JSON")

    ran = operate("redrive", "--json")

    assert ran.status == 1, "a letter is left"
    assert (intake(ran)["sent"], intake(ran)["kept"]) == (1, 1)
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

    assert (intake(ran)["sent"], intake(ran)["kept"]) == (1, 1)
    assert bodies(aws) == ["malformed"]


def test_redrive_dry_run_counts_by_reason_and_changes_nothing(aws: Aws, operate: Operate, calls: Calls) -> None:
    for number in range(12):
        bury(aws, f"m{number}", "the message is not JSON")
    bury(aws, "retried")

    ran = operate("redrive", "--dry-run", "--json")

    assert intake(ran)["reasons"] == {"the message is not JSON": 12, "received too often": 1}
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
        calls.before["SendMessage"] = raise_interrupt

    calls.before["SendMessage"] = interrupt
    ran = operate("redrive", "--json")

    assert (ran.status, intake(ran)["sent"], intake(ran)["notReached"]) == (130, 1, 1)
    assert "nothing is lost" in ran.err
    assert len(bodies(aws)) == len(buried(aws)) == 1


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

    assert (ran.status, intake(ran)["sent"]) == (0, 2)
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

    assert (ran.status, intake(ran)["sent"]) == (0, 7)


def test_redrive_does_it_itself_where_sqs_cannot(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    calls.fail("StartMessageMoveTask", "InvalidAction")

    assert operate("redrive", "--sqs").status == 0
    assert bodies(aws) == ["one"]

"""Dead-letter messages while they are worked on: none is given out that others may see soon."""

from __future__ import annotations

import pytest

from operate.dead_letters import HIDDEN_SECONDS, DeadLetters
from tests.lambda_src.conftest import Aws, Calls
from tests.operate.conftest import buried, bury
from tests.operate.test_redrive_delivery import bury_delivery


@pytest.mark.parametrize("fifo", [False, True], ids=["intake", "delivery"])
def test_a_message_is_given_out_soon_after_its_receive_however_long_each_takes(
    aws: Aws, calls: Calls, delivery_letters: str, fifo: bool
) -> None:
    for number in range(5):
        if fifo:
            bury_delivery(aws, delivery_letters, f"m{number}", "a")
        else:
            bury(aws, f"m{number}")
    now, received_at = [0.0], [0.0]
    given = list[str]()

    def receive() -> None:
        received_at[0] = now[0]
        calls.before["ReceiveMessage"] = receive

    calls.before["ReceiveMessage"] = receive
    url = delivery_letters if fifo else aws.dead_letter_url
    with DeadLetters(aws.sqs, url, complain=pytest.fail, now=lambda: now[0]) as dead:
        for message in dead.take():
            assert now[0] - received_at[0] <= HIDDEN_SECONDS / 2
            now[0] += HIDDEN_SECONDS / 3
            given.append(message.body)
            dead.delete(message)

    assert sorted(given) == [f"m{number}" for number in range(5)]
    assert given == sorted(given) or not fifo


def test_a_limit_counts_what_is_given_out(aws: Aws, calls: Calls) -> None:
    for number in range(5):
        bury(aws, f"m{number}")
    now = [0.0]

    with DeadLetters(aws.sqs, aws.dead_letter_url, complain=pytest.fail, now=lambda: now[0]) as dead:
        for message in dead.take(4):
            now[0] += HIDDEN_SECONDS
            dead.delete(message)

    assert calls.made.count("DeleteMessage") == 4
    assert len(buried(aws)) == 1, "what was not given out is shown again at once"


def test_what_is_left_is_found_behind_all_that_is_visible_again_after_a_long_while(aws: Aws, calls: Calls) -> None:
    names = [f"m{number}" for number in range(300)]
    kept = [names[start : start + 10] for start in range(0, 300, 10)]
    receives = iter([*kept, *kept, ["last"], []])

    def receive() -> None:
        messages = [{"MessageId": name, "ReceiptHandle": name, "Body": name} for name in next(receives)]
        calls.answers["ReceiveMessage"] = {"Messages": messages}
        calls.before["ReceiveMessage"] = receive

    calls.before["ReceiveMessage"] = receive
    calls.answers["ChangeMessageVisibilityBatch"] = {}

    with DeadLetters(aws.sqs, aws.dead_letter_url, complain=pytest.fail) as dead:
        given = [message.body for message in dead.take()]

    assert given == [*names, "last"]

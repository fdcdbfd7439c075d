"""How long a message waits between its tries, and when it was tried long enough."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from components.delivery import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, receives
from delivery.credentials import LIFETIME_SECONDS, StoredCredentials
from delivery.retries import RetryBudget
from shared import clients
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import (
    Delivering,
    change,
    declared_environment,
    hours_ago,
    import_handler,
)

BUDGET = RetryBudget(
    total=timedelta(hours=6), first_wait_seconds=FIRST_WAIT_SECONDS, longest_wait_seconds=LONGEST_WAIT_SECONDS
)


def waits(calls: Calls) -> list[int]:
    asked = zip(calls.made, calls.parameters, strict=True)
    set_to = [parameters for name, parameters in asked if name == "ChangeMessageVisibility"]
    return [int(one["VisibilityTimeout"]) for one in set_to if isinstance(one, dict)]


@pytest.fixture
def waiting(delivery: Delivering, delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch) -> Delivering:
    """The delivery with the waits that the program declares."""
    monkeypatch.setenv("FIRST_WAIT_SECONDS", declared_environment(delivering)["FIRST_WAIT_SECONDS"])
    import_handler(monkeypatch)
    return delivery


@pytest.mark.parametrize("tries", [1, 2, 3, 9, 10, 11, 80, 1000])
def test_waits_double_up_to_the_longest_and_are_never_shorter_than_planned(tries: int) -> None:
    planned = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (tries - 1))

    for _ in range(50):
        assert planned <= BUDGET.wait_seconds(tries, None) <= 1.25 * planned + 1


@pytest.mark.parametrize(("asked", "given"), [(20.0, 20), (290.0, 290), (86_400.0, LONGEST_WAIT_SECONDS)])
def test_a_wait_that_the_endpoint_asks_for_is_given_up_to_the_longest(asked: float, given: int) -> None:
    assert BUDGET.wait_seconds(1, asked) == given


@pytest.mark.parametrize("retry_seconds", [10, 60, 21_600, 86_400])
def test_receives_outlast_the_budget(retry_seconds: int) -> None:
    """The function gives up first, with a reason; SQS's count is for what kills it."""
    count = receives(retry_seconds)
    budget = RetryBudget(total=timedelta(seconds=retry_seconds), first_wait_seconds=1, longest_wait_seconds=300)

    waited = sum(budget.wait_seconds(tries, None) for tries in range(1, count))

    assert waited >= retry_seconds
    assert count <= 1000, "SQS's own limit"


def test_a_message_that_failed_is_hidden_and_holds_up_its_own_file_alone(waiting: Delivering, calls: Calls) -> None:
    waiting.forward(change(1), change(1, version_id={"S": "v2"}), change(2), change(3))
    waiting.receiver.will_answer(503, Retry_After="60")

    for _ in range(5):
        waiting.deliver()

    assert waits(calls) == [60]
    assert [arrival.payload["key"] for arrival in waiting.receiver.arrivals] == ["uploads/2.csv", "uploads/3.csv"]
    assert waiting.waiting() == 2


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(waiting: Delivering, calls: Calls, form: str) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=120)
    waiting.forward(change())
    waiting.receiver.will_answer(429, Retry_After="120" if form == "seconds" else format_datetime(moment, usegmt=True))

    assert waiting.deliver() == 1
    ((wait,),) = [waits(calls)]
    assert 110 < wait <= 120


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "Fri, 99 Nov 2026 08:00:00 GMT"])
def test_a_retry_after_that_means_nothing_is_not_waited_for(waiting: Delivering, calls: Calls, value: str) -> None:
    waiting.forward(change())
    waiting.receiver.will_answer(503, Retry_After=value)

    waiting.deliver()

    assert waits(calls) == [1]


def test_a_wait_that_cannot_be_set_loses_nothing(waiting: Delivering, calls: Calls) -> None:
    waiting.forward(change())
    waiting.receiver.will_answer(503)
    calls.fail("ChangeMessageVisibility", "ServiceUnavailable", status=503)

    assert waiting.deliver() == 1
    assert waiting.waiting() == 1


def test_what_was_tried_long_enough_is_dead_lettered_and_frees_its_file(delivery: Delivering) -> None:
    delivery.forward(change(1), change(1, version_id={"S": "v2"}))
    delivery.receiver.will_answer(503, 503)

    assert delivery.deliver(first_tried=hours_ago(5.9)) == 1
    assert delivery.deliver(first_tried=hours_ago(6.01)) == 0
    assert delivery.deliver() == 0

    (letter,) = delivery.dead_letters()
    assert letter.attributes == {"reason": "the endpoint answered 503; tried for 6:00:00", "status": "503"}
    assert json.loads(letter.body)["key"] == "uploads/1.csv"
    assert [arrival.payload["version_id"] for arrival in delivery.receiver.arrivals] == ["v2"]


def test_what_is_old_is_still_delivered_if_it_can_be(delivery: Delivering) -> None:
    delivery.forward(change())

    assert delivery.deliver(first_tried=hours_ago(100)) == 0
    assert len(delivery.receiver.taken()) == 1


def test_without_an_answer_the_reason_says_so_and_there_is_no_status(delivery: Delivering) -> None:
    delivery.forward(change())
    delivery.receiver.will_hang_up()

    assert delivery.deliver(first_tried=hours_ago(7)) == 0

    (letter,) = delivery.dead_letters()
    assert set(letter.attributes) == {"reason"}
    assert letter.reason.startswith("no answer: ")


def test_the_secret_is_kept_for_its_lifetime(delivery: Delivering) -> None:
    moments = iter([0.0, LIFETIME_SECONDS - 1, LIFETIME_SECONDS, LIFETIME_SECONDS])
    secret = StoredCredentials(clients.secretsmanager, delivery.secret_arn, now=lambda: next(moments))
    first = secret.credentials()
    delivery.rotate()

    assert secret.credentials() == first
    assert secret.credentials() != first


def test_the_clock_of_the_queue_is_read_in_milliseconds(delivery: Delivering) -> None:
    """A message that was received first just now is not spent, whatever unit is mistaken for another."""
    delivery.forward(change())
    delivery.receiver.will_answer(503)

    assert delivery.deliver(first_tried=time.time()) == 1
    assert delivery.dead_letters() == []

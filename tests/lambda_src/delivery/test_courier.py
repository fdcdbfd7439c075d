"""How long one invocation tries, and how it waits: on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from delivery.courier import Courier, Ending, LaterError, Limits, OutOfTimeError
from delivery.credentials import LIFETIME_SECONDS, Secret
from delivery.dead_letters import DeadLetters
from delivery.endpoint import Endpoint
from delivery.events import Delivery
from shared import clients
from tests.lambda_src.delivery.conftest import Delivering

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LIMITS = Limits.of(max_age_seconds=3600, patience_seconds=15, timeout_seconds=10, reserve_seconds=10)


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []

    def timestamp(self) -> float:
        return self.now.timestamp()

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


def courier(delivery: Delivering, clock: Clock) -> Courier:
    return Courier(
        Endpoint(delivery.receiver.url, timeout_seconds=1, now=clock.timestamp),
        Secret(clients.secretsmanager, delivery.secret_arn),
        DeadLetters(clients.sqs, delivery.queue_url),
        LIMITS,
        now=lambda: clock.now,
        wait=clock.wait,
    )


def finished(changed_at: datetime = START) -> Delivery:
    return Delivery(id="d1", object_id="landing/a#1", status="COMPLETED", body="{}", changed_at=changed_at)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bring(delivery: Delivering, clock: Clock) -> Callable[[Delivery], Ending]:
    """Bring one delivery in an invocation of a minute. The receiver's clock is the test's too."""
    delivery.receiver.now = clock.timestamp
    return lambda one: courier(delivery, clock).start_round(timedelta(seconds=60)).bring(one)


def test_it_is_tried_again_with_growing_waits_until_it_is_taken(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending]
) -> None:
    delivery.receiver.will_answer(500, 503, 502)

    assert bring(finished()) is Ending.SENT

    assert len(delivery.receiver.taken()) == 1
    assert [wait >= least for wait, least in zip(clock.waits, (0.25, 0.5, 1.0), strict=True)] == [True] * 3
    assert sum(clock.waits) < 15


def test_patience_ends_and_the_invocation_is_spent_before_it_hands_back(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending]
) -> None:
    """Handed back sooner it would come again at once, and its retries would be over long before its age."""
    delivery.receiver.will_answer(*[500] * 50)

    with pytest.raises(LaterError) as raised:
        bring(finished())

    assert not isinstance(raised.value, OutOfTimeError)
    assert clock.now - START == timedelta(seconds=15)
    assert 3 < len(delivery.receiver.asked) < 20


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured_within_the_invocation(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending], form: str
) -> None:
    value = "12" if form == "seconds" else format_datetime(START + timedelta(seconds=12), usegmt=True)
    delivery.receiver.will_answer(429, Retry_After=value)

    assert bring(finished()) is Ending.SENT
    assert clock.waits == [12.0]


def test_a_longer_retry_after_is_left_to_the_next_invocation(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending]
) -> None:
    delivery.receiver.will_answer(503, Retry_After="3600")

    with pytest.raises(LaterError):
        bring(finished())

    assert len(delivery.receiver.asked) == 1
    assert clock.now - START == timedelta(seconds=15)


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "Fri, 99 Nov 2026 08:00:00 GMT"])
def test_a_retry_after_that_means_nothing_is_not_waited_for(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending], value: str
) -> None:
    delivery.receiver.will_answer(503, Retry_After=value)

    assert bring(finished()) is Ending.SENT
    assert sum(clock.waits) < 1


def test_too_old_is_put_aside_without_waiting(
    delivery: Delivering, clock: Clock, bring: Callable[[Delivery], Ending]
) -> None:
    delivery.receiver.will_answer(500)

    assert bring(finished(START - timedelta(seconds=3601))) is Ending.DEAD_LETTERED

    assert clock.waits == []
    assert [letter["delivery_id"] for letter in delivery.letters()] == ["d1"]


def test_no_try_begins_that_may_not_end_in_time(delivery: Delivering, clock: Clock) -> None:
    """3 s to connect, 10 s for an answer, 10 s in reserve: with 30 s left, tries begin in the first 7."""
    delivery.receiver.will_answer(*[500] * 50)
    work = courier(delivery, clock).start_round(timedelta(seconds=30))

    with pytest.raises(LaterError):
        work.bring(finished())
    assert clock.now - START == timedelta(seconds=7)

    clock.wait(0.001)
    with pytest.raises(OutOfTimeError):
        work.bring(finished())


def test_the_secret_is_kept_for_its_lifetime(delivery: Delivering) -> None:
    moments = iter([0.0, LIFETIME_SECONDS - 1, LIFETIME_SECONDS, LIFETIME_SECONDS])
    secret = Secret(clients.secretsmanager, delivery.secret_arn, now=lambda: next(moments))
    first = secret.credentials()
    delivery.rotate()

    assert secret.credentials() == first
    assert secret.credentials() != first


def test_credentials_do_not_show_what_they_hold(delivery: Delivering) -> None:
    credentials = Secret(clients.secretsmanager, delivery.secret_arn).credentials()

    assert repr(credentials) == "Credentials(username='admin')"

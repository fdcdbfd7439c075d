"""Brings deliveries to the endpoint: which answers are final, which are tried again, and for how long."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from delivery.credentials import SecretUnusableError
from delivery.endpoint import CONNECT_SECONDS, UnreachableError
from shared.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from delivery.credentials import Secret
    from delivery.dead_letters import DeadLetters
    from delivery.endpoint import Answer, Endpoint
    from delivery.events import Delivery

UNAUTHORIZED: Final = 401
PASSING: Final = frozenset({408, 429})
"""Answers below 500 that a later try may change."""

_FIRST_WAIT_SECONDS: Final = 0.25
_LONGEST_WAIT_SECONDS: Final = 8.0


class Ending(StrEnum):
    """How a delivery ended."""

    SENT = "sent"
    DEAD_LETTERED = "dead-lettered"


class RefusedError(Exception):
    """The endpoint answered in a way that no retry changes."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the endpoint answered {status}")
        self.status = status


class PassingError(Exception):
    """One try failed, and a later one may not.

    Parameters
    ----------
    reason
        What happened.
    status
        The HTTP status, if one came.
    retry_after
        Seconds that the endpoint asked for, if it did.
    """

    def __init__(self, reason: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after


class LaterError(Exception):
    """The delivery is neither sent nor put aside: it goes back, with all that follow."""


class OutOfTimeError(LaterError):
    """Too little of the invocation is left for a try. Nothing is wrong with the delivery."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a delivery is tried.

    Parameters
    ----------
    max_age
        Age from which one more try is the last.
    patience
        How much of an invocation may be spent on tries that fail. Then the delivery goes back to the stream.
    reserve
        What an invocation keeps for itself; a try is not begun unless it can end before.
    """

    max_age: timedelta
    patience: timedelta
    reserve: timedelta

    @classmethod
    def of(cls, *, max_age_seconds: int, patience_seconds: int, timeout_seconds: int, reserve_seconds: int) -> Limits:
        """Put the limits together from settings; `timeout_seconds` is what one try may wait for its answer."""
        return cls(
            max_age=timedelta(seconds=max_age_seconds),
            patience=timedelta(seconds=patience_seconds),
            reserve=timedelta(seconds=CONNECT_SECONDS + timeout_seconds + reserve_seconds),
        )


class Courier:
    """Brings deliveries to the endpoint, and those that cannot arrive to the dead letters.

    Parameters
    ----------
    endpoint, secret, dead_letters
        Where they go, with whose credentials, and where else.
    limits
        How long they are tried.
    now, wait
        The clock, and how seconds are waited.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret,
        dead_letters: DeadLetters,
        limits: Limits,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.secret = secret
        self.dead_letters = dead_letters
        self.limits = limits
        self.now = now
        self.wait = wait

    def start_round(self, remaining: timedelta) -> Round:
        """Begin an invocation that has `remaining` time left."""
        return Round(self, self.now(), remaining)


class Round:
    """One invocation's work. Made by `Courier.start_round`."""

    def __init__(self, courier: Courier, begin: datetime, remaining: timedelta) -> None:
        self._courier = courier
        self._last_begin = begin + remaining - courier.limits.reserve
        self._patience_ends = min(begin + courier.limits.patience, self._last_begin)
        self._down = False

    def bring(self, delivery: Delivery) -> Ending:
        """Send a delivery, or put it aside if that is refused or comes too late.

        Raises
        ------
        LaterError
            If it is neither sent nor put aside: it must come again, before any that follows.
        """
        try:
            return self._send_or_refuse(delivery)
        except PassingError as error:
            if self._is_too_old(delivery):
                return self._put_aside(delivery, f"{error}, until it was too old", error.status)
            logger.warning("handed back", extra={**_details(delivery), "reason": str(error)})
            raise LaterError(delivery.id) from error

    def try_once(self, delivery: Delivery) -> None:
        """Send a delivery that was put aside before; it stays where it is unless this succeeds.

        Raises
        ------
        RefusedError, PassingError
            If it was not taken.
        OutOfTimeError
            If too little of the invocation is left.
        """
        self._post(delivery)

    def put_aside(self, put: Callable[[], None]) -> None:
        """Put something aside.

        Raises
        ------
        LaterError
            If the queue cannot be reached.
        """
        try:
            put()
        except (BotoCoreError, ClientError) as error:
            logger.exception("the dead-letter queue cannot be reached")
            self._wait_out()
            raise LaterError(str(error)) from error

    def _send_or_refuse(self, delivery: Delivery) -> Ending:
        """Try until it is sent or refused, or patience is at its end: then raises the last PassingError."""
        tries = 0
        while True:
            if self._down and self._is_too_old(delivery):
                raise PassingError("the delivery before it failed too")
            try:
                self._post(delivery)
            except RefusedError as error:
                return self._put_aside(delivery, str(error), error.status)
            except PassingError as error:
                tries += 1
                if self._is_too_old(delivery) or not self._wait_for_next(tries, error.retry_after):
                    self._down = error.status is None  # it did not even answer: nor will it to the next
                    raise
            else:
                self._down = False
                return Ending.SENT

    def _post(self, delivery: Delivery) -> None:
        """Try once; with fresh credentials once more, if the endpoint does not know the ones that we kept."""
        answer = self._ask(delivery, fresh=False)
        if answer.status == UNAUTHORIZED:
            answer = self._ask(delivery, fresh=True)
        if 200 <= answer.status < 300:  # noqa: PLR2004 - success, as HTTP has it
            return
        if answer.status >= 500 or answer.status in PASSING:  # noqa: PLR2004 - the server's fault, as HTTP has it
            reason = f"the endpoint answered {answer.status}"
            raise PassingError(reason, status=answer.status, retry_after=answer.retry_after)
        raise RefusedError(answer.status)

    def _ask(self, delivery: Delivery, *, fresh: bool) -> Answer:
        if self._courier.now() > self._last_begin:
            raise OutOfTimeError(delivery.id)
        try:
            credentials = self._courier.secret.credentials(fresh=fresh)
        except (BotoCoreError, ClientError, SecretUnusableError) as error:
            raise PassingError(f"the secret cannot be read: {type(error).__name__}: {error}") from error
        try:
            return self._courier.endpoint.post(delivery, credentials)
        except UnreachableError as error:
            raise PassingError(str(error)) from error

    def _put_aside(self, delivery: Delivery, reason: str, status: int | None) -> Ending:
        self.put_aside(lambda: self._courier.dead_letters.put(delivery, reason, status))
        logger.error("dead-lettered", extra={**_details(delivery), "reason": reason})
        return Ending.DEAD_LETTERED

    def _wait_for_next(self, tries: int, retry_after: float | None) -> bool:
        """Wait before the next try; false if there is none in this invocation."""
        backoff = random.uniform(0.5, 1) * min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**tries)  # noqa: S311 - jitter
        seconds = max(backoff, retry_after or 0.0)
        if self._courier.now() + timedelta(seconds=seconds) > self._patience_ends:
            self._wait_out()
            return False
        self._courier.wait(seconds)
        return True

    def _wait_out(self) -> None:
        """Spend what patience is left: what goes back comes again at once, and its retries are counted."""
        seconds = (self._patience_ends - self._courier.now()).total_seconds()
        if seconds > 0:
            self._courier.wait(seconds)

    def _is_too_old(self, delivery: Delivery) -> bool:
        return (
            delivery.changed_at is not None and self._courier.now() - delivery.changed_at > self._courier.limits.max_age
        )


def _details(delivery: Delivery) -> dict[str, str]:
    return {"delivery_id": delivery.id, "object_id": delivery.object_id, "status": delivery.status}

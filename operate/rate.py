"""Doing something at most so often a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

DEFAULT_RATE: Final = 50.0
_MIN_RATE: Final = 0.1
"""A message that was received waits for its turn, and is hidden from others for a few minutes only."""

_MAX_RATE: Final = 500.0
"""What SQS's own redrive allows (API reference, StartMessageMoveTask)."""


def _check(_type: object, rate: float) -> None:
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise ValueError(f"Should be at least {_MIN_RATE:g} and at most {_MAX_RATE:g} messages a second.")


Rate: TypeAlias = Annotated[float, Parameter(validator=_check)]
"""Messages a second, as an option of a command."""


class RateLimiter:
    """Keeps a rate.

    Parameters
    ----------
    rate
        Times a second.
    now, sleep
        The clock, and how seconds are waited.
    """

    def __init__(
        self,
        rate: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / rate
        self._now = now
        self._sleep = sleep
        self._next = now()

    def wait(self) -> None:
        """Wait until it is time again."""
        early = self._next - self._now()
        if early > 0:
            self._sleep(early)
        # Time that was lost is not made up for: the rate holds in every second.
        self._next = max(self._next, self._now() - self._interval) + self._interval

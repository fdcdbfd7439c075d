"""Doing something at most so often a second."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Keeps a rate.

    Parameters
    ----------
    rate
        Times a second.
    now, wait
        The clock, and how seconds are waited.
    """

    def __init__(
        self,
        rate: float,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / rate
        self._now = now
        self._wait = wait
        self._next = now()

    def keep(self) -> None:
        """Wait until it is time again."""
        early = self._next - self._now()
        if early > 0:
            self._wait(early)
        # What was late is not made up for: the rate holds in every second.
        self._next = max(self._next, self._now() - self._interval) + self._interval

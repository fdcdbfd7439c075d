"""How long a message waits for its next try, and when it was tried long enough."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_JITTER = 0.25


@dataclass(frozen=True, kw_only=True)
class RetryBudget:
    """How long a message is tried, counted from its first try.

    Parameters
    ----------
    total
        For how long; a message that fails after that is dead-lettered.
    first_wait_seconds, longest_wait_seconds
        The wait after the first try, which doubles with each try, and where it stops to grow.
    """

    total: timedelta
    first_wait_seconds: int
    longest_wait_seconds: int

    def is_spent(self, first_tried_at: datetime, now: datetime) -> bool:
        """Tell whether a message that failed now was tried long enough."""
        return now - first_tried_at >= self.total

    def wait_seconds(self, tries: int, retry_after: float | None) -> int:
        """Return how long to wait after so many tries, in whole seconds.

        Parameters
        ----------
        tries
            Tries so far.
        retry_after
            Seconds that the endpoint asked for; at most the longest wait is given.
        """
        # Never shorter than what the queue's maxReceiveCount was derived from: receives must outlast the budget.
        doubled = min(self.longest_wait_seconds, self.first_wait_seconds << min(tries - 1, self._doublings))
        jitter = random.uniform(1, 1 + _JITTER)  # noqa: S311 - so that not all come back at once
        return round(max(doubled * jitter, min(retry_after or 0.0, self.longest_wait_seconds)))

    @property
    def _doublings(self) -> int:
        return self.longest_wait_seconds.bit_length()

"""Waiting for what happens elsewhere: until it is there, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

_POLL_SECONDS: Final = 0.05
_Found = TypeVar("_Found")


def wait_for(look: Callable[[], _Found | None], *, timeout_seconds: float = 60) -> _Found | None:
    """Return the first thing that `look` finds; None when the time is up."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()) and time.monotonic() <= deadline:
        time.sleep(_POLL_SECONDS)
    return found


def wait_until(condition: Callable[[], bool], complaint: str, *, timeout_seconds: float = 60) -> None:
    """Return as soon as `condition` holds.

    Raises
    ------
    TimeoutError
        With `complaint`, when the time is up.
    """
    if not wait_for(condition, timeout_seconds=timeout_seconds):
        raise TimeoutError(f"{complaint} after {timeout_seconds:.0f} s")

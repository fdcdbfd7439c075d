"""Waiting for what happens elsewhere: until a condition holds, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_POLL_SECONDS: Final = 0.05


def wait_until(condition: Callable[[], bool], complaint: str, *, timeout_seconds: float = 60) -> None:
    """Return as soon as `condition` holds.

    Raises
    ------
    TimeoutError
        With `complaint`, when the time is up.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} after {timeout_seconds:.0f} s")
        time.sleep(_POLL_SECONDS)

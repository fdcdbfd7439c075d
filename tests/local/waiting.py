"""Waiting for what happens elsewhere: until a condition holds, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], complaint: str, *, timeout_seconds: float = 30) -> None:
    """Return as soon as `condition` holds; fail with `complaint` when the time is up."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)

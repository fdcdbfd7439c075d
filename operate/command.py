"""What commands have in common: exit statuses, how they refuse their arguments, and what an interruption says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

OK: Final = 0
ATTENTION: Final = 1
"""Something failed, or needs attention."""
USAGE: Final = 2
INTERRUPTED: Final = 130
"""As a shell says it: 128 and the number of SIGINT."""


class UsageError(Exception):
    """The arguments make no sense together, or with this stack."""


@contextmanager
def if_interrupted(advice: str) -> Iterator[None]:
    """Have an interruption say `advice`: as a decorator of a command, or around a part of it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(advice) from stop

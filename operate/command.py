"""What commands have in common: exit statuses, how they refuse their arguments, and what an interruption says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cyclopts import App, Parameter

OK: Final = 0
ATTENTION: Final = 1
"""Something failed, or needs attention."""
USAGE: Final = 2
INTERRUPTED: Final = 130
"""As a shell says it: 128 and the number of SIGINT."""


class UsageError(Exception):
    """The arguments make no sense together, or with this stack."""


def command_line(name: str, summary: str, epilogue: str = "") -> App:
    """Make a program whose commands are functions, their docstrings its help; its caller answers for all errors."""
    return App(
        name=name,
        help=summary,
        help_epilogue=epilogue,
        version_flags=(),
        default_parameter=Parameter(negative=(), show_default=lambda value: value or None),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )


@contextmanager
def if_interrupted(advice: str) -> Iterator[None]:
    """Have an interruption say `advice`: as a decorator of a command, or around a part of it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(advice) from stop

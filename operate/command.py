"""What commands have in common: exit statuses, what is said of wrong arguments, and what an interruption says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

from cyclopts import App, CoercionError, CycloptsError, Parameter, UnusedCliTokensError

OK: Final = 0
ATTENTION: Final = 1
"""Something failed, or needs attention."""
USAGE: Final = 2
INTERRUPTED: Final = 130
"""As a shell says it: 128 and the number of SIGINT."""


class UsageError(Exception):
    """The arguments make no sense together, or with this stack."""


_WORDS: Final[dict[object, str]] = {
    int: "a whole number, such as 8",
    float: "a number, such as 50",
    bool: "true or false",
    date: "a day, such as 2026-11-20",
}


def explain_usage(error: Exception) -> str:
    """Return what is wrong with the arguments, in words that need no knowledge of Python."""
    command = " ".join(error.command_chain or ()) if isinstance(error, CycloptsError) else ""
    if isinstance(error, UnusedCliTokensError):
        unused = " ".join(map(repr, error.unused_tokens or ()))
        return f"{command}: too many arguments: {unused}; quote a name that has blanks, or see {command} --help"
    if isinstance(error, CoercionError) and error.token and error.target_type in _WORDS:
        name = error.token.keyword or (error.argument and error.argument.name)
        return f"{name} {error.token.value!r}: should be {_WORDS[error.target_type]}"
    return str(error)


def explain(error: Exception) -> str:
    """Return what AWS says of an error, which may be nothing but the error's name."""
    return str(error).rstrip(": ") or type(error).__name__


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

"""What a command is: one module has one, and ``operate/__main__.py`` lists it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from operate.screen import Screen
from operate.stack_outputs import StackOutputs

WELL: Final = 0
FAILED: Final = 1
"""Something failed, or needs attention."""
USAGE: Final = 2
INTERRUPTED: Final = 130
"""As a shell says it: 128 and the number of SIGINT."""

DEFAULT_RATE: Final = 50.0
_MAX_RATE: Final = 500.0


class UsageError(Exception):
    """The arguments make no sense together, or with this stack."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Parameters
    ----------
    name, summary
        What it is called, and what it does, in a line.
    configure
        Adds its arguments.
    run
        Runs it: arguments, the stack's outputs, the screen; returns the exit status.
    interrupted
        What to know after it was interrupted.
    """

    name: str
    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, StackOutputs, Screen], int]
    interrupted: str = "nothing is lost, run it again to go on"


def add_rate(parser: argparse.ArgumentParser) -> None:
    """Add ``--rate``."""
    parser.add_argument(
        "--rate", type=rate, default=DEFAULT_RATE, metavar="N", help="messages a second at most (default: %(default)g)"
    )


def rate(text: str) -> float:
    """Read a rate: more than 0 and at most 500 a second, as SQS's own redrive allows.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= _MAX_RATE:
        raise argparse.ArgumentTypeError(f"{text!r}: should be a number of messages a second, up to {_MAX_RATE:g}")
    return value

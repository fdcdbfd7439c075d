"""``python -m local demo`` and ``python -m local up``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType
from typing import Final

from rich.console import Console

from local import demo, up

_FILE_WIDTH: Final = 132
"""Columns of what goes to a file or a pipe, which have no width of their own."""


def main() -> int:
    """Run one command; the exit status is non-zero if it did not end well."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole pipeline on one machine.")
    parser.add_argument("command", choices=("demo", "up"), help="demo: run the samples once; up: stand until Ctrl-C")
    command: str = parser.parse_args().command
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # taken down in order, as by Ctrl-C
    os.environ.pop("AWS_PROFILE", None)  # the local cloud has credentials of its own
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH)
    try:
        return demo.run(console) if command == "demo" else up.run(console)
    except KeyboardInterrupt:
        console.print("Interrupted; everything is taken down.")
        return 130


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

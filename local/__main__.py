"""``python -m local demo`` and ``python -m local up``."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from rich.console import Console

from local import demo, up


def main() -> int:
    """Run one command; the exit status is non-zero if it did not end well."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole pipeline on one machine.")
    parser.add_argument("command", choices=("demo", "up"), help="demo: run the samples once; up: stand until Ctrl-C")
    command: str = parser.parse_args().command
    signal.signal(signal.SIGTERM, _interrupt)  # taken down in order, as by Ctrl-C
    console = Console()
    try:
        return demo.run(console) if command == "demo" else up.run(console)
    except KeyboardInterrupt:
        console.print("Interrupted; everything is taken down.")
        return 130


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

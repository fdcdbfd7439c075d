"""``python -m local demo``, ``up`` and ``drill``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType

from components.settings import SettingsError
from local import demo, drill, up
from operate.console import PlainConsole, flush_output


def main() -> int:
    """Run one command; the exit status is non-zero if it did not end well, 2 if it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole pipeline on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    once = commands.add_parser("demo", help="run the samples once")
    once.add_argument(
        "-v", "--verbose", action="store_true", help="show outputs, rejected records, deliveries, answers too"
    )
    commands.add_parser("up", help="stand until Ctrl-C")
    drills = commands.add_parser("drill", help="play faults, and count what became of every file")
    drills.add_argument("names", nargs="*", metavar="NAME", help="which drills, of those that --list shows; none: all")
    drills.add_argument("--list", action="store_true", help="list the drills, and play none")
    drills.add_argument("--seed", type=int, help="of an earlier run, to play it again")
    drills.add_argument("--files", type=int, default=40, help="files of each drill (default: %(default)s)")
    drills.add_argument("--burst", type=int, default=2000, help="files of the burst (default: %(default)s)")
    options = parser.parse_args()
    # Taken down in order, however it is asked; a shell's background jobs are born deaf to SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    os.environ.pop("AWS_PROFILE", None)  # the local cloud has credentials of its own
    console = PlainConsole()
    try:
        if options.command == "drill":
            if options.list:
                return drill.list_drills(console)
            return drill.run(console, options.names, seed=options.seed, files=options.files, burst=options.burst)
        return demo.run(console, verbose=options.verbose) if options.command == "demo" else up.run(console)
    except KeyboardInterrupt:
        console.print("Interrupted; everything is taken down.")
        return 130
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        flush_output()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

"""``python -m local demo``, ``up`` and ``drill``."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, Final

from cyclopts import CycloptsError, Parameter

from components.settings import SettingsError
from local import demo, drill, up
from operate.command import command_line, explain_usage
from operate.console import PlainConsole, flush_output

APP: Final = command_line("python -m local", "The whole pipeline on one machine.")


@APP.command(name="demo")
def _demo(*, verbose: Annotated[bool, Parameter(alias="-v")] = False) -> int:
    """Run the samples once.

    Parameters
    ----------
    verbose
        Show outputs, rejected records, deliveries and answers too.
    """
    return demo.run(PlainConsole(), verbose=verbose)


@APP.command(name="up")
def _up() -> int:
    """Keep the local cloud running until Ctrl-C."""
    return up.run(PlainConsole())


@APP.command(name="drill")
def _drill(
    *names: str,
    listed: Annotated[bool, Parameter(name="--list")] = False,
    seed: int | None = None,
    files: int = 40,
    burst: int = 2000,
) -> int:
    """Inject faults, and count what became of every file.

    Parameters
    ----------
    names
        Names of drills, as --list shows them; none: all.
    listed
        List the drills, and run none.
    seed
        The seed of an earlier run, to repeat it.
    files
        Number of files of each drill.
    burst
        Number of files of the burst.
    """
    console = PlainConsole()
    if listed:
        return drill.list_drills(console)
    return drill.run(console, names, seed=seed, files=files, burst=burst)


def main() -> int:
    """Run one command; the exit status is non-zero if it did not end well, 2 if it cannot run."""
    # Stopped in order by any of these; a shell's background jobs ignore SIGINT from their start.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    os.environ.pop("AWS_PROFILE", None)  # the local cloud has credentials of its own
    try:
        status: int | None = APP(sys.argv[1:])
    except KeyboardInterrupt:
        PlainConsole().print("Interrupted: everything is stopped.")
        return 130
    except (CycloptsError, SettingsError) as error:
        sys.stderr.write(f"{explain_usage(error)}\n")
        return 2
    else:
        return status or 0
    finally:
        flush_output()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

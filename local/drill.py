"""``make drill``: every fault once, or those that are asked for, and a table of what became of the files."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.drills import OVERRIDES, Drill
from local.outcome import DrillOutcome
from local.report import working
from local.stack import local_stack
from operate.console import make_table

_SEED_BITS: Final = 32
_SHOWN_FILES: Final = 20


def list_drills(console: Console) -> int:
    """Print every drill's name and what it does; returns 0."""
    for name, one in Drill.all().items():
        summary = (one.__doc__ or "").partition("\n")[0]
        console.print(f"{name:20} {summary}", highlight=False, markup=False, soft_wrap=True)
    return 0


def run(console: Console, names: Sequence[str], *, seed: int | None, files: int, burst: int) -> int:
    """Run drills.

    Parameters
    ----------
    console
        Where progress and the table are shown.
    names
        Which ones; none: all.
    seed
        Of an earlier run, to play it again; None: another one.
    files, burst
        Files of each drill, and of the burst.

    Returns
    -------
    int
        0 if nothing was lost and nothing was processed twice, 1 if something was, 2 if there is no drill of a name.
    """
    unknown = [name for name in names if name not in Drill.all()]
    if unknown:
        known = ", ".join(Drill.all())
        sys.stderr.write(f"no drill is called {', '.join(map(repr, unknown))}: there are {known}\n")
        return 2
    chosen = secrets.randbits(_SEED_BITS) if seed is None else seed
    again = " ".join([*names, f"--seed {chosen}"])
    console.print(Text(f"Seed {chosen}: `make drill DRILL='{again}'` repeats it"))
    started = time.monotonic()
    outcomes: list[DrillOutcome] = []
    with local_stack(console, overrides=OVERRIDES, keep_state=True) as stack:
        drill = Drill(stack, seed=chosen, size=files, burst_size=burst)
        played = names or list(Drill.all())
        for number, name in enumerate(played, 1):
            with working(console, f"Drill {number} of {len(played)}: {name}"):
                outcomes.append(drill.play(name))
    print_outcomes(console, outcomes)
    failed = sum(not outcome.passed for outcome in outcomes)
    verdict = (f"{failed} failed", "red") if failed else ("nothing lost, nothing processed twice", "green")
    took = f"in {time.monotonic() - started:.0f} s. Seed {chosen}."
    console.print(Text.assemble(f"Drills: {len(outcomes)}, ", verdict, f", {took}"))
    return 1 if failed else 0


def print_outcomes(console: Console, outcomes: Sequence[DrillOutcome]) -> None:
    """Print the table, and of what failed each file that is not right."""
    console.print(_table(outcomes))
    for outcome in outcomes:
        _print_files(console, outcome)


def _print_files(console: Console, outcome: DrillOutcome) -> None:
    if not outcome.files:
        return
    shown = [*outcome.files[:_SHOWN_FILES]]
    if len(outcome.files) > _SHOWN_FILES:
        shown.append(f"and {len(outcome.files) - _SHOWN_FILES} more")
    console.print(Text(f"{outcome.fault}:", "bold red"))
    console.print("\n".join(f"  {line}" for line in shown), highlight=False, markup=False, soft_wrap=True)


def _table(outcomes: Sequence[DrillOutcome]) -> Table:
    columns = (
        "fault",
        "events sent",
        "completed once",
        "rejected",
        "dead-letter messages",
        "lost",
        "processed twice",
        "",
    )
    rows = [
        (
            *(one.fault, one.sent, one.completed, one.rejected, one.dead, one.lost, one.twice),
            Text("right", "green") if one.passed else Text(one.wrong or "wrong", "bold red"),
        )
        for one in outcomes
    ]
    return make_table("Drills", columns, rows)

"""``make drill``: every fault once, and a table of what became of the files."""

from __future__ import annotations

import secrets
import time
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.drills import OVERRIDES, Drill, Outcome
from local.stack import standing_stack

_SEED_BITS: Final = 32


def run(console: Console, *, seed: int | None, files: int, burst: int) -> int:
    """Run every drill.

    Parameters
    ----------
    console
        Where progress and the table are shown.
    seed
        Of an earlier run, to play it again; None: another one.
    files, burst
        Files of each drill, and of the burst.

    Returns
    -------
    int
        0 if nothing was lost and nothing was processed twice, else 1.
    """
    chosen = secrets.randbits(_SEED_BITS) if seed is None else seed
    console.print(f"Seed {chosen}: give it again with DRILL='--seed {chosen}'")
    started = time.monotonic()
    outcomes: list[Outcome] = []
    with standing_stack(console, overrides=OVERRIDES, keep_state=True) as stack:
        drill = Drill(stack, seed=chosen, size=files, burst=burst)
        drills = drill.all()
        for number, one in enumerate(drills, 1):
            name = one.__name__.replace("_", " ")
            with console.status(f"Drill {number} of {len(drills)}: {name}"):
                outcomes.append(drill.play(one))
            console.print(f"{number} of {len(drills)}: {name}")
    console.print(_table(outcomes))
    failed = sum(not outcome.passed for outcome in outcomes)
    verdict = f"[red]{failed} failed" if failed else "[green]nothing lost, nothing processed twice"
    console.print(f"{len(outcomes)} drills, {verdict}[/], in {time.monotonic() - started:.0f} s. Seed {chosen}.")
    return 1 if failed else 0


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="Drills", title_justify="left", title_style="bold")
    table.add_column("fault", overflow="fold")
    for column in ("events sent", "completed once", "rejected", "dead letters", "lost", "processed twice"):
        table.add_column(column, justify="right")
    table.add_column("")
    for outcome in outcomes:
        counts = (outcome.sent, outcome.completed, outcome.rejected, outcome.dead, outcome.lost, outcome.twice)
        verdict = Text("right", "green") if outcome.passed else Text(outcome.wrong or "wrong", "bold red")
        table.add_row(outcome.fault, *(str(count) for count in counts), verdict)
    return table

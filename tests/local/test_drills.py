"""The drills, in short: nothing is lost, nothing is processed twice. `make drill` plays them at full size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from local.drills import OVERRIDES, Drill
from local.stack import standing_stack
from tests.stage_files import STAGES

DRILLS = [
    *("duplicates", "reversed_order", "killed_workers", "throttled_table", "denied_reads", "poison"),
    *("stopped_and_started", "flood", "redrive_after_a_fix"),
]


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    with standing_stack(Console(quiet=True), folder=STAGES, overrides=OVERRIDES, keep_state=True) as stack:
        yield Drill(stack, seed=20261121, size=9, burst=60)


def test_every_drill_is_played(drill: Drill) -> None:
    assert [one.__name__ for one in drill.all()] == DRILLS


@pytest.mark.parametrize("name", DRILLS)
def test_nothing_is_lost_and_nothing_is_processed_twice(drill: Drill, name: str) -> None:
    (one,) = [one for one in drill.all() if one.__name__ == name]

    outcome = drill.play(one)

    assert outcome.passed, outcome
    assert outcome.completed

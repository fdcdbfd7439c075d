"""The drills, in short: nothing is lost, nothing is processed twice. `make drill` plays them at full size."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

import pytest
from rich.console import Console

from local.delivery_drills import DeliveryDrill
from local.drill import print_outcomes
from local.drills import OVERRIDES, Drill
from local.ends import Ends
from local.files import UploadedFile
from local.outcome import audit
from local.stack import local_stack
from local.stack_config import ROOT
from local.waiting import wait_until
from tests.stage_files import STAGES

DRILLS = [
    *("duplicates", "reversed-order", "killed-workers", "throttled-table", "denied-reads", "poison"),
    *("stopped-and-started", "burst", "redrive-after-a-fix", "backlog", "lost-events"),
    *("release-that-cannot-start", "release-that-fails"),
]


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    with local_stack(Console(quiet=True), folder=STAGES, overrides=OVERRIDES, keep_state=True) as stack:
        yield Drill(stack, seed=20261121, size=9, burst_size=60)


def test_every_drill_is_played() -> None:
    assert [*Drill.all()] == [*DRILLS, *DeliveryDrill.all()]


@pytest.mark.parametrize("name", DRILLS)
def test_nothing_is_lost_and_nothing_is_processed_twice(drill: Drill, name: str) -> None:
    outcome = drill.play(name)

    assert outcome.passed, outcome
    assert outcome.completed


def test_a_failure_names_the_files(drill: Drill) -> None:
    """One file that nobody processed, one whose item was written again, one of whose end the stream says nothing."""
    lost = UploadedFile(key="uploads/lost.txt", version_id="1")
    untold, twice = (drill.intake.drop(f"uploads/{name}.txt") for name in ("untold", "twice"))
    wait_until(lambda: drill.intake.waiting() == 0, "the intake queue is not empty")
    drill.stack.emulator.restart()
    ends = Ends(drill.stack)
    items = drill.intake.items()
    for day in ("20", "21"):
        drill.stack.cloud.client("dynamodb").update_item(
            TableName=drill.intake.table,
            Key={"object_id": {"S": str(items[twice]["object_id"])}, "version_id": {"S": twice.version_id}},
            UpdateExpression="SET processed_at = :now",
            ExpressionAttributeValues={":now": {"S": f"2026-11-{day}T00:00:00.000Z"}},
        )

    outcome = audit(drill.intake, ends, "a test of the audit", [lost, untold, twice])
    printed = Console(file=io.StringIO(), width=80)
    print_outcomes(printed, [outcome])

    assert not outcome.passed
    assert (outcome.lost, outcome.twice, outcome.wrong) == (1, 1, "1 ends that the stream does not tell of")
    assert isinstance(printed.file, io.StringIO)
    text = printed.file.getvalue()
    assert "a test of the audit:\n  lost: uploads/lost.txt, version 1, not in the catalog\n" in text
    assert f"  ended more than once: uploads/twice.txt, version {twice.version_id}, COMPLETED\n" in text
    assert f"  end not in the stream: uploads/untold.txt, version {untold.version_id}, COMPLETED\n" in text


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--list"], 0, "burst                Upload many files at once."),
        (["brust"], 2, "no drill is called 'brust': there are duplicates, reversed-order,"),
    ],
)
def test_drills_are_called_by_name(arguments: list[str], status: int, text: str) -> None:
    command = [sys.executable, "-m", "local", "drill", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is ours

    assert done.returncode == status
    assert text in done.stdout + done.stderr

"""Drills of a queue that holds more messages than can be processed at once."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from local.waiting import wait_until

if TYPE_CHECKING:
    from local.drills import Drill
    from local.outcome import DrillOutcome

LARGEST_BYTES: Final = 3_000_000
"""The largest record file that the drills' settings allow: an invocation should be able to read it."""

READ_SECONDS: Final = 1.5
"""How long S3 takes for a file: with it, an invocation has no time for two of the largest."""

_PATIENT_SECONDS: Final = 30

_HEADER: Final = b"shipment_id,status,timestamp\n"
_ROW: Final = b"SHP-%07d,delivered,2026-11-20T08:15:00Z\n"
_LATE: Final = timedelta(seconds=5)
"""How much later the function may run than its metric is written."""

_GAP: Final = _LATE + timedelta(seconds=1)
"""Between the uploads whose events are lost and those that wait: S3 tells the second of an upload."""


def backlog(drill: Drill) -> DrillOutcome:
    """Process a backlog of files of the largest allowed size, gzipped and not, in random order."""
    plain = _HEADER + b"".join(_ROW % number for number in range((LARGEST_BYTES - 100) // len(_ROW % 0)))
    kinds = [(".csv", plain), (".csv.gz", gzip.compress(plain, 1))]
    bodies = [(f"{number:05d}{kinds[number % 2][0]}", kinds[number % 2][1]) for number in range(drill.size)]
    drill.chance.shuffle(bodies)
    with drill.stack.emulator.slow_reads(READ_SECONDS), drill.intake.retried_after(_PATIENT_SECONDS):
        with drill.intake.paused():
            files = [drill.intake.drop(f"uploads/shipments/backlog/{name}", body) for name, body in bodies]
            wait_until(lambda: drill.intake.waiting() == len(files), "not all events have arrived")
        outcome = drill.audit(f"backlog of {len(files)} largest files", files)
    items, claims = drill.intake.items(), drill.ends.claims()
    # On a busy machine a worker may run out of time, and the file is tried again: that costs a receive, rightly.
    untried = [file.key for file in files if items.get(file, {}).get("attempt") != claims[file]]
    return outcome.noting(f"{len(untried)} received without being tried" if untried else "", untried)


def lost_events(drill: Drill) -> DrillOutcome:
    """Lose the events of some files while the queue holds others, and search for them twice."""
    intake = drill.intake
    intake.search()  # a cold start now, so that the metrics put below are not old when they are read
    with intake.paused():
        lost = drill.upload("lost", drill.size)
        wait_until(lambda: intake.waiting() == len(lost), "not all events have arrived")
        dropped = len(intake.take_waiting())
        gone = datetime.now(UTC)
        wait_until(lambda: datetime.now(UTC) - gone > _GAP, "the clock does not move")
        since = datetime.now(UTC)
        waiting = drill.upload("waiting", drill.size)
        wait_until(lambda: intake.waiting() == len(waiting), "not all events have arrived")
        missed = [intake.search(oldest_waits=datetime.now(UTC) - since + _LATE)["missed"] for _ in range(2)]
        queued = intake.waiting()
    outcome = drill.audit("events lost beside a full queue", [*lost, *waiting])
    right = (dropped, missed, queued) == (len(lost), [len(lost), 0], len(lost) + len(waiting))
    latest = all(intake.latest(file.key) == file.version_id for file in lost)
    return outcome.noting("" if right and latest else f"{missed} found of {len(lost)}, {queued} in the queue", [])

"""A burst on the local cloud: how deep the intake is, second by second, and how long a file takes there."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console

from local.drills import OVERRIDES, Drill
from local.files import read_items
from local.report import working
from local.stack import local_stack
from tools.scale.flow import Flow

FILE: Final = Path(__file__).with_suffix(".json")

CONCURRENCY: Final = 2
"""The stage's cap: two functions at once are what two cores can run."""

_FILES: Final = 200
_FIRST: Final = 0.75
"""What is left of a burst when its first quarter has ended."""

_EVERY_SECONDS: Final = 0.5


class Burst(Struct, frozen=True, kw_only=True):
    """What was seen of a burst.

    Parameters
    ----------
    files
        How many were there at once.
    depth
        Files that had not ended yet, by the seconds since the queue was let go.
    """

    files: int
    depth: tuple[tuple[float, int], ...]

    def flow(self) -> Flow:
        """Return the flow that should end so: it knows the pace of the burst's first quarter alone."""
        at, left = next((at, left) for at, left in self.depth if left <= _FIRST * self.files)
        return Flow(
            files=self.files,
            service_seconds=CONCURRENCY * at / (self.files - left),
            concurrency=CONCURRENCY,
            ramp_per_minute=0.0,  # the emulator polls with all of them at once
        )


@cache
def burst() -> Burst:
    """Read what was seen."""
    return msgspec.json.decode(FILE.read_bytes(), type=Burst)


def measure(console: Console) -> Burst:
    """Play a burst on the local cloud.

    Raises
    ------
    TimeoutError
        If a file does not end.
    """
    with local_stack(console, overrides={**OVERRIDES, "maxConcurrency": CONCURRENCY}) as stack:
        drill = Drill(stack, seed=1, size=_FILES, burst_size=_FILES)
        with working(console, "Playing a burst"):
            drill.audit("warm", drill.upload("warm", CONCURRENCY * 5))
            return Burst(files=_FILES, depth=tuple(_drain(drill, "burst", _FILES)))


def _drain(drill: Drill, name: str, count: int) -> list[tuple[float, int]]:
    """Fill the queue while nobody reads it, let it go, and look how many files have not ended."""
    with drill.intake.paused():
        files = drill.upload(name, count)
    begun, depth = time.monotonic(), [(0.0, count)]
    while depth[-1][1]:
        time.sleep(_EVERY_SECONDS)
        items = read_items(drill.stack.cloud, drill.intake.table)
        at = round(time.monotonic() - begun, 2)
        depth.append((at, sum(items.get(file, {}).get("status") != "COMPLETED" for file in files)))
    return depth

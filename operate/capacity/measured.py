"""What files and requests need, as a run on the local cloud counted it: ``measured.json``, written by tools/costs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FILE: Final = Path(__file__).with_suffix(".json")


class Work(Struct, frozen=True, kw_only=True):
    """What one function does for one file or request, on average.

    Parameters
    ----------
    invocations
        How often it is invoked.
    cpu_ms
        CPU time of its process on the machine that measured, in milliseconds: the median of the rounds.
    cpu_spread_ms
        How far the rounds are apart: the most less the least.
    log_bytes
        What it logs, its metrics included, as CloudWatch Logs counts: 26 bytes beside each event (PutLogEvents).
    calls
        Its calls of AWS by ``service.Operation``.
    """

    invocations: float
    cpu_ms: float
    cpu_spread_ms: float = 0.0
    log_bytes: int
    calls: Mapping[str, float]


class Case(Struct, frozen=True, kw_only=True):
    """What one file or request needs.

    Parameters
    ----------
    size
        Bytes of the file; 0 for a request.
    functions
        What each function does, by its purpose.
    write_units
        Write request units of the table, and of each of its indexes by name.
    table_writes
        Writes of the table, a transaction's counted twice: the most that come to one partition.
    read_units
        Read request units.
    stored_bytes
        What it leaves in the table and its indexes, with the 100 bytes that DynamoDB adds to each entry of an index.
    """

    size: int
    functions: Mapping[str, Work]
    write_units: Mapping[str, float]
    table_writes: float
    read_units: float
    stored_bytes: int

    def calls(self, prefix: str) -> float:
        """Count the calls of AWS whose name begins so."""
        works = self.functions.values()
        return sum(count for work in works for name, count in work.calls.items() if name.startswith(prefix))


class Stage(Struct, frozen=True, kw_only=True):
    """A stage as it is shipped.

    Parameters
    ----------
    memory_mb
        Memory of its functions.
    custom_metrics
        Metrics that its functions write, by the function that writes them.
    event_bridge
        Whether each upload is an event of EventBridge too.
    system_logs
        Whether Lambda itself logs the start and the end of each invocation.
    cases
        What was measured, by name.
    """

    memory_mb: int
    custom_metrics: Mapping[str, int]
    event_bridge: bool
    system_logs: bool
    cases: Mapping[str, Case]


class Measured(Struct, frozen=True, kw_only=True):
    """All that was measured.

    Parameters
    ----------
    day, machine
        When and on what.
    stages
        By name.
    """

    day: str
    machine: str
    stages: Mapping[str, Stage]


@cache
def measured() -> Measured:
    """Read what was measured.

    Raises
    ------
    msgspec.ValidationError
        If the file has another shape: measure again.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=Measured)


def write(result: Measured) -> None:
    """Write what was measured, to be committed."""
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(result, order="sorted"), indent=1) + b"\n")

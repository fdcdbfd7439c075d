"""How long a function works on AWS, estimated from the CPU time that was measured elsewhere."""

from __future__ import annotations

from typing import Final

from operate.capacity.measured import Case, Work

CPU_FACTOR: Final = 1.0
"""CPU time of one of Lambda's arm64 processors, as a multiple of what was measured, on a machine that others use too.
An assumption."""

FULL_CPU_MB: Final = 1769
"""Memory with which a function has one whole processor; less has its share (Lambda Developer Guide, Memory)."""

WAIT_MS: Final = {"s3": 25.0, "dynamodb": 8.0, "sqs": 12.0, "secretsmanager": 15.0}
"""What a call of a service waits, in milliseconds: assumptions for calls within a region."""

ENDPOINT_MS: Final = 100.0
"""How long the next system takes to answer a delivery. An assumption."""


def work_ms(purpose: str, work: Work, memory_mb: int) -> float:
    """Return how long a function works on one file or request, in milliseconds, all invocations together.

    Parameters
    ----------
    purpose, work
        The function, and what it does.
    memory_mb
        Its memory.
    """
    share = min(1.0, memory_mb / FULL_CPU_MB)
    waits = sum(WAIT_MS[name.partition(".")[0]] * count for name, count in work.calls.items())
    return work.cpu_ms * CPU_FACTOR / share + waits + (ENDPOINT_MS if purpose == "delivery" else 0.0)


def service_seconds(case: Case, purpose: str, memory_mb: int) -> float:
    """Return how long one execution of a function is busy with one file or request, in seconds."""
    work = case.functions.get(purpose)
    return work_ms(purpose, work, memory_mb) / 1000 if work else 0.0

"""The flow of files as a simulation: arrivals, the intake queue, capped pollers, work, throttled writes, retries."""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import simpy

_STARTING_POLLERS: Final = 5
"""Executions that a mapping begins with (Lambda Developer Guide, Scaling behavior for SQS event source mappings)."""

_Steps: TypeAlias = Generator[simpy.Event, tuple[int, int], None]
"""A process of the simulation; what it waits for may be a message: files, and how often they were received."""

_SEED: Final = 11
_POINTS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A flow, and what it flows through.

    Parameters
    ----------
    files, rate
        How many files come, and how many a second; a rate of 0: all at once.
    service_seconds
        How long an execution works on one file, on average.
    spread
        How much that varies: the standard deviation as a share of the mean.
    concurrency
        The cap at the event source.
    ramp_per_minute
        Executions that are added a minute, from five on; 0: all are there at once.
    writes_per_second, writes_per_file
        What the table takes, and what a file needs; 0: there is no limit.
    throttled
        The share of invocations that Lambda throttles: the message is received again after its visibility.
    visibility_seconds, max_receives
        Of the queue. A message that was received so often is a dead letter.
    lot
        Files that are simulated as one: a million need not be a million events.
    """

    files: int
    rate: float = 0.0
    service_seconds: float
    spread: float = 0.2
    concurrency: int
    ramp_per_minute: float = 300.0
    writes_per_second: float = 0.0
    writes_per_file: float = 0.0
    throttled: float = 0.0
    visibility_seconds: float = 720.0
    max_receives: int = 5
    lot: int = 1


@dataclass(kw_only=True)
class Ended:
    """What became of a flow.

    Attributes
    ----------
    seconds
        When the last file ended, from the first arrival on.
    done, dead
        Files that were processed, and that are dead letters.
    receives
        How often messages were received, all together.
    depth
        Files that wait or are worked on, by seconds.
    """

    seconds: float = 0.0
    done: int = 0
    dead: int = 0
    receives: int = 0
    depth: list[tuple[float, int]] = field(default_factory=list)

    def points(self, most: int = _POINTS) -> list[tuple[float, int]]:
        """Return the depth at no more than `most` times, the first and the last among them."""
        step = max(1, len(self.depth) // most)
        return [*self.depth[:-1:step], *self.depth[-1:]]


def simulate(flow: Flow) -> Ended:
    """Let a flow run until every file has ended; the same flow always ends the same."""
    run = _Run(flow)
    run.environment.process(run.arrive())
    run.environment.process(run.start_pollers())
    run.environment.run(until=run.over)
    return run.ended


class _Run:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.ended = Ended()
        self.environment = simpy.Environment()
        self.over = self.environment.event()
        self._queue = simpy.Store(self.environment)
        self._chance = random.Random(_SEED)  # noqa: S311 - a simulation's
        self._table_free_at = 0.0
        self._lots = -(-flow.files // flow.lot)
        self._left = self._lots
        self._depth = 0

    def arrive(self) -> _Steps:
        for number in range(self._lots):
            size = min(self.flow.lot, self.flow.files - number * self.flow.lot)
            if self.flow.rate:
                yield self.environment.timeout(size / self.flow.rate)
            self._changed(size)
            self._queue.put((size, 0))

    def start_pollers(self) -> _Steps:
        flow, started = self.flow, 0
        first = flow.concurrency if not flow.ramp_per_minute else min(_STARTING_POLLERS, flow.concurrency)
        while started < min(flow.concurrency, self._lots):
            if started >= first:
                yield self.environment.timeout(60 / flow.ramp_per_minute)
            self.environment.process(self._poll())
            started += 1

    def _poll(self) -> _Steps:
        flow = self.flow
        while True:
            size, receives = yield self._queue.get()
            receives += 1
            self.ended.receives += size
            if self._chance.random() < flow.throttled:
                self.environment.process(self._return(size, receives))
                continue
            each = max(0.1, self._chance.gauss(1.0, flow.spread)) * flow.service_seconds
            yield self.environment.timeout(size * each)
            yield self.environment.timeout(self._write_wait(size))
            self.ended.done += size
            self._end(size)

    def _return(self, size: int, receives: int) -> _Steps:
        """Let a message wait until it is visible again, or move it to the dead letters."""
        yield self.environment.timeout(self.flow.visibility_seconds)
        if receives >= self.flow.max_receives:
            self.ended.dead += size
            self._end(size)
        else:
            self._queue.put((size, receives))

    def _write_wait(self, size: int) -> float:
        """Return how long the table makes a write wait: it takes so many a second, and the function tries again."""
        flow = self.flow
        if not flow.writes_per_second:
            return 0.0
        self._table_free_at = max(self._table_free_at, self.environment.now)
        self._table_free_at += size * flow.writes_per_file / flow.writes_per_second
        return self._table_free_at - self.environment.now

    def _end(self, size: int) -> None:
        self._changed(-size)
        self._left -= 1
        if not self._left:
            self.ended.seconds = self.environment.now
            self.over.succeed()

    def _changed(self, size: int) -> None:
        self._depth += size
        depth, now = self.ended.depth, self.environment.now
        if depth and depth[-1][0] == now:
            depth.pop()
        depth.append((now, self._depth))

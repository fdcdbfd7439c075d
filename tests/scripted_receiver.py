"""A receiver that answers as a test tells it to, and then as a receiver should."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from local.delivery_drills import FaultyReceiver
from local.receiver import Arrival, Reply


class ScriptedReceiver(FaultyReceiver):
    """Gives the `script`'s replies first, one for each request."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.script: deque[Callable[[], Reply | None]] = deque()

    def will_answer(self, *statuses: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script += [partial(Reply, status=status, headers=named) for status in statuses]

    def will_hang_up(self, times: int = 1) -> None:
        self.script += [lambda: None] * times

    def receive(self, arrival: Arrival) -> Reply | None:
        if not self.script:
            return super().receive(arrival)
        self.asked.append(arrival)
        return self.script.popleft()()

    def taken(self) -> list[str]:
        """The ids that were taken, in order."""
        return [arrival.delivery_id for arrival in self.arrivals]

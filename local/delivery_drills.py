"""Drills of the delivery: an endpoint that fails one file, and one that is down for a while."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rich.console import Console

from local.ends import Ends
from local.files import UploadedFile, wait_for_attempts
from local.intake import IntakeDriver
from local.outcome import DrillOutcome
from local.receiver import Arrival, Receiver, Reply, listening
from local.stack import LocalStack, local_stack
from local.waiting import wait_until

if TYPE_CHECKING:
    from local.drills import Drill

OVERRIDES: Final[Mapping[str, object]] = {"deliveryRetrySeconds": 10, "deliveryAlarmSeconds": 5}
"""A message is tried for 10 seconds, not for hours: at once and after 1, 3, 7 and 15 seconds."""

MAX_FILES: Final = 8
"""The emulator delivers one message after the other: with more, the last is not sent while the first is tried."""

_VERSIONS: Final = 3
_BODY: Final = b"shipment_id,status,timestamp\nSHP-1,delivered,2026-11-20T08:15:00Z\n"
_WAIT_SECONDS: Final = 120.0


class FaultyReceiver(Receiver):
    """A receiver that can be made to fail.

    Attributes
    ----------
    asked
        All that came, taken or not, in order.
    down
        Whether it takes nothing.
    failing_key
        The key of which it never takes the first message that comes; empty: there is none.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.asked: list[Arrival] = []
        self.down = False
        self.failing_key = ""
        self._failing_id = ""

    @property
    def failing_id(self) -> str:
        """The id of the message that it never takes; empty if it has not come yet."""
        return self._failing_id

    def recover(self) -> None:
        """Take everything from now on."""
        self.down, self.failing_key, self._failing_id = False, "", ""

    def receive(self, arrival: Arrival) -> Reply | None:
        """Fail as payload, or check the request and keep it."""
        self.asked.append(arrival)
        if self.failing_key and not self._failing_id and arrival.payload["key"] == self.failing_key:
            self._failing_id = arrival.delivery_id
        if self.down or (self._failing_id and arrival.delivery_id == self._failing_id):
            return Reply(status=HTTPStatus.SERVICE_UNAVAILABLE)
        return super().receive(arrival)


class DeliveryDrill:
    """A stack that delivers, and the faults of its endpoint.

    Parameters
    ----------
    stack, receiver
        The stack, with `OVERRIDES`, and the endpoint that it delivers to.
    size
        Files of a drill, each uploaded three times; `MAX_FILES` at most.
    """

    def __init__(self, stack: LocalStack, receiver: FaultyReceiver, *, size: int) -> None:
        self._intake = IntakeDriver(stack=stack)
        self._ends = Ends(stack)
        self._receiver = receiver
        self._size = min(size, MAX_FILES)

    @classmethod
    def all(cls) -> Mapping[str, Callable[[DeliveryDrill], DrillOutcome]]:
        """Return every drill by its name."""
        return {"one-file-failing": cls.one_file_failing, "endpoint-down": cls.endpoint_down}

    def one_file_failing(self) -> DrillOutcome:
        """Fail one message of one file for its whole retry time: no other file waits, and then its next ones go on."""
        receiver = self._receiver
        receiver.failing_key = "uploads/failing/0.csv"
        try:
            files = self._upload("failing")
            self._wait(lambda: self._dead_letters() == 1, "the failing message is not dead-lettered")
            failing = receiver.failing_id
            outcome = self._outcome("an endpoint that fails one file", files, dead={failing})
        finally:
            receiver.recover()
        asked = list(receiver.asked)
        last_try = max(n for n, arrival in enumerate(asked) if arrival.delivery_id == failing)
        delayed = [a for a in asked[last_try:] if a.payload["key"] != "uploads/failing/0.csv"]
        tries = sum(arrival.delivery_id == failing for arrival in asked)
        outcome = outcome.noting("" if tries > 2 else f"tried {tries} times only")  # noqa: PLR2004 - so as to wait twice
        return outcome.noting("delayed by another file" if delayed else "", [str(a.payload["key"]) for a in delayed])

    def endpoint_down(self) -> DrillOutcome:
        """Take nothing for a while."""
        receiver = self._receiver
        receiver.down = True
        try:
            files = self._upload("down")
            keys = {file.key for file in files}
            self._wait(
                lambda: keys <= {str(a.payload["key"]) for a in list(receiver.asked)}, "not every file was tried"
            )
        finally:
            receiver.recover()
        return self._outcome("an endpoint that is down for a while", files, dead=set())

    def _upload(self, name: str) -> list[UploadedFile]:
        """Upload every file three times, with the same content: to the catalog that is the same object."""
        self._ends.count()
        del self._receiver.asked[:], self._receiver.arrivals[:]
        files = [
            self._intake.drop(f"uploads/{name}/{number}.csv", _BODY)
            for _ in range(_VERSIONS)
            for number in range(self._size)
        ]
        wait_for_attempts(self._intake.stack.cloud, self._intake.table, files, timeout_seconds=_WAIT_SECONDS)
        return files

    def _outcome(self, fault: str, files: Sequence[UploadedFile], *, dead: set[str]) -> DrillOutcome:
        """Wait until all is delivered, and say what became of it; takes the dead-letter messages."""
        receiver = self._receiver
        expected = set(files)
        self._wait(
            lambda: len({_file(a) for a in list(receiver.arrivals)} & expected) == len(expected) - len(dead),
            "not all is delivered",
        )
        taken = [arrival for arrival in receiver.arrivals if _file(arrival) in expected]
        ids = defaultdict[UploadedFile, set[str]](set)
        for arrival in receiver.asked:
            ids[_file(arrival)].add(arrival.delivery_id)
        lost = expected - {_file(arrival) for arrival in receiver.asked}
        twice = [file for file in expected if len(ids[file]) > 1]
        letters = self._take_dead_letters()
        wrong_order = _out_of_order([file for file in self._ends.in_order() if file in expected], taken, dead)
        outcome = DrillOutcome(
            fault=fault,
            sent=len(files),
            completed=len({_file(arrival) for arrival in taken}),
            rejected=0,
            dead=len(letters),
            lost=len(lost),
            twice=len(twice),
        )
        outcome = outcome.noting("" if letters == dead else f"{letters} dead-lettered, not {dead}")
        return outcome.noting("out of order" if wrong_order else "", wrong_order)

    def _dead_letters(self) -> int:
        return self._intake.count(self._dead_letter_url)

    @property
    def _dead_letter_url(self) -> str:
        return self._intake.stack.outputs["deliveryDeadLetterQueueUrl"]

    def _take_dead_letters(self) -> set[str]:
        return {str(json.loads(message["Body"])["delivery_id"]) for message in self._intake.take(self._dead_letter_url)}

    def _wait(self, condition: Callable[[], bool], complaint: str) -> None:
        wait_until(condition, complaint, timeout_seconds=_WAIT_SECONDS)


def _file(arrival: Arrival) -> UploadedFile:
    return UploadedFile(key=str(arrival.payload["key"]), version_id=str(arrival.payload["version_id"]))


def _out_of_order(written: Sequence[UploadedFile], taken: Sequence[Arrival], dead: set[str]) -> list[str]:
    """Return the keys whose changes arrived in the wrong order, leaving out dead-letter messages."""
    first = list(dict.fromkeys(_file(arrival) for arrival in taken if arrival.delivery_id not in dead))
    arrived = set(first)
    wrong = []
    for key in {file.key for file in written}:
        due = [file for file in written if file.key == key and file in arrived]
        if due != [file for file in first if file.key == key]:
            wrong.append(key)
    return sorted(wrong)


@contextmanager
def _delivering(size: int) -> Iterator[DeliveryDrill]:
    """Start a stack of its own, with an endpoint."""
    with listening(FaultyReceiver) as receiver:
        overrides = {**OVERRIDES, "deliveryEndpoint": receiver.url}
        with local_stack(Console(quiet=True), overrides=overrides) as stack:
            receiver.trust(stack.cloud, stack.outputs["secretArn"])
            yield DeliveryDrill(stack, receiver, size=size)


def one_file_failing(drill: Drill) -> DrillOutcome:
    """Fail one file at the endpoint for its whole retry time."""
    with _delivering(drill.size) as delivery:
        return delivery.one_file_failing()


def endpoint_down(drill: Drill) -> DrillOutcome:
    """Take the endpoint down for a while."""
    with _delivering(drill.size) as delivery:
        return delivery.endpoint_down()

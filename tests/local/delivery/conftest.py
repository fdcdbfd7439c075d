"""A stack of its own that delivers to a receiver of the test's, and what tests do with both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console

from local.delivery_drills import OVERRIDES
from local.files import Item
from local.receiver import listening
from local.stack import local_stack
from local.stack_config import ROOT
from local.waiting import wait_until
from tests.local.conftest import LocalPipeline
from tests.scripted_receiver import ScriptedReceiver
from tests.stage_files import STAGES


@dataclass(frozen=True, kw_only=True)
class Delivered(LocalPipeline):
    """The standing stack with a receiver before it."""

    receiver: ScriptedReceiver

    def told(self, *items: Item) -> None:
        """Wait until the receiver took each of `items`."""
        due = {(item["object_id"], item["version_id"], item["status"]) for item in items}
        wait_until(lambda: due <= self._taken(), "not all were delivered")

    def _taken(self) -> set[tuple[object, object, object]]:
        bodies = [arrival.payload for arrival in list(self.receiver.arrivals)]
        return {(body["object_id"], body["version_id"], body["status"]) for body in bodies}

    @property
    def delivery_queue_url(self) -> str:
        return self.stack.outputs["deliveryQueueUrl"]

    @property
    def delivery_dead_letter_url(self) -> str:
        return self.stack.outputs["deliveryDeadLetterQueueUrl"]

    def delivery_dead_letters(self) -> int:
        return self.count(self.delivery_dead_letter_url)

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator, as a user does."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(  # noqa: S603 - all of it is ours
            [sys.executable, "-m", "operate", *arguments, "--outputs", "-"],
            cwd=ROOT,
            env={**inherited, **self.stack.emulator.environment()},
            input=json.dumps(dict(self.stack.outputs)),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="session")
def delivering() -> Iterator[Delivered]:
    with (
        listening(ScriptedReceiver) as receiver,
        local_stack(
            Console(quiet=True), folder=STAGES, overrides={**OVERRIDES, "deliveryEndpoint": receiver.url}
        ) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
        yield Delivered(stack=stack, receiver=receiver)


@pytest.fixture
def delivered(delivering: Delivered) -> Delivered:
    """The stack, with nothing left of the test before."""
    delivering.drained()
    delivering.receiver.recover()
    delivering.receiver.script.clear()
    wait_until(lambda: delivering.count(delivering.delivery_queue_url) == 0, "the delivery queue is not empty")
    delivering.receiver.arrivals.clear()
    delivering.receiver.asked.clear()
    return delivering

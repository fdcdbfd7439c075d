"""The operator's commands against moto, with the real delivery function behind a Lambda of the test's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import boto3
import pytest

from operate.console import Console
from operate.redeliver import redeliver
from operate.session import Session
from operate.stack_outputs import StackOutputs
from tests.lambda_src.conftest import calls  # noqa: F401 - a fixture
from tests.lambda_src.delivery.conftest import (  # noqa: F401 - fixtures
    Delivering,
    change,
    delivering,
    delivery,
    moto_clients,
    receiver,
)


@dataclass
class LocalLambda:
    """Runs the real handler where Lambda would."""

    call: Callable[[dict[str, object]], object]
    before: list[Callable[[], None]] = field(default_factory=list)
    crash: bool = False
    invocations: int = 0

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, object]:  # noqa: N803 - Lambda's names
        assert FunctionName == "delivery"
        self.invocations += 1
        if self.before:
            self.before.pop(0)()
        if self.crash:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "out of memory"}')}
        return {"Payload": io.BytesIO(json.dumps(self.call(json.loads(Payload))).encode())}


@dataclass(frozen=True, kw_only=True)
class Operating:
    """A stack with dead letters, and its operator."""

    delivery: Delivering
    function: LocalLambda
    outputs: StackOutputs

    def put_aside(self, count: int) -> list[str]:
        """Have deliveries refused; returns their ids, oldest first."""
        self.delivery.receiver.will_answer(*[404] * count)
        # The newest first, since order is the command's to restore. Minutes apart, whatever second it is meanwhile.
        records = [change(number, age_seconds=60 * (count - number)) for number in reversed(range(count))]
        assert self.delivery.invoke(*records) == []
        refused = [arrival.delivery_id for arrival in reversed(self.delivery.receiver.asked)]
        self.delivery.receiver.asked.clear()
        return refused

    def redeliver(self, *, dry_run: bool = False, as_json: bool = False) -> int:
        """Run the command; returns its exit status."""
        return redeliver(dry_run=dry_run, session=Session(outputs=self.outputs, console=Console(as_json=as_json)))

    def waiting(self) -> int:
        """Dead letters that can be received."""
        attributes = self.delivery.sqs.get_queue_attributes(
            QueueUrl=self.delivery.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])


@pytest.fixture
def operating(delivery: Delivering, monkeypatch: pytest.MonkeyPatch) -> Operating:  # noqa: F811 - the fixture
    function = LocalLambda(call=delivery.call)
    real = boto3.client

    def client(service: str, **options: object) -> object:
        return function if service == "lambda" else real(service, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("operate.redeliver.boto3.client", client)
    monkeypatch.setattr("operate.dead_letters._LONG_POLL_SECONDS", 0)
    values = {"deliveryDeadLetterQueueUrl": delivery.queue_url, "deliveryFunctionName": "delivery"}
    return Operating(delivery=delivery, function=function, outputs=StackOutputs(values))

"""The delivery's functions with the environment that the program declares, moto behind, a receiver before them."""

from __future__ import annotations

import copy
import importlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import boto3
import pytest
from moto import mock_aws

from local.receiver import listening
from shared import clients
from tests.conftest import declare
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import FAKE_ENVIRONMENT, MOTO_CONFIG, LambdaContext, load_event
from tests.scripted_receiver import ScriptedReceiver

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

Record: TypeAlias = dict[str, object]

ENDPOINT: Final = "https://receiver.example.com/files"
KEY: Final = "whsec_" + "a2tr" * 11
OTHER_KEY: Final = "whsec_" + "bGxs" * 11
VALUE: Final = {"username": "admin", "password": "x" * 32, "signing_key": KEY}


@pytest.fixture(scope="session")
def delivering() -> DeclaredStack:
    return declare("dev", overrides={"deliveryEndpoint": ENDPOINT})


def declared_environment(stack: DeclaredStack, purpose: str = "delivery") -> dict[str, str]:
    variables = stack.one("Function", f"-{purpose}").part("environment")["variables"]
    assert isinstance(variables, dict)
    return {name: str(value) for name, value in variables.items()}


def change(
    number: int = 0,
    *,
    object_id: str = "",
    status: str = "COMPLETED",
    before: str | None = "PROCESSING",
    **image: Mapping[str, str] | None,
) -> Record:
    """A record of the stream: file `number` came to `status`. An attribute that is None is taken away."""
    record: Record = copy.deepcopy(load_event("dynamodb_stream_modify.json"))
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    new, old = inner["NewImage"], inner["OldImage"]
    for one, its_status in ((new, status), (old, before)):
        one["object_id"] = {"S": object_id or f"landing-bucket/uploads/{number}.csv#1a79a4d60de6718e"}
        one["key"] = {"S": f"uploads/{number}.csv"}
        one["status"] = {"S": its_status}
        for name, value in image.items():
            one[name] = value
            if value is None:
                del one[name]
    if before is None:
        del inner["OldImage"]
        record["eventName"] = "INSERT"
    record["eventID"] = f"event-{number}"
    inner["SequenceNumber"] = str(4421584500000000017450439091 + number)
    return record


def number_of(record: Record) -> str:
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    return str(inner["SequenceNumber"])


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """What lies in the dead-letter queue."""

    body: str
    group: str
    deduplication_id: str
    attributes: Mapping[str, str]

    @property
    def reason(self) -> str:
        return self.attributes["reason"]


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """The two functions, and all that they talk to."""

    receiver: ScriptedReceiver
    sqs: SQSClient
    secretsmanager: SecretsManagerClient
    queue_url: str
    dead_letter_url: str
    secret_arn: str

    def forward(self, *records: Record, function_name: str = "forward") -> list[str]:
        """Hand a batch of the stream over; returns the sequence numbers that are reported as failed."""
        handler = importlib.import_module("forward.handler").handler
        answer = handler(json.loads(json.dumps({"Records": list(records)})), LambdaContext(function_name=function_name))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def deliver(self, *, first_tried: float | None = None, function_name: str = "delivery") -> int:
        """Hand over what can be received, once, a message at a time as Lambda does; returns how many stay.

        Parameters
        ----------
        first_tried
            When the messages were received first, in seconds since 1970; None: as the queue has it.
        """
        received = self.receive()
        return sum(not self.invoke(self.event(message, first_tried), function_name) for message in received)

    def deliver_all(self) -> None:
        """Deliver until nothing is left, as retries do."""
        for _ in range(2000):
            if not self.waiting():
                return
            self.deliver()
        raise AssertionError("it never ends")

    def invoke(self, record: Record, function_name: str = "delivery") -> bool:
        """Hand one message over; returns whether it was done with, and deletes it then."""
        done = not self.call(record, function_name=function_name)
        if done:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=str(record["receiptHandle"]))
        return done

    def call(self, *records: Record, function_name: str = "delivery") -> list[str]:
        """Hand a batch over; returns the ids of the messages that are reported as failed."""
        handler = importlib.import_module("delivery.handler").handler
        answer = handler({"Records": list(records)}, LambdaContext(function_name=function_name))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def receive(self) -> list[MessageTypeDef]:
        """Receive the first message that can be had."""
        return self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    def event(self, message: MessageTypeDef, first_tried: float | None = None) -> Record:
        """A message as Lambda's event source mapping hands it over."""
        attributes: dict[str, str] = {str(name): value for name, value in message["Attributes"].items()}
        if first_tried is not None:
            attributes["ApproximateFirstReceiveTimestamp"] = str(int(first_tried * 1000))
        return {
            **load_event("sqs_message.json"),
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": attributes,
        }

    def waiting(self) -> int:
        """Messages in the delivery queue."""
        counts = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in counts.values())

    def rotate(self, **more: str) -> dict[str, str]:
        """Give the secret another password and key; returns its value. The receiver does not know it yet."""
        value = {**VALUE, "password": "y" * 32, "signing_key": OTHER_KEY, **more}
        self.secretsmanager.put_secret_value(SecretId=self.secret_arn, SecretString=json.dumps(value))
        return value

    def dead_letters(self) -> list[DeadLetter]:
        """What lies in the dead-letter queue, taken out."""
        found = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.dead_letter_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
                given = message.get("MessageAttributes", {})
                found.append(
                    DeadLetter(
                        body=message["Body"],
                        group=message["Attributes"]["MessageGroupId"],
                        deduplication_id=message["Attributes"]["MessageDeduplicationId"],
                        attributes={name: value["StringValue"] for name, value in given.items()},
                    )
                )
        return found


@pytest.fixture(scope="session")
def moto_clients() -> Iterator[tuple[SQSClient, SecretsManagerClient]]:
    """Clients that reach moto, and with keys that open nothing else; making them is what takes long."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in FAKE_ENVIRONMENT.items():
            environment.setenv(name, value)
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield boto3.client("sqs"), boto3.client("secretsmanager")


@pytest.fixture
def receiver() -> Iterator[ScriptedReceiver]:
    with listening(ScriptedReceiver) as one:
        one.expect(VALUE)
        yield one


@pytest.fixture
def delivery(
    receiver: ScriptedReceiver,
    moto_clients: tuple[SQSClient, SecretsManagerClient],
    delivering: DeclaredStack,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Delivering]:
    """The real handlers. There are no waits: a message that failed is visible again at once."""
    sqs, secretsmanager = moto_clients
    with mock_aws(config=MOTO_CONFIG):
        made = Delivering(
            receiver=receiver,
            sqs=sqs,
            secretsmanager=secretsmanager,
            queue_url=_fifo_queue(sqs, "delivery.fifo"),
            dead_letter_url=_fifo_queue(sqs, "delivery-dead-letters.fifo"),
            secret_arn=secretsmanager.create_secret(Name="secret", SecretString=json.dumps(VALUE))["ARN"],
        )
        here = {
            "ENDPOINT_URL": receiver.url,
            "SECRET_ARN": made.secret_arn,
            "QUEUE_URL": made.queue_url,
            "DEAD_LETTER_QUEUE_URL": made.dead_letter_url,
            "ENDPOINT_TIMEOUT_SECONDS": "1",
            "FORBIDDEN_NETWORKS": "[]",  # the receiver is on this machine
            "FIRST_WAIT_SECONDS": "0",
            **FAKE_ENVIRONMENT,
        }
        declared = {**declared_environment(delivering, "forward"), **declared_environment(delivering)}
        for name, value in {**declared, **here}.items():
            monkeypatch.setenv(name, value)
        import_handlers(monkeypatch)
        yield made


def _fifo_queue(sqs: SQSClient, name: str) -> str:
    attributes = {
        "FifoQueue": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
    }
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]  # any of them


def import_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the functions anew, as a cold start does."""
    for client in (clients.sqs, clients.secretsmanager):
        client.cache_clear()
    import_handler(monkeypatch, "forward")
    import_handler(monkeypatch)


def import_handler(monkeypatch: pytest.MonkeyPatch, purpose: str = "delivery") -> None:
    """Import one function anew."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", purpose)
    logging.Logger.manager.loggerDict.pop(purpose, None)  # or it would print where the first test listened
    importlib.reload(importlib.import_module("shared.observability"))
    if purpose == "forward":
        importlib.reload(importlib.import_module("forward.forwarder"))
    importlib.reload(importlib.import_module(f"{purpose}.handler"))


def hours_ago(hours: float) -> float:
    """The time so many hours ago, in seconds since 1970."""
    return time.time() - 3600 * hours

"""The delivery function with the environment that the program declares, moto behind it and a receiver before it."""

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

from delivery import courier
from local.receiver import listening
from shared import clients
from tests.conftest import DeclaredStack, declare
from tests.lambda_src.conftest import FAKE_ENVIRONMENT, MOTO_CONFIG, LambdaContext, load_event
from tests.scripted_receiver import ScriptedReceiver

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

Record: TypeAlias = dict[str, object]
Answer: TypeAlias = dict[str, list[dict[str, str]]]

ENDPOINT: Final = "https://receiver.example.com/files"
VALUE: Final = {"username": "admin", "password": "x" * 32, "signing_key": "k" * 32}


@pytest.fixture(scope="session")
def delivering() -> DeclaredStack:
    return declare("dev", overrides={"deliveryEndpoint": ENDPOINT})


def declared_environment(stack: DeclaredStack) -> dict[str, str]:
    variables = stack.one("Function", "-delivery").part("environment")["variables"]
    assert isinstance(variables, dict)
    return {name: str(value) for name, value in variables.items()}


def change(
    number: int = 0,
    *,
    object_id: str = "",
    status: str = "COMPLETED",
    before: str | None = "PROCESSING",
    age_seconds: float = 0,
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
    inner["SequenceNumber"] = str(4421584500000000017450439091 + number)
    inner["ApproximateCreationDateTime"] = time.time() - age_seconds
    return record


def number_of(record: Record) -> str:
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    return str(inner["SequenceNumber"])


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """The function, and all that it talks to."""

    receiver: ScriptedReceiver
    sqs: SQSClient
    secretsmanager: SecretsManagerClient
    queue_url: str
    secret_arn: str

    def invoke(self, *records: Record, context: LambdaContext | None = None) -> list[str]:
        """Hand over a batch; returns the sequence numbers that are reported as failed."""
        answer = self.call({"Records": list(records)}, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def send_again(self, *letters: Mapping[str, object], context: LambdaContext | None = None) -> list[dict[str, str]]:
        return self.call({"letters": list(letters)}, context)["results"]

    def call(self, event: dict[str, object], context: LambdaContext | None = None) -> Answer:
        handler = importlib.import_module("delivery.handler").handler
        answer: Answer = handler(json.loads(json.dumps(event)), context or LambdaContext())
        return answer

    def rotate(self) -> dict[str, str]:
        """Give the secret another password; returns its value. The receiver does not know it yet."""
        value = {**VALUE, "password": "y" * 32, "signing_key": "l" * 32}
        self.secretsmanager.put_secret_value(SecretId=self.secret_arn, SecretString=json.dumps(value))
        return value

    def letters(self) -> list[dict[str, object]]:
        """What lies in the dead-letter queue, taken out."""
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in received]


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
    """The real handler. It has no patience: a failure that can pass goes back at once."""
    sqs, secretsmanager = moto_clients
    with mock_aws(config=MOTO_CONFIG):
        made = Delivering(
            receiver=receiver,
            sqs=sqs,
            secretsmanager=secretsmanager,
            queue_url=sqs.create_queue(QueueName="delivery-dead-letters")["QueueUrl"],
            secret_arn=secretsmanager.create_secret(Name="secret", SecretString=json.dumps(VALUE))["ARN"],
        )
        here = {
            "ENDPOINT_URL": receiver.url,
            "SECRET_ARN": made.secret_arn,
            "DEAD_LETTER_QUEUE_URL": made.queue_url,
            "ENDPOINT_TIMEOUT_SECONDS": "1",
            "FORBIDDEN_NETWORKS": "[]",  # the receiver is on this machine
            "PATIENCE_SECONDS": "0",
            "POWERTOOLS_TRACE_DISABLED": "true",
            **FAKE_ENVIRONMENT,
        }
        for name, value in {**declared_environment(delivering), **here}.items():
            monkeypatch.setenv(name, value)
        import_handler(monkeypatch)
        yield made


def import_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the function anew, as a cold start does."""
    logging.Logger.manager.loggerDict.pop("delivery", None)  # or it would print where the first test listened
    for client in (clients.sqs, clients.secretsmanager):
        client.cache_clear()
    observability = importlib.reload(importlib.import_module("shared.observability"))
    # Not imported anew: a test's own import must name the same errors.
    monkeypatch.setattr(courier, "logger", observability.logger)
    importlib.reload(importlib.import_module("delivery.handler"))

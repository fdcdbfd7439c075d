"""One stack on one local cloud, with IAM and TLS enforced, for all end-to-end tests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest
from rich.console import Console

from local.files import Item, UploadedFile, read_items, upload, wait_for_final
from local.stack import LocalStack, standing_stack
from tests.local.waiting import wait_until

WAIT_SECONDS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The standing stack, and what tests do with it."""

    stack: LocalStack

    @property
    def bucket(self) -> str:
        return self.stack.outputs["bucketName"]

    @property
    def table(self) -> str:
        return self.stack.outputs["tableName"]

    @property
    def queue_url(self) -> str:
        return self.stack.outputs["queueUrl"]

    @property
    def dead_letter_url(self) -> str:
        return self.stack.outputs["deadLetterQueueUrl"]

    def drop(self, key: str, body: bytes = b"content") -> UploadedFile:
        """Upload through S3's own API."""
        return upload(self.stack.cloud, self.bucket, key, body, "text/plain")

    def final(self, *files: UploadedFile) -> list[Item]:
        """Wait until the files have a final status."""
        items = wait_for_final(self.stack.cloud, self.table, files, timeout_seconds=WAIT_SECONDS)
        assert set(items) == set(files), "not all have a final status"
        return [items[file] for file in files]

    def item(self, file: UploadedFile) -> Item | None:
        return read_items(self.stack.cloud, self.table).get(file)

    def latest(self, key: str) -> str:
        item = self.stack.cloud.dynamodb.get_item(
            TableName=self.table, Key={"object_id": {"S": f"latest:{self.bucket}/{key}"}, "version_id": {"S": "latest"}}
        )["Item"]
        return item["latest_version_id"]["S"]

    def waiting(self) -> int:
        """Messages in the intake queue, in flight or not."""
        return self.count(self.queue_url)

    def dead_letters(self) -> int:
        return self.count(self.dead_letter_url)

    def drained(self) -> None:
        """Wait until the intake queue is empty."""
        wait_until(lambda: self.waiting() == 0, "the intake queue is not empty")

    def take_dead_letters(self) -> dict[str, str]:
        """Body → reason of every dead letter, which is removed."""
        found: dict[str, str] = {}
        sqs = self.stack.cloud.sqs
        while messages := sqs.receive_message(
            QueueUrl=self.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                reason = message.get("MessageAttributes", {}).get("reason", {"StringValue": ""})
                found[message["Body"]] = reason["StringValue"]
                sqs.delete_message(QueueUrl=self.dead_letter_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def send(self, body: str) -> None:
        """Send a message past S3, as an operator does who sends a dead letter again."""
        self.stack.cloud.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let messages wait in the queue."""
        lambda_ = self.stack.cloud.lambda_
        (mapping,) = lambda_.list_event_source_mappings(FunctionName=self.stack.outputs["ingestFunctionName"])[
            "EventSourceMappings"
        ]
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def waiting_messages(self) -> list[str]:
        """Read what waits, without taking it. Only while paused."""
        sqs = self.stack.cloud.sqs
        messages = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in messages.get("Messages", [])]

    @contextmanager
    def retried_at_once(self) -> Iterator[None]:
        """Make a failed message visible again after a second, not after six time-outs."""
        sqs = self.stack.cloud.sqs
        before = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=self.queue_url, Attributes={"VisibilityTimeout": "1"})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=self.queue_url, Attributes=before)

    @contextmanager
    def denied(self, *actions: str) -> Iterator[None]:
        """Deny the ingest role some actions."""
        iam, role = self.stack.cloud.iam, self.role()
        deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=json.dumps(deny))
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="deny")

    def role(self) -> str:
        """The name of the ingest function's role."""
        function = self.stack.cloud.lambda_.get_function(FunctionName=self.stack.outputs["ingestFunctionName"])
        return function["Configuration"]["Role"].rpartition("/")[2]

    def count(self, url: str) -> int:
        """Messages in a queue, in flight or not."""
        counts = self.stack.cloud.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        return sum(int(count) for count in counts.values())


@pytest.fixture(scope="session")
def standing() -> Iterator[Pipeline]:
    with standing_stack(Console(quiet=True)) as stack:
        yield Pipeline(stack=stack)


@pytest.fixture
def pipeline(standing: Pipeline) -> Pipeline:
    """The stack, with nothing left in its queues by the test before."""
    standing.drained()
    standing.take_dead_letters()
    return standing


Probe = Callable[[str, str, dict[str, object]], str]

_PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        getattr(client, event["operation"])(**event["parameters"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""


def make_probe(pipeline: Pipeline, purpose: str) -> Probe:
    """Try one call of AWS under the role of a function; answers ``allowed`` or the error code."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", _PROBE)
    lambda_ = pipeline.stack.cloud.lambda_
    function = pipeline.stack.outputs[f"{purpose}FunctionName"]
    role = lambda_.get_function(FunctionName=function)["Configuration"]["Role"]
    name = f"probe-{purpose}"
    lambda_.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="probe.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )

    def attempt(service: str, operation: str, parameters: dict[str, object]) -> str:
        event = {"service": service, "operation": operation, "parameters": parameters}
        answer = lambda_.invoke(FunctionName=name, Payload=json.dumps(event))
        result: str = json.loads(answer["Payload"].read())
        assert isinstance(result, str), result
        return result

    return attempt


@pytest.fixture(scope="session")
def probe(standing: Pipeline) -> Probe:
    """The ingest function's role."""
    return make_probe(standing, "ingest")


@pytest.fixture(scope="session")
def api_probe(standing: Pipeline) -> Probe:
    """The API function's role."""
    return make_probe(standing, "api")


def statuses(items: Collection[Item]) -> list[object]:
    return [item["status"] for item in items]

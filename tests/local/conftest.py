"""One stack on one local cloud, with IAM and TLS enforced, for all end-to-end tests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from rich.console import Console

from local.files import Item, UploadedFile, wait_for_attempts
from local.intake import IntakeDriver
from local.stack import local_stack
from local.waiting import wait_until
from tests.stage_files import STAGES

WAIT_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class LocalPipeline(IntakeDriver):
    """The standing stack, and what tests do with it."""

    def final(self, *files: UploadedFile) -> list[Item]:
        """Wait until the files have a final status."""
        items = wait_for_attempts(self.stack.cloud, self.table, files, timeout_seconds=WAIT_SECONDS)
        assert set(items) == set(files), "not every file was attempted"
        return [items[file] for file in files]

    def item(self, file: UploadedFile) -> Item | None:
        return self.items().get(file)

    def drained(self) -> None:
        """Wait until the intake queue is empty."""
        wait_until(lambda: self.waiting() == 0, "the intake queue is not empty")

    def waiting_messages(self) -> list[str]:
        """Read what waits, without taking it. Only while paused."""
        sqs = self.stack.cloud.client("sqs")
        messages = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in messages.get("Messages", [])]


@pytest.fixture(scope="session")
def standing() -> Iterator[LocalPipeline]:
    with local_stack(Console(quiet=True), folder=STAGES) as stack:
        yield LocalPipeline(stack=stack)


@pytest.fixture
def pipeline(standing: LocalPipeline) -> LocalPipeline:
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


def make_probe(pipeline: LocalPipeline, purpose: str) -> Probe:
    """Try one call of AWS under the role of a function; answers ``allowed`` or the error code."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("probe.py", _PROBE)
    lambda_ = pipeline.stack.cloud.client("lambda")
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
def probe(standing: LocalPipeline) -> Probe:
    """The ingest function's role."""
    return make_probe(standing, "ingest")


@pytest.fixture(scope="session")
def api_probe(standing: LocalPipeline) -> Probe:
    """The API function's role."""
    return make_probe(standing, "api")


def statuses(items: Collection[Item]) -> list[object]:
    return [item["status"] for item in items]

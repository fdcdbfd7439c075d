"""The commands on moto: the same bucket, queues and table as the function's tests, and the function that they ask."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import boto3
import pytest
from msgspec import to_builtins

from operate.__main__ import main
from operate.session import LIVE
from shared.catalog.model import ApiResult, ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.requests import RequestWriter
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from tests.conftest import ACCOUNT
from tests.lambda_src.conftest import BUCKET, Aws, Calls, aws, aws_clients, calls, catalog_settings  # noqa: F401 - fixtures

SHARDS = 4
COMPLETED = Outcome(status=Status.COMPLETED)
LONG_AGO = datetime(2026, 3, 1, 12, tzinfo=UTC)
REJECTED = Outcome(status=Status.REJECTED, reason="file has no records")


def raise_interrupt() -> None:
    raise KeyboardInterrupt


def operator_table(aws: Aws, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CatalogTable:  # noqa: F811
    return CatalogTable(aws.dynamodb, catalog_settings(aws.table, shards=SHARDS), now)


def operator_catalog(aws: Aws, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CatalogWriter:  # noqa: F811
    return CatalogWriter(operator_table(aws, now))


def request_catalog(aws: Aws, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> RequestWriter:  # noqa: F811
    return RequestWriter(operator_table(aws, now))


def uploaded(aws: Aws, key: str, body: bytes = b"content") -> ObjectVersion:  # noqa: F811
    """Put an object, and say which version that is."""
    answer = aws.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return ObjectVersion(
        bucket=BUCKET,
        key=key,
        version_id=answer["VersionId"],
        etag=answer["ETag"].strip('"'),
        size=len(body),
        sequencer=f"{datetime.now(UTC).timestamp() * 1e6:018.0f}",
        event_name="ObjectCreated:Put",
        event_time="2026-11-20T08:15:30.123Z",
    )


def ended(
    aws: Aws,  # noqa: F811
    version: ObjectVersion,
    outcome: Outcome,
    at: datetime | None = None,
) -> None:
    """Let the catalog say how a version ended, and that it was `at` a moment; None: now."""
    now = at or datetime.now(UTC)
    worker = Worker(
        request_id="request-1", function_name="ingest", attempt=1, started_at=now, deadline=now + timedelta(seconds=60)
    )
    operator_catalog(aws, lambda: now).record(version, ObjectFacts(size=version.size), outcome, worker)


def api_result(object_id: str, status: Status, deadline: datetime | None = None) -> ApiResult:
    """Records that came through the API, in the hands of a worker that ends at `deadline`; None: now."""
    return ApiResult(
        object_id=object_id,
        content_sha256="0",
        bucket=BUCKET,
        key="processed/record_type=shipment/day=2026-11-20/api-1-0.ndjson.gz",
        size=1,
        received_at=datetime(2026, 11, 20, 8, 15, tzinfo=UTC),
        uploaded_by="ada",
        function_name="api",
        request_id="r",
        duration_ms=1,
        deadline=deadline or datetime.now(UTC),
        outcome=Outcome(status=status),
    )


def bodies(aws: Aws) -> list[str]:  # noqa: F811
    """What waits in the intake queue."""
    messages = aws.sqs.receive_message(QueueUrl=aws.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in messages.get("Messages", [])]


def buried(aws: Aws) -> list[str]:  # noqa: F811
    """The dead-letter messages that can be seen now, ten at most."""
    messages = aws.sqs.receive_message(QueueUrl=aws.dead_letter_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in messages.get("Messages", [])]


def bury(aws: Aws, body: str, reason: str = "") -> None:  # noqa: F811
    """Put a dead-letter message."""
    attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    aws.sqs.send_message(QueueUrl=aws.dead_letter_url, MessageBody=body, MessageAttributes=attributes)  # type: ignore[arg-type]


class Ran:
    """What a command answered."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    def json(self) -> dict[str, object]:
        result: dict[str, object] = json.loads(self.out)
        return result


class Operate(Protocol):
    """Runs a command."""

    def __call__(self, *arguments: str) -> Ran: ...


@pytest.fixture
def operate(
    aws: Aws,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operate:
    """Run a command against the stack on moto."""
    monkeypatch.setattr("operate.dead_letters._LONG_POLL_SECONDS", 0)  # what is there, is there at once
    arn = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    outputs = {
        "bucketName": BUCKET,
        "tableName": aws.table,
        "queueUrl": aws.queue_url,
        "queueArn": arn,
        "deadLetterQueueUrl": aws.dead_letter_url,
        "ingestFunctionName": _function(aws.table),
        "apiFunctionName": "file-pipeline-dev-api",
        "keptVersions": "2",
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs))
    monkeypatch.setenv("PIPELINE_OUTPUTS", str(file))

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(arguments)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.fixture
def delivery_letters(aws: Aws, operate: Operate) -> str:  # noqa: F811
    """The URL of the delivery's dead-letter queue: the stack delivers."""
    del operate
    fifo = {"FifoQueue": "true"}
    url = aws.sqs.create_queue(QueueName="delivery-dead-letters.fifo", Attributes=fifo)["QueueUrl"]  # type: ignore[arg-type]
    queue = aws.sqs.create_queue(QueueName="delivery.fifo", Attributes=fifo)["QueueUrl"]  # type: ignore[arg-type]
    arn = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for name, value in {"DeadLetterQueueUrl": url, "QueueUrl": queue, "QueueArn": arn}.items():
        add_output(f"delivery{name}", value)
    return url


def add_output(name: str, value: str) -> None:
    """Give the stack one more output, or another."""
    file = Path(os.environ["PIPELINE_OUTPUTS"])
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))


def _function(table: str) -> str:
    """Make the ingest function, for its environment alone."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("handler.py", "")
    name = "file-pipeline-dev-ingest"
    settings = to_builtins(catalog_settings(table, shards=SHARDS))
    variables = {key.upper(): str(value) for key, value in settings.items() if key != "aws_region"}
    iam = boto3.client("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    lambda_ = boto3.client("lambda")
    lambda_.create_function(
        FunctionName=name,
        Publish=True,
        Role=f"arn:aws:iam::{ACCOUNT}:role/role",
        Runtime="python3.13",
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {**variables, "UPLOADS_PREFIX": "uploads/"}},
    )
    lambda_.create_alias(FunctionName=name, Name=LIVE, FunctionVersion="1")
    return name


__all__: Sequence[str] = ("Aws", "Calls")

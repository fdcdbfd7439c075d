"""A landing bucket, an intake queue and a catalog table as the program declares them, on moto."""

from __future__ import annotations

import importlib
import json
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from urllib.parse import quote_plus

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.config import DefaultConfig

from local.cloud import Cloud
from local.services import dynamodb
from local.services.base import Inputs
from shared import clients
from shared.catalog.table import latest_key, plain
from shared.settings import CatalogSettings
from tests.conftest import ACCOUNT, REGION
from tests.declared_stack import DeclaredStack, dig

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

EVENTS: Final = Path(__file__).parents[1] / "events"
BUCKET: Final = "landing-bucket"
FAKE_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
MOTO_CONFIG: Final[DefaultConfig] = {"core": {"reset_boto3_session": False}}
"""One session for all tests: a new one reads megabytes of descriptions of services for its first client."""

Item: TypeAlias = dict[str, object]


def load_event(name: str) -> dict[str, object]:
    event: dict[str, object] = json.loads((EVENTS / name).read_text())
    return event


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """What Lambda tells a function of its invocation."""

    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    remaining_ms: Callable[[], int] = lambda: 60_000
    function_name: str = "file-pipeline-dev-ingest"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:file-pipeline-dev-ingest"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms()


Handler: TypeAlias = Callable[[dict[str, object], LambdaContext], dict[str, list[dict[str, str]]]]


@dataclass(frozen=True, kw_only=True)
class Aws:
    """The stack's resources on moto."""

    s3: S3Client
    sqs: SQSClient
    dynamodb: DynamoDBClient
    table: str
    queue_url: str
    dead_letter_url: str

    def put(self, key: str, body: bytes = b"content", **options: str) -> dict[str, object]:
        """Put an object and return the S3 event record that tells of it."""
        answer = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **options)  # type: ignore[arg-type]  # any header
        record = load_event("s3_object_created.json")["Records"]
        assert isinstance(record, list)
        stored = {
            "key": quote_plus(key, safe="/"),
            "size": len(body),
            "eTag": answer["ETag"].strip('"'),
            "versionId": answer["VersionId"],
            "sequencer": f"{uuid.uuid1().time:018X}",
        }
        return {**record[0], "s3": {**record[0]["s3"], "bucket": {"name": BUCKET}, "object": stored}}

    def items(self) -> dict[str, Item]:
        """Every file's item, by key; a key with several versions, by key and version."""
        found = [plain(item) for item in self.dynamodb.scan(TableName=self.table)["Items"]]
        files = [item for item in found if "status" in item]
        several = {key for key, count in Counter(item["key"] for item in files).items() if count > 1}
        return {str(item["key"]) + (f"@{item['version_id']}" if item["key"] in several else ""): item for item in files}

    def item(self, key: str) -> Item:
        return self.items()[key]

    def latest(self, key: str) -> str:
        """The version id that the catalog takes for the key's latest."""
        item = self.dynamodb.get_item(TableName=self.table, Key=latest_key(BUCKET, key))["Item"]
        return item["latest_version_id"]["S"]

    def dead_letters(self) -> dict[str, str]:
        """Message → reason of what lies in the dead-letter queue."""
        received = self.sqs.receive_message(
            QueueUrl=self.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return {
            message["Body"]: str(dig(dict(message), "MessageAttributes", "reason", "StringValue"))
            for message in received.get("Messages", [])
        }


@dataclass
class Calls:
    """Every call to AWS, and faults to answer with instead."""

    made: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    after: dict[str, Callable[[dict[str, object]], None]] = field(default_factory=dict)

    def fail(self, operation: str, code: str, *, times: int = 1, status: int = 400) -> None:
        """Answer the next `times` calls of `operation` with an error of AWS."""
        error = ClientError(
            {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
            operation,
        )
        self.faults.setdefault(operation, []).extend([error] * times)


@pytest.fixture(scope="session")
def aws_clients() -> Iterator[tuple[S3Client, SQSClient, DynamoDBClient]]:
    """Clients that reach moto, and with keys that open nothing else; making them is what takes long."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in FAKE_ENVIRONMENT.items():
            environment.setenv(name, value)
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield boto3.client("s3"), boto3.client("sqs"), boto3.client("dynamodb")


@pytest.fixture
def aws(aws_clients: tuple[S3Client, SQSClient, DynamoDBClient], dev: DeclaredStack) -> Iterator[Aws]:
    s3, sqs, table_client = aws_clients
    with mock_aws(config=MOTO_CONFIG):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Aws(
            s3=s3,
            sqs=sqs,
            dynamodb=table_client,
            table=make_table(table_client, dev),
            queue_url=sqs.create_queue(QueueName="intake", Attributes={"VisibilityTimeout": "0"})["QueueUrl"],
            dead_letter_url=sqs.create_queue(QueueName="dead-letters")["QueueUrl"],
        )


def catalog_settings(table: str, *, shards: int = 8, retention_days: int = 365) -> CatalogSettings:
    """What a function is told of the catalog."""
    return CatalogSettings(
        catalog_table_name=table,
        bucket_index="by-bucket",
        status_index="by-status",
        index_shards=shards,
        catalog_retention_days=retention_days,
        stage="dev",
        aws_region=REGION,
    )


def make_table(client: DynamoDBClient, stack: DeclaredStack) -> str:
    """Make the table as the program declares it."""
    session = SimpleNamespace(client=lambda _service: client, region_name=REGION)
    cloud = Cloud(cast("boto3.Session", session), account=ACCOUNT)
    declared = stack.one("Table")
    return dynamodb.CREATORS[declared.type](cloud, Inputs(declared.name, declared.inputs)).id


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Count the calls to AWS from here on, and inject faults into them."""
    noted = Calls()
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - the one door to AWS

    def call(client: object, operation: str, parameters: object) -> object:
        noted.made.append(operation)
        noted.parameters.append(parameters)
        if operation in noted.before:
            noted.before.pop(operation)()
        if noted.faults.get(operation):
            raise noted.faults[operation].pop(0)
        if operation in noted.answers:
            return noted.answers[operation]
        answer: dict[str, object] = real(client, operation, parameters)
        if operation in noted.after:
            noted.after[operation](answer)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return noted


@pytest.fixture
def handler(aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The real handler, with the environment that the program declares for it."""
    here = {
        "BUCKET_NAME": BUCKET,
        "CATALOG_TABLE_NAME": aws.table,
        "DEAD_LETTER_QUEUE_URL": aws.dead_letter_url,
    }
    for name, value in {**declared_environment(dev), **here}.items():
        monkeypatch.setenv(name, value)
    return import_handler()


def declared_environment(stack: DeclaredStack, purpose: str = "ingest") -> dict[str, str]:
    """The environment variables that the program sets on a function."""
    variables = stack.one("Function", f"-{purpose}").part("environment")["variables"]
    assert isinstance(variables, dict)
    return {name: str(value) for name, value in variables.items()}


def import_handler() -> Handler:
    """Import the ingest function anew."""
    real: Handler = import_function("ingest").handler
    return real


def import_function(purpose: str) -> ModuleType:
    """Import a function anew, as a cold start does."""
    logging.Logger.manager.loggerDict.pop(purpose, None)  # or it would print where the first test listened
    for client in (
        clients.s3,
        clients.s3_completion,
        clients.sqs,
        clients.dynamodb,
        clients.cloudwatch,
        clients.presigner,
    ):
        client.cache_clear()
    importlib.reload(importlib.import_module("shared.observability"))
    if purpose == "api":
        for name in ("api.records", "api.routes"):
            importlib.reload(importlib.import_module(name))
    return importlib.reload(importlib.import_module(f"{purpose}.handler"))


def message(*records: dict[str, object], body: str | None = None, attempt: int = 1) -> dict[str, object]:
    """A message of the intake queue, as Lambda hands it to the function."""
    envelope = load_event("sqs_message.json")
    text = json.dumps({"Records": records}) if body is None else body
    attributes = envelope["attributes"]
    assert isinstance(attributes, dict)
    return {
        **envelope,
        "messageId": str(uuid.uuid4()),
        "body": text,
        "attributes": {**attributes, "ApproximateReceiveCount": str(attempt)},
    }


def batch(*messages: dict[str, object]) -> dict[str, object]:
    return {"Records": list(messages)}


def returned(response: dict[str, list[dict[str, str]]]) -> set[str]:
    """The ids of the messages that stay in the queue."""
    return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}

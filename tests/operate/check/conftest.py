"""A stack that works, as AWS answers of it, and a pipeline that processes the file of a check at once."""

from __future__ import annotations

import copy
import gzip
import io
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, cast

import boto3
import pytest

from shared.catalog.model import ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from tests.lambda_src.conftest import BUCKET, Aws, Calls, catalog_settings
from tests.operate.conftest import SHARDS, Operate, Ran, add_output

Answers: TypeAlias = dict[str, dict[str, object]]

FOLDER: Final = "uploads/checks/"
TOPIC: Final = "arn:aws:sns:eu-central-1:123456789012:alerts"
QUEUES: Final = "arn:aws:sqs:eu-central-1:123456789012:"
FUNCTIONS: Final = ("ingest", "forward", "delivery", "reconcile")
OUTPUTS: Final = {
    **{f"{purpose}FunctionName": f"file-pipeline-dev-{purpose}" for purpose in FUNCTIONS},
    "deliveryQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/delivery",
    "deliveryDeadLetterQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead",
    "deliveryQueueArn": f"{QUEUES}delivery",
    "reconcileScheduleName": "file-pipeline-dev-reconcile",
    "topicArn": TOPIC,
    "alarmNames": "errors,late",
    "keyArn": "arn:aws:kms:eu-central-1:123456789012:key/1",
    "secretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s",
}


def alias_of(purpose: str) -> str:
    return f"arn:aws:lambda:eu-central-1:123456789012:function:file-pipeline-dev-{purpose}:live"


@pytest.fixture
def answers(operate: Operate, calls: Calls, listener: int) -> Answers:
    """What AWS answers of a stack that works; a test changes one of it."""
    del operate
    function = boto3.client("lambda").get_function_configuration(FunctionName="file-pipeline-dev-ingest")
    variables = {
        **function["Environment"]["Variables"],
        "CHECKS_PREFIX": f"{FOLDER}check-",
        "PROCESSED_PREFIX": "processed/",
        "REJECTED_PREFIX": "rejected/",
        "DELIVER_CHECKS": "true",
        "ENDPOINT_URL": f"http://127.0.0.1:{listener}/files",
    }
    for name, value in OUTPUTS.items():
        add_output(name, value)
    rules = [{"Name": "Prefix", "Value": "uploads/"}]
    found: Answers = {
        "GetFunctionConfiguration": {"State": "Active", "Environment": {"Variables": variables}},
        "ListVersionsByFunction": {"Versions": [{"Version": version} for version in ("$LATEST", "9", "10")]},
        "GetAlias": {"FunctionVersion": "10"},
        "GetBucketNotificationConfiguration": {
            "QueueConfigurations": [
                {
                    "QueueArn": f"{QUEUES}intake",
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": rules}},
                }
            ]
        },
        "GetQueueAttributes": {
            "Attributes": {"QueueArn": "dead", "RedrivePolicy": json.dumps({"deadLetterTargetArn": "dead"})}
        },
        "ListEventSourceMappings": {
            "EventSourceMappings": [
                {"UUID": purpose, "FunctionArn": alias_of(purpose), "State": "Enabled"}
                for purpose in ("ingest", "forward", "delivery")
            ]
        },
        "GetSchedule": {
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 hour)",
            "Target": {"Arn": alias_of("reconcile")},
        },
        "DescribeAlarms": {
            "MetricAlarms": [{"AlarmName": "errors", "ActionsEnabled": True, "AlarmActions": [TOPIC]}],
            "CompositeAlarms": [{"AlarmName": "late", "ActionsEnabled": True, "AlarmActions": [TOPIC]}],
        },
        "ListSubscriptionsByTopic": {
            "Subscriptions": [{"Endpoint": "a@example.com", "Protocol": "email", "SubscriptionArn": "arn"}]
        },
        "DescribeKey": {"KeyMetadata": {"KeyState": "Enabled"}},
        "DescribeSecret": {"VersionIdsToStages": {"1": ["AWSCURRENT"]}},
        "FilterLogEvents": {"events": [{"message": json.dumps({"message": "sent"})}]},
    }
    calls.answers.update(found)
    return found


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operate.check.file._POLL_SECONDS", 0)


class Pipeline:
    """Processes the check's file as soon as it is uploaded, as the ingest function does."""

    def __init__(self, aws: Aws, calls: Calls, outcome: Outcome | None = None, *, results: bool = True) -> None:
        self._aws = aws
        self._calls = calls
        self._results = results
        self._outcome = outcome
        self.key = ""
        calls.after["PutObject"] = self._process

    def _process(self, answer: dict[str, object]) -> None:
        del self._calls.after["PutObject"]
        parameters = cast("dict[str, object]", self._calls.parameters[-1])
        self.key = str(parameters["Key"])
        lines = [json.loads(line) for line in cast("io.BytesIO", parameters["Body"]).getvalue().splitlines()]
        version = ObjectVersion(
            bucket=BUCKET,
            key=self.key,
            version_id=str(answer["VersionId"]),
            etag=str(answer["ETag"]).strip('"'),
            size=1,
            sequencer="01",
            event_name="ObjectCreated:Put",
            event_time="2026-11-20T08:15:30.123Z",
        )
        keys = {}
        if self._results:
            valid, rejected = (
                [line for line in lines if line["number"]],
                [line for line in lines if not line["number"]],
            )
            name = f"record_type=check/day=2026-11-20/file-0a-{self.key.rpartition('/')[2]}.ndjson.gz"
            for folder, records in (("processed", valid), ("rejected", rejected)):
                keys[f"{folder}_key"] = f"{folder}/{name}"
                body = gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode())
                self._aws.s3.put_object(Bucket=BUCKET, Key=keys[f"{folder}_key"], Body=body)
        whole = Outcome(status=Status.COMPLETED, results={"records_valid": 2, "records_rejected": 1, **keys})
        catalog(self._aws).record(version, ObjectFacts(size=1), self._outcome or whole, worker())


def worker() -> Worker:
    now = datetime.now(UTC)
    return Worker(
        request_id="r", function_name="ingest", attempt=1, started_at=now, deadline=now + timedelta(minutes=1)
    )


def catalog(aws: Aws, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CatalogWriter:
    table = CatalogTable(aws.dynamodb, catalog_settings(aws.table, shards=SHARDS), now)
    return CatalogWriter(table, is_check=lambda key: key.startswith(FOLDER))


def left(aws: Aws) -> list[str]:
    """The keys of the bucket's versions, and of the catalog's items."""
    listed = aws.s3.list_object_versions(Bucket=BUCKET)
    objects = [entry["Key"] for entry in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]
    return sorted([*objects, *(item["object_id"]["S"] for item in aws.dynamodb.scan(TableName=aws.table)["Items"])])


def states(ran: Ran) -> dict[str, tuple[str, str]]:
    """Part → state and detail."""
    parts = cast("list[dict[str, str]]", ran.json()["parts"])
    return {part["part"]: (part["state"], part["detail"]) for part in parts}


def failed(ran: Ran) -> dict[str, str]:
    return {part: detail for part, (state, detail) in states(ran).items() if state == "failed"}


def change(answers: Answers, operation: str, *path: str | int, value: object = None) -> None:
    """Change one thing in an answer."""
    answer = copy.deepcopy(answers[operation])
    place: object = answer
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]  # nested as the test says
    place[path[-1]] = value  # type: ignore[index]  # the same
    answers[operation].clear()
    answers[operation].update(answer)

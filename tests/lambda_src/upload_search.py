"""The search for uploads whose event never came, at times of our own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3

from reconcile.intake import IntakeQueue
from reconcile.search import Progress, SearchRules, UploadSearch
from shared.catalog.reader import CatalogReader
from shared.catalog.search_state import SearchStates
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from tests.conftest import REGION
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    catalog_settings,
)

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
RULES = SearchRules(
    bucket=BUCKET,
    prefix="uploads/",
    interval=timedelta(hours=24),
    delay=HOUR,
    overlap=WEEK,
    time_reserve=timedelta(seconds=10),
)


@dataclass
class Search:
    """The function's work, at times of our own, with a queue whose oldest message is as old as we say."""

    aws: Aws
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + 2 * HOUR)
    page_seconds: float = 0

    def run(self, owner: str = "one", *, at_once: bool = False, seconds: float = 60) -> Progress | None:
        """Run one invocation that has so many seconds."""
        queue = IntakeQueue(
            self.aws.sqs,
            self.aws.queue_url,
            metrics=boto3.client("cloudwatch", region_name=REGION),
            name="intake",
            region=REGION,
        )
        reader = CatalogReader(self.aws.dynamodb, catalog_settings(self.aws.table), lambda _seconds: None)
        search = UploadSearch(self.aws.s3, CatalogWriter(self.table()), reader, queue, RULES, now=self.tell)
        return search.run(self.states(owner), deadline=self.now + timedelta(seconds=seconds), at_once=at_once)

    def tell(self) -> datetime:
        self.now += timedelta(seconds=self.page_seconds)
        return self.now

    def table(self) -> CatalogTable:
        return CatalogTable(self.aws.dynamodb, catalog_settings(self.aws.table), self.tell)

    def states(self, owner: str) -> SearchStates:
        return SearchStates(self.table(), bucket=BUCKET, owner=owner)

    def oldest_waits(self, age: timedelta) -> None:
        """Let CloudWatch say how old the intake's oldest message is."""
        boto3.client("cloudwatch", region_name=REGION).put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": "intake"}],
                    "Timestamp": self.now - timedelta(minutes=5),
                    "Value": age.total_seconds(),
                }
            ],
        )

    def sent(self) -> list[str]:
        """Take the events that were sent: their keys, in order."""
        found: list[str] = []
        while messages := self.aws.sqs.receive_message(QueueUrl=self.aws.queue_url, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for one in messages:
                self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=one["ReceiptHandle"])
                found += [record["s3"]["object"]["key"] for record in json.loads(one["Body"])["Records"]]
        return sorted(found)


def key_of(aws: Aws, key: str) -> dict[str, dict[str, str]]:
    item = aws.item(key)
    return {"object_id": {"S": str(item["object_id"])}, "version_id": {"S": str(item["version_id"])}}

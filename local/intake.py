"""The intake of a local stack, driven by drills and tests: filled, paused, counted, and made to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from local.files import Item, UploadedFile, read_items, upload
from local.stack import LocalStack
from operate.dead_letters import dead_letter_reason
from shared.catalog.table import latest_key

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef
    from types_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, kw_only=True)
class IntakeDriver:
    """Bucket, queues, table and ingest function of a stack.

    Parameters
    ----------
    stack
        The stack.
    """

    stack: LocalStack

    @property
    def bucket(self) -> str:
        """Name of the landing bucket."""
        return self.stack.outputs["bucketName"]

    @property
    def table(self) -> str:
        """Name of the catalog's table."""
        return self.stack.outputs["tableName"]

    @property
    def queue_url(self) -> str:
        """URL of the intake queue."""
        return self.stack.outputs["queueUrl"]

    @property
    def dead_letter_url(self) -> str:
        """URL of its dead-letter queue."""
        return self.stack.outputs["deadLetterQueueUrl"]

    def drop(self, key: str, body: bytes = b"content", content_type: str = "text/plain") -> UploadedFile:
        """Upload a file through S3's own API."""
        return upload(self.stack.cloud, self.bucket, key, body, content_type)

    def send(self, body: str) -> None:
        """Send a message past S3, as an operator does who sends a dead-letter message again."""
        self.stack.cloud.client("sqs").send_message(QueueUrl=self.queue_url, MessageBody=body)

    def items(self) -> dict[UploadedFile, Item]:
        """Read every file's catalog item."""
        return read_items(self.stack.cloud, self.table)

    def latest(self, key: str) -> str:
        """Return the version id that the catalog takes for the latest of `key`."""
        item = self.stack.cloud.client("dynamodb").get_item(TableName=self.table, Key=latest_key(self.bucket, key))[
            "Item"
        ]
        return item["latest_version_id"]["S"]

    def waiting(self) -> int:
        """Count the messages in the intake queue, in flight or not."""
        return self.count(self.queue_url)

    def dead_letters(self) -> int:
        """Count the messages in the dead-letter queue, in flight or not."""
        return self.count(self.dead_letter_url)

    def count(self, url: str) -> int:
        """Count the messages in a queue, in flight or not."""
        counts = self.stack.cloud.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        return sum(int(count) for count in counts.values())

    def take_waiting(self) -> list[str]:
        """Take the messages that wait in the intake queue, in their order. Only while it is paused."""
        return [message["Body"] for message in self.take(self.queue_url)]

    def take_dead_letters(self) -> list[tuple[str, str]]:
        """Take every dead-letter message: its body, and why the function dead-lettered it."""
        return [(message["Body"], dead_letter_reason(message)) for message in self.take(self.dead_letter_url)]

    def take(self, url: str) -> Iterator[MessageTypeDef]:
        """Take every message that a queue has."""
        sqs = self.stack.cloud.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,  # as long as the queue says otherwise: 20 seconds, when it is empty
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message

    def search(self, *, oldest_waits: timedelta | None = None) -> dict[str, int]:
        """Begin a search for uploads whose event was lost.

        Parameters
        ----------
        oldest_waits
            How long the intake's oldest message has waited, as CloudWatch has it; None: it has no such metric.

        Returns
        -------
        dict
            What the function answers: ``listed`` and ``missed``, among others.
        """
        cloud = self.stack.cloud
        if oldest_waits is not None:
            # The emulator has no metrics of its queues.
            cloud.client("cloudwatch").put_metric_data(
                Namespace="AWS/SQS",
                MetricData=[
                    {
                        "MetricName": "ApproximateAgeOfOldestMessage",
                        "Dimensions": [{"Name": "QueueName", "Value": self.queue_url.rpartition("/")[2]}],
                        "Value": oldest_waits.total_seconds(),
                    }
                ],
            )
        answer = cloud.client("lambda").invoke(
            FunctionName=self.stack.outputs["reconcileFunctionName"], Payload=json.dumps({"at_once": True})
        )
        result: dict[str, int] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise RuntimeError(f"the search failed: {result}")
        return result

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the ingest function from reading the intake queue."""
        lambda_, mapping = self.stack.cloud.client("lambda"), self._source()
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def _source(self) -> EventSourceMappingConfigurationTypeDef:
        (mapping,) = self.stack.cloud.client("lambda").list_event_source_mappings(
            FunctionName=self.stack.outputs["ingestFunctionName"]
        )["EventSourceMappings"]
        return mapping

    @contextmanager
    def retried_after(self, seconds: int, url: str = "") -> Iterator[None]:
        """Make a failed message of the intake, or of another queue, visible again after `seconds`."""
        sqs, url = self.stack.cloud.client("sqs"), url or self.queue_url
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)

    @contextmanager
    def denied(self, *actions: str) -> Iterator[None]:
        """Deny the ingest function some actions."""
        cloud = self.stack.cloud
        function = cloud.client("lambda").get_function(FunctionName=self.stack.outputs["ingestFunctionName"])
        role = function["Configuration"]["Role"].rpartition("/")[2]
        deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
        cloud.client("iam").put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=json.dumps(deny))
        try:
            yield
        finally:
            cloud.client("iam").delete_role_policy(RoleName=role, PolicyName="deny")

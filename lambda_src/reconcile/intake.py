"""The intake queue: how old its oldest message is, and messages for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from shared.created_event import created_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_sqs import SQSClient

    from shared.catalog.model import ObjectVersion

SENDER: Final = "reconciliation"

_METRIC_PERIOD_SECONDS: Final = 60
_METRIC_WINDOW: Final = timedelta(minutes=20)
"""SQS's metrics come up to 15 minutes late where a queue was idle (SQS Developer Guide, Monitoring with CloudWatch)."""

_BATCH: Final = 10
"""The most messages that SQS takes at once."""


class NotSentError(Exception):
    """SQS did not take a message. What was sent before it is noted."""


class IntakeQueue:
    """The intake queue.

    Parameters
    ----------
    client, url
        The queue and the client to reach it with.
    metrics, name
        The client that reads metrics, and the name that the queue goes by there.
    region
        Where the bucket is.
    """

    def __init__(self, client: SQSClient, url: str, *, metrics: CloudWatchClient, name: str, region: str) -> None:
        self._client = client
        self._url = url
        self._metrics = metrics
        self._name = name
        self._region = region

    def oldest_age(self, now: datetime) -> timedelta | None:
        """Return how long the oldest message has waited; zero if none does, None if it is not known how long."""
        values = self._metrics.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "age",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateAgeOfOldestMessage",
                            "Dimensions": [{"Name": "QueueName", "Value": self._name}],
                        },
                        "Period": _METRIC_PERIOD_SECONDS,
                        "Stat": "Maximum",
                    },
                }
            ],
            StartTime=now - _METRIC_WINDOW,
            EndTime=now + timedelta(seconds=_METRIC_PERIOD_SECONDS),
        )["MetricDataResults"][0]["Values"]
        if values:
            return timedelta(seconds=max(values))
        return None if self._holds_messages() else timedelta(0)

    def _holds_messages(self) -> bool:
        counts = self._client.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return any(int(count) for count in counts.values())

    def send(self, versions: Iterable[ObjectVersion], sent: Callable[[ObjectVersion], None]) -> None:
        """Send an event for each version, and call `sent` with each that was.

        Raises
        ------
        NotSentError
            If SQS did not take one.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If SQS cannot be asked.
        """
        waiting = iter(versions)
        while batch := list(islice(waiting, _BATCH)):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": created_event(version, self._region, sender=SENDER)}
                    for number, version in enumerate(batch)
                ],
            )
            for entry in answer.get("Successful", []):
                sent(batch[int(entry["Id"])])
            for failure in answer.get("Failed", []):
                raise NotSentError(f"{batch[int(failure['Id'])].key}: {failure.get('Message', failure['Code'])}")

"""Every metric that an alarm or a graph looks at, named once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import pulumi

from components.catalog import INDEX_KEYS

Dimensions: TypeAlias = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Metric:
    """A metric, and what of it is looked at.

    Parameters
    ----------
    namespace, dimensions, name
        Which metric.
    statistic
        What of it: a statistic, or a percentile such as p99.
    """

    namespace: str
    dimensions: Dimensions
    name: str
    statistic: str = "Sum"

    def by(self, statistic: str) -> Metric:
        """Return the same metric by another statistic."""
        return replace(self, statistic=statistic)


class LambdaMetrics:
    """What Lambda reports of a function (Lambda Developer Guide, Types of metrics). Reported with invocations only."""

    def __init__(self, function_name: pulumi.Input[str]) -> None:
        metric = partial(Metric, "AWS/Lambda", {"FunctionName": function_name})
        self.duration = metric("Duration", "Maximum")
        self.errors = metric("Errors")
        self.iterator_age = metric("IteratorAge", "Maximum")
        self.throttles = metric("Throttles")


class VersionMetrics:
    """What Lambda reports of one version, while an alias shifts to it (Lambda Developer Guide, Types of metrics)."""

    def __init__(self, function_name: pulumi.Input[str], alias: str, version: pulumi.Input[str]) -> None:
        resource = pulumi.Output.concat(function_name, ":", alias)
        dimensions = {"FunctionName": function_name, "Resource": resource, "ExecutedVersion": version}
        self.errors = Metric("AWS/Lambda", dimensions, "Errors")


class SqsMetrics:
    """What SQS reports of a queue (SQS Developer Guide, Available CloudWatch metrics).

    `visible` is reported while the queue is active: while somebody asks for messages, and for six hours after.
    `sent` and `deleted` are reported when something was: none is no zero.
    """

    def __init__(self, queue_name: pulumi.Input[str]) -> None:
        metric = partial(Metric, "AWS/SQS", {"QueueName": queue_name})
        self.sent = metric("NumberOfMessagesSent")
        self.deleted = metric("NumberOfMessagesDeleted")
        self.visible = metric("ApproximateNumberOfMessagesVisible", "Maximum")
        self.in_flight = metric("ApproximateNumberOfMessagesNotVisible", "Maximum")
        self.oldest = metric("ApproximateAgeOfOldestMessage", "Maximum")


class DynamoDbMetrics:
    """What DynamoDB reports of a table, or of one of its indexes, which has a capacity of its own.

    Throttles are reported when a request was throttled (DynamoDB Developer Guide, Metrics and dimensions). They
    exist by table and by index; ThrottledRequests would want an operation too.
    """

    def __init__(self, source: Dimensions) -> None:
        metric = partial(Metric, "AWS/DynamoDB", source)
        self.consumed = {kind: metric(f"Consumed{kind}CapacityUnits") for kind in ("Read", "Write")}
        self.provisioned = {kind: metric(f"Provisioned{kind}CapacityUnits", "Maximum") for kind in ("Read", "Write")}
        self.throttles = {kind: metric(f"{kind}ThrottleEvents") for kind in ("Read", "Write")}

    @staticmethod
    def of(table_name: pulumi.Input[str]) -> dict[str, DynamoDbMetrics]:
        """Return the metrics of a table and, by their names, of its indexes."""
        dimensions: Dimensions = {"TableName": table_name}
        return {
            "table": DynamoDbMetrics(dimensions),
            **{i: DynamoDbMetrics({**dimensions, "GlobalSecondaryIndexName": i}) for i in INDEX_KEYS},
        }


class HttpApiMetrics:
    """What API Gateway reports of an HTTP API, with requests only."""

    def __init__(self, api_id: pulumi.Input[str]) -> None:
        metric = partial(Metric, "AWS/ApiGateway", {"ApiId": api_id})
        self.requests = metric("Count")
        self.client_errors = metric("4xx")
        self.server_errors = metric("5xx")
        self.latency = metric("Latency", "p99")


def _own(service: str, version: pulumi.Input[str] | None) -> Dimensions:
    """Return the dimensions of a function's own metrics: of all its versions, or, where releases shift, of one."""
    return {"service": service} if version is None else {"service": service, "version": version}


class IngestMetrics:
    """What the ingest function counts.

    With each file that ends, all four outcomes are sent, zeros too: a share of them needs no FILL.
    """

    def __init__(self, namespace: str, version: pulumi.Input[str] | None = None) -> None:
        metric = partial(Metric, namespace, _own("ingest", version))
        self.completed = metric("FilesCompleted")
        self.failed = metric("FilesFailed")
        self.rejected = metric("FilesRejected")
        self.skipped = metric("FilesSkipped")
        self.messages_returned = metric("MessagesReturned")
        self.messages_dead_lettered = metric("MessagesDeadLettered")
        self.records_valid = metric("RecordsValid")
        self.records_rejected = metric("RecordsRejected")
        self.file_size = metric("FileSize")
        self.processing_time = metric("ProcessingTime", "p99")
        self.time_to_final = metric("TimeToFinal", "p99")
        self.late = metric("FilesLate")

    @property
    def outcomes(self) -> dict[str, Metric]:
        """How files ended: outcome → metric."""
        return {
            "completed": self.completed,
            "failed": self.failed,
            "rejected": self.rejected,
            "skipped": self.skipped,
        }


class ReconcileMetrics:
    """What the reconcile function counts."""

    def __init__(self, namespace: str) -> None:
        self.missed = Metric(namespace, {"service": "reconcile"}, "UploadsMissed")


class ApiMetrics:
    """What the API's function counts."""

    def __init__(self, namespace: str) -> None:
        metric = partial(Metric, namespace, {"service": "api"})
        self.requests = metric("Requests")
        self.records_valid = metric("RecordsValid")
        self.records_rejected = metric("RecordsRejected")


class ForwardMetrics:
    """What the forwarding function counts."""

    def __init__(self, namespace: str, version: pulumi.Input[str] | None = None) -> None:
        metric = partial(Metric, namespace, _own("forward", version))
        self.queued = metric("ChangesQueued")
        self.returned = metric("BatchesReturned")
        self.dead_lettered = metric("ChangesDeadLettered")


class DeliveryMetrics:
    """What the delivery function counts."""

    def __init__(self, namespace: str, version: pulumi.Input[str] | None = None) -> None:
        metric = partial(Metric, namespace, _own("delivery", version))
        self.sent = metric("DeliveriesSent")
        self.failed = metric("DeliveriesFailed")
        self.dead_lettered = metric("DeliveriesDeadLettered")


def cold_starts(namespace: str, purpose: str, function_name: pulumi.Input[str]) -> Metric:
    """Return how often a function was started anew, which Powertools counts by the function's name too."""
    return Metric(namespace, {"function_name": function_name, "service": purpose}, "ColdStart")

"""The alert topic, and every alarm that publishes to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import Api
from components.catalog import INDEX_KEYS, Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.function import metrics_namespace
from components.iam import Statement, deny_insecure_transport, policy_document
from components.intake import Intake
from components.settings import StackSettings

PERIOD_SECONDS = 300
RUNBOOKS = "docs/operations.md"
MAX_FAILED_PERCENT = 5
"""Files that may fail in a period, of those that ended in it."""

OUTCOMES = ("FilesCompleted", "FilesFailed", "FilesRejected", "FilesSkipped")
"""Metrics of the ingest function, one for each way that the work on a file can end."""

_SECOND_MS = 1000
# All of the metrics are sent only when there is something to count: no data means that nothing happened. Of one that
# is bad news: IteratorAge comes with invocations, so a stream that nobody reads, its mapping disabled, has none. But
# neither has a stream in which nothing is written, and an alarm that is raised by silence would be raised every night.
_MISSING = "notBreaching"


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A function that is watched.

    Parameters
    ----------
    purpose
        What it does, in a word.
    function
        The function.
    timeout_seconds
        Its time-out.
    """

    purpose: str
    function: aws.lambda_.Function
    timeout_seconds: int


@dataclass(frozen=True)
class Metric:
    """A metric as an alarm looks at it.

    Parameters
    ----------
    namespace, name, dimensions
        Which metric.
    statistic
        What of it: a statistic, or a percentile such as p99.
    """

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, pulumi.Input[str]]


class Monitoring(pulumi.ComponentResource):
    """An encrypted topic for the operator, and the alarms.

    Attributes
    ----------
    topic
        Where alarms are published.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        intake: Intake,
        catalog: Catalog,
        api: Api,
        functions: list[Watched],
        delivery: Delivery | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Monitoring", name, None, opts)
        self._name = name
        self.topic = aws.sns.Topic(
            f"{name}-alerts",
            display_name=f"{stack.project} alerts ({stack.stage})",
            kms_master_key_id=encryption.key.arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.sns.TopicPolicy(
            f"{name}-alerts-policy",
            arn=self.topic.arn,
            policy=policy_document(
                [
                    deny_insecure_transport([self.topic.arn], "sns:Publish"),
                    Statement(
                        sid="AlarmsPublish",
                        principals={"Service": "cloudwatch.amazonaws.com"},
                        actions=["sns:Publish"],
                        resources=[self.topic.arn],
                        conditions={"StringEquals": {"aws:SourceAccount": account.id}},
                    ),
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if not stack.settings.alert_emails:
            pulumi.log.warn("alertEmails is empty: the alarms reach nobody")
        for address in stack.settings.alert_emails:
            # Named by the address: taking one off must not make the others confirm again.
            aws.sns.TopicSubscription(
                f"{name}-email-{hashlib.sha256(address.encode()).hexdigest()[:8]}",
                topic=self.topic.arn,
                protocol="email",
                endpoint=address,
                opts=pulumi.ResourceOptions(parent=self),
            )
        for watched in functions:
            self._watch_function(watched)
        self._watch_failures(stack)
        self._watch_table(catalog)
        self._watch_intake(intake, stack.settings.retry_seconds)
        self._watch_api(api, stack.settings.api_latency_alarm_ms)
        if delivery is not None:
            self._watch_delivery(delivery, stack.settings.delivery_alarm_seconds)
        self.register_outputs({"topicArn": self.topic.arn})

    def _watch_function(self, watched: Watched) -> None:
        purpose, dimensions = watched.purpose, {"FunctionName": watched.function.name}
        self._alarm(
            f"{purpose}-errors",
            meaning=f"The {purpose} function failed as a whole: it crashed, or ran out of time or memory.",
            causes="a mistake in a new version, a missing permission at start, a file too large for memory or time-out",
            runbook="Function errors",
            metric=Metric("AWS/Lambda", "Errors", "Sum", dimensions),
            threshold=1,
        )
        self._alarm(
            f"{purpose}-duration",
            meaning=f"The {purpose} function takes more than half its time-out.",
            causes="larger files than planned, a slow AWS service or endpoint, too little memory",
            runbook="Function duration",
            metric=Metric("AWS/Lambda", "Duration", "Maximum", dimensions),
            threshold=watched.timeout_seconds * _SECOND_MS / 2,
            comparison="GreaterThanThreshold",
            periods=2,
        )
        self._alarm(
            f"{purpose}-throttles",
            meaning=f"The {purpose} function was throttled.",
            causes="the account's concurrent executions are used up, by this stack or another",
            runbook="Function throttles",
            metric=Metric("AWS/Lambda", "Throttles", "Sum", dimensions),
            threshold=1,
        )

    def _watch_failures(self, stack: StackSettings) -> None:
        """Watch the share of files that fail: to Lambda a partial batch is a success, so our own metrics count."""
        names = {name: f"m{number}" for number, name in enumerate(OUTCOMES)}
        filled = {name: f"FILL({metric}, 0)" for name, metric in names.items()}
        total = " + ".join(filled.values())
        self._math_alarm(
            "ingest-failures",
            meaning=f"More than {MAX_FAILED_PERCENT} % of the files failed; they are retried, and then dead letters.",
            causes="S3, KMS or DynamoDB deny or throttle, a permission was taken away, the key is disabled",
            runbook="Failure rate",
            label="Files that failed, in percent",
            expression=f"IF(({total}) > 0, 100 * {filled['FilesFailed']} / ({total}), 0)",
            metrics={
                metric: Metric(metrics_namespace(stack), name, "Sum", {"service": "ingest"})
                for name, metric in names.items()
            },
            threshold=MAX_FAILED_PERCENT,
            comparison="GreaterThanThreshold",
        )

    def _watch_table(self, catalog: Catalog) -> None:
        """Watch the table and its indexes, each of which throttles on its own.

        ReadThrottleEvents and WriteThrottleEvents exist for a table alone; ThrottledRequests would want an operation
        too (DynamoDB Developer Guide, DynamoDB metrics and dimensions).
        """
        name: pulumi.Input[str] = catalog.table.name
        sources = [{"TableName": name}, *({"TableName": name, "GlobalSecondaryIndexName": i} for i in INDEX_KEYS)]
        metrics = {
            f"m{number}": Metric("AWS/DynamoDB", f"{operation}ThrottleEvents", "Sum", dimensions)
            for number, (dimensions, operation) in enumerate(
                (source, operation) for source in sources for operation in ("Read", "Write")
            )
        }
        self._math_alarm(
            "table-throttles",
            meaning="The catalog table or one of its indexes throttled a request.",
            causes="provisioned capacity is lower than the load, or autoscaling has not caught up with a burst",
            runbook="Table throttles",
            label="Throttled reads and writes",
            expression=" + ".join(f"FILL({metric}, 0)" for metric in metrics),
            metrics=metrics,
            threshold=1,
        )

    def _watch_intake(self, intake: Intake, retry_seconds: int) -> None:
        self._watch_dead_letters("intake", intake.dead_letters, "files that were not processed")
        self._alarm(
            "intake-age",
            meaning="A message has waited in the intake queue longer than retries explain: nothing takes it.",
            causes="the event source mapping is disabled, the function fails at start, or it is far behind a burst",
            runbook="Intake age",
            metric=Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", {"QueueName": intake.queue.name}),
            threshold=retry_seconds + PERIOD_SECONDS,
        )

    def _watch_api(self, api: Api, latency_ms: int) -> None:
        dimensions = {"ApiId": api.api.id}
        self._alarm(
            "api-5xx",
            meaning="The API answered a request with an error of its own.",
            causes="the function crashed or was throttled, AWS failed, or a mistake in a new version",
            runbook="API errors",
            metric=Metric("AWS/ApiGateway", "5xx", "Sum", dimensions),
            threshold=1,
        )
        self._alarm(
            "api-latency",
            meaning="The slowest hundredth of the API's requests takes too long.",
            causes="cold starts, large requests, a throttled table",
            runbook="API latency",
            metric=Metric("AWS/ApiGateway", "Latency", "p99", dimensions),
            threshold=latency_ms,
            comparison="GreaterThanThreshold",
            periods=3,
        )

    def _watch_delivery(self, delivery: Delivery, age_seconds: int) -> None:
        self._watch_dead_letters("delivery", delivery.dead_letters, "finished files that were not delivered")
        self._alarm(
            "delivery-age",
            meaning="A finished file waits to be delivered.",
            causes="the endpoint is down, refuses for now, or is slower than files finish",
            runbook="Delivery age",
            metric=Metric("AWS/Lambda", "IteratorAge", "Maximum", {"FunctionName": delivery.function.name}),
            threshold=age_seconds * _SECOND_MS,
        )

    def _watch_dead_letters(self, purpose: str, queue: aws.sqs.Queue, holding: str) -> None:
        self._alarm(
            f"{purpose}-dead-letters",
            meaning=f"Messages wait in the {purpose} dead-letter queue: {holding}.",
            causes="what failed for longer than it is retried, or can never pass; each message says which",
            runbook=f"{purpose.title()} dead letters",
            metric=Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", {"QueueName": queue.name}),
            threshold=1,
        )

    def _alarm(
        self,
        name: str,
        *,
        meaning: str,
        causes: str,
        runbook: str,
        metric: Metric,
        threshold: float,
        comparison: str = "GreaterThanOrEqualToThreshold",
        periods: int = 1,
    ) -> None:
        """Declare an alarm on one metric."""
        percentile = metric.statistic.startswith("p")
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            alarm_description=_describe(meaning, causes, runbook),
            namespace=metric.namespace,
            metric_name=metric.name,
            statistic=None if percentile else metric.statistic,
            extended_statistic=metric.statistic if percentile else None,
            dimensions=metric.dimensions,
            period=PERIOD_SECONDS,
            evaluation_periods=periods,
            threshold=threshold,
            comparison_operator=comparison,
            treat_missing_data=_MISSING,
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _math_alarm(
        self,
        name: str,
        *,
        meaning: str,
        causes: str,
        runbook: str,
        label: str,
        expression: str,
        metrics: Mapping[str, Metric],
        threshold: float,
        comparison: str = "GreaterThanOrEqualToThreshold",
    ) -> None:
        """Declare an alarm on an expression over several metrics, each by the id that it has in it."""
        query = aws.cloudwatch.MetricAlarmMetricQueryArgs
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            alarm_description=_describe(meaning, causes, runbook),
            comparison_operator=comparison,
            threshold=threshold,
            evaluation_periods=1,
            metric_queries=[
                query(id="result", expression=expression, label=label, return_data=True),
                *(
                    query(
                        id=metric_id,
                        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                            namespace=metric.namespace,
                            metric_name=metric.name,
                            dimensions=metric.dimensions,
                            period=PERIOD_SECONDS,
                            stat=metric.statistic,
                        ),
                    )
                    for metric_id, metric in metrics.items()
                ),
            ],
            treat_missing_data=_MISSING,
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _describe(meaning: str, causes: str, runbook: str) -> str:
    return f"{meaning} Likely causes: {causes}. What to do: {RUNBOOKS}, section {runbook!r}."

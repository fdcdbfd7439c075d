"""The alert topic and the alarms that publish to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.catalog import INDEX_KEYS, Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.iam import Statement, deny_insecure_transport, policy_document
from components.intake import Intake
from components.settings import StackSettings

PERIOD_SECONDS = 300
_SECOND_MS = 1000


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
        self._watch_table(catalog)
        self._watch_dead_letters("intake", intake.dead_letters, "files that were not processed")
        if delivery is not None:
            self._watch_dead_letters("delivery", delivery.dead_letters, "finished files that were not delivered")
            self._alarm(
                "delivery-age",
                description="A finished file waits to be delivered: the endpoint does not take it, or is too slow.",
                metric=("AWS/Lambda", "IteratorAge", "Maximum"),
                dimensions={"FunctionName": delivery.function.name},
                threshold=stack.settings.delivery_alarm_seconds * _SECOND_MS,
            )
        retry_seconds = stack.settings.retry_seconds
        self._alarm(
            "intake-age",
            description="A message has waited in the intake queue longer than retries explain: nothing takes it.",
            metric=("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
            dimensions={"QueueName": intake.queue.name},
            threshold=retry_seconds + PERIOD_SECONDS,
        )
        self.register_outputs({"topicArn": self.topic.arn})

    def _watch_function(self, watched: Watched) -> None:
        dimensions = {"FunctionName": watched.function.name}
        self._alarm(
            f"{watched.purpose}-errors",
            description=f"The {watched.purpose} function failed as a whole: it crashed, ran out of time or memory.",
            metric=("AWS/Lambda", "Errors", "Sum"),
            dimensions=dimensions,
            threshold=1,
        )
        self._alarm(
            f"{watched.purpose}-duration",
            description=f"The {watched.purpose} function takes more than half its time-out.",
            metric=("AWS/Lambda", "Duration", "Maximum"),
            dimensions=dimensions,
            threshold=watched.timeout_seconds * _SECOND_MS / 2,
            comparison="GreaterThanThreshold",
            periods=2,
        )
        self._alarm(
            f"{watched.purpose}-throttles",
            description=f"The {watched.purpose} function was throttled: the account's concurrency is used up.",
            metric=("AWS/Lambda", "Throttles", "Sum"),
            dimensions=dimensions,
            threshold=1,
        )

    def _watch_dead_letters(self, purpose: str, queue: aws.sqs.Queue, holding: str) -> None:
        self._alarm(
            f"{purpose}-dead-letters",
            description=f"Messages wait in the {purpose} dead-letter queue: {holding}.",
            metric=("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
            dimensions={"QueueName": queue.name},
            threshold=1,
        )

    def _watch_table(self, catalog: Catalog) -> None:
        """One alarm for the table and its indexes, each of which throttles on its own.

        ReadThrottleEvents and WriteThrottleEvents exist for a table alone; ThrottledRequests would want an operation
        too (DynamoDB Developer Guide, DynamoDB metrics and dimensions).
        """
        query = aws.cloudwatch.MetricAlarmMetricQueryArgs
        name: pulumi.Input[str] = catalog.table.name
        sources = [{"TableName": name}, *({"TableName": name, "GlobalSecondaryIndexName": i} for i in INDEX_KEYS)]
        metrics = [
            query(
                id=f"m{number}",
                metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                    namespace="AWS/DynamoDB",
                    metric_name=metric_name,
                    dimensions=dimensions,
                    period=PERIOD_SECONDS,
                    stat="Sum",
                ),
            )
            for number, (dimensions, metric_name) in enumerate(
                (source, f"{operation}ThrottleEvents") for source in sources for operation in ("Read", "Write")
            )
        ]
        total = " + ".join(f"FILL({metric}, 0)" for metric in (f"m{number}" for number in range(len(metrics))))
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-table-throttles",
            alarm_description="The catalog table or one of its indexes throttled a request.",
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            evaluation_periods=1,
            metric_queries=[
                query(id="throttles", expression=total, label="Throttled reads and writes", return_data=True),
                *metrics,
            ],
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _alarm(
        self,
        name: str,
        *,
        description: str,
        metric: tuple[str, str, str],
        dimensions: dict[str, pulumi.Output[str]],
        threshold: float,
        comparison: str = "GreaterThanOrEqualToThreshold",
        periods: int = 1,
    ) -> None:
        """Declare an alarm on one metric: namespace, name and statistic.

        These metrics are only sent when there is something to count, so missing data means that all is well.
        """
        namespace, metric_name, statistic = metric
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            alarm_description=description,
            namespace=namespace,
            metric_name=metric_name,
            statistic=statistic,
            dimensions=dimensions,
            period=PERIOD_SECONDS,
            evaluation_periods=periods,
            threshold=threshold,
            comparison_operator=comparison,
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=pulumi.ResourceOptions(parent=self),
        )

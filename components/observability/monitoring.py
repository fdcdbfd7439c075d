"""The alert topic, who is told of it, and every alarm that publishes to it."""

from __future__ import annotations

import hashlib
import json
from typing import Final

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import Api
from components.catalog import Catalog
from components.delivery import Delivery
from components.encryption import Encryption
from components.iam import Statement, deny_insecure_transport, policy_document
from components.intake import Intake
from components.observability.alarms import (
    Watched,
    api_alarms,
    delivery_alarms,
    file_alarms,
    function_alarms,
    intake_alarms,
    reconcile_alarms,
    table_alarms,
)
from components.observability.metrics import (
    HttpApiMetrics,
    IngestMetrics,
    LambdaMetrics,
    ReconcileMetrics,
    SqsMetrics,
)
from components.settings import StackSettings

ALARMS_AND_THEIR_ENDS: Final = {"$or": [{"NewStateValue": ["ALARM"]}, {"OldStateValue": ["ALARM"]}]}
"""Which of an alarm's messages a subscriber is sent: that it is raised, and that it is over.

A new alarm comes from INSUFFICIENT_DATA to OK, and its OK actions are run: without a filter, each deployment of a
stack would mail as many OKs as it has alarms. EventBridge knows the state before, too, but its messages to an encrypted
topic bear no condition in the policies of topic and key (SNS Developer Guide, Key management): anybody's rule could
publish.
"""


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
        child = pulumi.ResourceOptions(parent=self)
        self.topic = aws.sns.Topic(
            f"{name}-alerts",
            display_name=f"{stack.project} alerts ({stack.stage})",
            kms_master_key_id=encryption.key.arn,
            opts=child,
        )
        self._let_alarms_publish(name, account)
        self._subscribe(name, stack.settings.alert_emails)
        settings = stack.settings
        alarms = [
            *(alarm for watched in functions for alarm in function_alarms(watched)),
            *file_alarms(IngestMetrics(stack), settings),
            *table_alarms(catalog.table),
            *intake_alarms(SqsMetrics(intake.queue), SqsMetrics(intake.dead_letters), settings),
            *(reconcile_alarms(ReconcileMetrics(stack)) if settings.reconciliation_hours else []),
            *api_alarms(HttpApiMetrics(api.api), settings),
        ]
        if delivery is not None:
            alarms += delivery_alarms(
                LambdaMetrics(delivery.forward_function),
                SqsMetrics(delivery.queue),
                SqsMetrics(delivery.dead_letters),
                settings,
            )
        for alarm in alarms:
            alarm.declare(name, self.topic.arn, child)
        self.register_outputs({"topicArn": self.topic.arn})

    def _let_alarms_publish(self, name: str, account: Account) -> None:
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

    def _subscribe(self, name: str, addresses: list[str]) -> None:
        if not addresses:
            pulumi.log.warn("alertEmails is empty: the alarms reach nobody")
        for address in addresses:
            # Named by the address: taking one off must not make the others confirm again.
            aws.sns.TopicSubscription(
                f"{name}-email-{hashlib.sha256(address.encode()).hexdigest()[:8]}",
                topic=self.topic.arn,
                protocol="email",
                endpoint=address,
                filter_policy=json.dumps(ALARMS_AND_THEIR_ENDS),
                filter_policy_scope="MessageBody",
                opts=pulumi.ResourceOptions(parent=self),
            )

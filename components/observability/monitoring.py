"""The alert topic, who is notified, and the alarms that publish to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam import Statement, deny_insecure_transport, policy_document
from components.observability.alarm import Alarm, CompositeAlarm

ALARMS_AND_THEIR_ENDS: Final = {"$or": [{"NewStateValue": ["ALARM"]}, {"OldStateValue": ["ALARM"]}]}
"""Which of an alarm's messages a subscriber is sent: that it is raised, and that it is over.

A new alarm comes from INSUFFICIENT_DATA to OK, and its OK actions are run: without a filter, each deployment of a
stack would mail as many OKs as it has alarms. EventBridge knows the state before, too, but its messages to an encrypted
topic bear no condition in the policies of topic and key (SNS Developer Guide, Key management): anybody's rule could
publish.
"""


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Which alarms there are, and who is notified.

    Parameters
    ----------
    display_name
        From whom the mails are.
    kms_key_arn
        The key that the topic is encrypted with; its policy must let CloudWatch use it.
    alarms, composite_alarms
        The alarms.
    emails
        Addresses that they are sent to; each must confirm its subscription.
    topic_arns
        Topics of the caller's own that the alarms are published to too.
    """

    display_name: str
    kms_key_arn: pulumi.Input[str]
    alarms: Sequence[Alarm]
    composite_alarms: Sequence[CompositeAlarm] = ()
    emails: Sequence[str] = ()
    topic_arns: Sequence[pulumi.Input[str]] = ()


class Monitoring(pulumi.ComponentResource):
    """An encrypted topic for the operator, and the alarms.

    Attributes
    ----------
    topic
        Where alarms are published.
    alarm_names
        The names of the alarms that are, separated by commas.
    """

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.topic = aws.sns.Topic(
            f"{name}-alerts", display_name=args.display_name, kms_master_key_id=args.kms_key_arn, opts=child
        )
        self._let_alarms_publish(name)
        if not args.emails and not args.topic_arns:
            pulumi.log.warn("alertEmails is empty, as is alarmTopicArns: the alarms reach nobody")
        self._subscribe(name, args.emails)
        topics = [self.topic.arn, *args.topic_arns]
        names = [alarm.declare(name, topics, child).name for alarm in args.alarms]
        names += [alarm.declare(name, topics, child).alarm_name for alarm in args.composite_alarms]
        self.alarm_names = pulumi.Output.all(*names).apply(",".join)
        self.register_outputs({"topicArn": self.topic.arn})

    def _let_alarms_publish(self, name: str) -> None:
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
                        conditions={"StringEquals": {"aws:SourceAccount": Account(self).id}},
                    ),
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _subscribe(self, name: str, addresses: Sequence[str]) -> None:
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

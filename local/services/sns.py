"""SNS on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs


def _topic(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    arn = cloud.client("sns").create_topic(
        Name=name,
        Attributes={"DisplayName": inputs.text("displayName"), "KmsMasterKeyId": inputs.text("kmsMasterKeyId")},
    )["TopicArn"]
    return Created(id=arn, outputs={"arn": arn, "name": name})


def _policy(cloud: Cloud, inputs: Inputs) -> Created:
    arn = inputs.text("arn")
    cloud.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=inputs.text("policy"))
    return Created(id=arn, outputs={})


def _subscription(cloud: Cloud, inputs: Inputs) -> Created:
    arn = cloud.client("sns").subscribe(
        TopicArn=inputs.text("topic"),
        Protocol=inputs.text("protocol"),
        Endpoint=inputs.text("endpoint"),
        Attributes={
            "FilterPolicy": inputs.text("filterPolicy"),
            "FilterPolicyScope": inputs.text("filterPolicyScope"),
        },
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(id=arn, outputs={"arn": arn})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
}

"""Alarms as their subscribers hear of them: that one is raised, that it is over, and nothing of a new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import pytest

from local.waiting import wait_until
from tests.local.conftest import LocalPipeline

State: TypeAlias = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


@pytest.fixture
def heard(standing: LocalPipeline) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """What somebody hears who subscribed as the program subscribes addresses: the state before, and the new one."""
    cloud, topic = standing.stack.cloud, standing.stack.outputs["topicArn"]
    (declared,) = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    attributes = cloud.client("sns").get_subscription_attributes(SubscriptionArn=declared["SubscriptionArn"])[
        "Attributes"
    ]
    url = cloud.client("sqs").create_queue(QueueName="operator")["QueueUrl"]
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [policy]})}
    )
    subscription = cloud.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=cloud.arn("sqs", "operator"),
        Attributes={name: attributes[name] for name in ("FilterPolicy", "FilterPolicyScope")},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    messages: list[tuple[str, str]] = []

    def receive() -> list[tuple[str, str]]:
        for message in cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            alarm = json.loads(json.loads(message["Body"])["Message"])
            messages.append((alarm["OldStateValue"], alarm["NewStateValue"]))
            cloud.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    yield receive
    cloud.client("sns").unsubscribe(SubscriptionArn=subscription)
    cloud.client("sqs").delete_queue(QueueUrl=url)


def test_an_alarm_and_its_end_are_heard_and_a_new_one_that_is_well_is_not(
    standing: LocalPipeline, heard: Callable[[], list[tuple[str, str]]]
) -> None:
    cloudwatch = standing.stack.cloud.client("cloudwatch")
    name = next(
        alarm["AlarmName"]
        for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        if "intake-dead-letters" in alarm["AlarmName"]
    )

    def come_to(*states: State) -> None:
        for state in states:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="played")

    come_to("INSUFFICIENT_DATA", "OK", "ALARM", "OK")

    wait_until(lambda: len(heard()) == 2, "not both were heard")
    assert sorted(heard()) == [("ALARM", "OK"), ("OK", "ALARM")]

    come_to("INSUFFICIENT_DATA", "ALARM", "OK")

    wait_until(lambda: len(heard()) == 4, "not both were heard")
    assert sorted(heard()[2:]) == [("ALARM", "OK"), ("INSUFFICIENT_DATA", "ALARM")]

"""The operator can see what happened: logs are kept for a set time, and alarms reach somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel

from policy import resource_types as types
from policy.rule import Resource, Stack, is_set, resource_rule, stack_rule


def _logs_end(group: Resource) -> Iterator[str]:
    if not is_set(group.at("retentionInDays")):
        yield "retentionInDays is not set: its logs would be kept, and paid for, for ever"


def _alarm_is_heard(alarm: Resource) -> Iterator[str]:
    if not is_set(alarm.at("alarmActions")):
        yield "alarmActions is empty: the alarm would reach nobody"
    if not is_set(alarm.at("treatMissingData")):
        yield "treatMissingData is not set: say what silence means"
    if alarm.at("actionsEnabled") in (False, "false"):
        yield "actionsEnabled is false: the alarm would reach nobody"


def _topic_is_heard(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for topic in stack.all(types.TOPIC):
        if topic.is_production and not stack.pointing_at(topic, types.SUBSCRIPTION, "topic"):
            yield topic, "has no subscription: set alertEmails"


def _bucket_is_logged(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for bucket in stack.all(types.BUCKET):
        logged = stack.pointing_at(bucket, types.BUCKET_LOGGING, "bucket")
        takes_logs = stack.pointing_at(bucket, types.BUCKET_LOGGING, "targetBucket")
        if not logged and not takes_logs:
            yield bucket, "has no BucketLogging: nobody could tell who read it"


RULES: Final = (
    resource_rule("logs-expire", "Log groups have a retention.", {types.LOG_GROUP}, _logs_end),
    resource_rule(
        "alarms-heard", "Alarms have an action, and say what missing data means.", {types.ALARM}, _alarm_is_heard
    ),
    stack_rule(
        "topics-heard",
        "Somebody has subscribed to production's alarms.",
        _topic_is_heard,
        # Who is told is for the account to say: the stack works without.
        EnforcementLevel.ADVISORY,
    ),
    stack_rule("buckets-logged", "Access to every bucket is logged.", _bucket_is_logged),
)

"""The operator can see what happened: logs are kept for a set time, and alarms reach somebody."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import EnforcementLevel

from policy.resource import Resource, Stack, is_set
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule


@resource_rule(Type.LOG_GROUP)
def logs_expire(group: Resource) -> Iterator[str]:
    """Log groups have a retention."""
    if not is_set(group.at("retentionInDays")):
        yield "retentionInDays is not set: its logs would be kept, and paid for, for ever"


@resource_rule(Type.ALARM)
def alarms_explained(alarm: Resource) -> Iterator[str]:
    """Alarms say what missing data means."""
    if not is_set(alarm.at("treatMissingData")):
        yield "treatMissingData is not set: say what silence means"


@stack_rule()
def alarms_heard(stack: Stack) -> StackComplaints:
    """Alarms have an action, or are part of a composite alarm, which has one."""
    for alarm in stack.all(Type.ALARM, Type.COMPOSITE_ALARM):
        is_part = stack.pointing_at(alarm, Type.COMPOSITE_ALARM, "alarmRule")
        if not is_set(alarm.at("alarmActions")) and not is_part:
            yield alarm, "alarmActions is empty, and no composite alarm has it for a part: it would reach nobody"
        if alarm.at("actionsEnabled") in (False, "false"):
            yield alarm, "actionsEnabled is false: the alarm would reach nobody"


@stack_rule(EnforcementLevel.ADVISORY)
def topics_heard(stack: Stack) -> StackComplaints:
    """Somebody has subscribed to production's alarms."""
    for topic in stack.all(Type.TOPIC):
        if topic.is_production and not stack.pointing_at(topic, Type.SUBSCRIPTION, "topic"):
            yield topic, "has no subscription: set alertEmails"


@stack_rule()
def buckets_logged(stack: Stack) -> StackComplaints:
    """Access to every bucket is logged."""
    for bucket in stack.all(Type.BUCKET):
        logged = stack.pointing_at(bucket, Type.BUCKET_LOGGING, "bucket")
        takes_logs = stack.pointing_at(bucket, Type.BUCKET_LOGGING, "targetBucket")
        if not logged and not takes_logs:
            yield bucket, "has no BucketLogging: nobody could tell who read it"

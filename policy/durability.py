"""Nothing is lost: dead-letter messages are kept, and production's data outlives its stack."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from policy.resource import UNKNOWN, Resource, Stack, elements, is_on, is_one_of, is_set
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule

VISIBILITY_PER_TIMEOUT: Final = 6
"""Visibility of a message as a multiple of its consumer's time-out (Lambda, Using Lambda with Amazon SQS)."""

_DATA: Final = (Type.BUCKET, Type.KEY, Type.TABLE, Type.USER_POOL)


@stack_rule()
def dead_letters_kept(stack: Stack) -> StackComplaints:
    """What a function cannot process is kept: in a dead-letter queue, or in its stream."""
    for source in stack.all(Type.EVENT_SOURCE):
        queues = [queue for queue in stack.all(Type.QUEUE) if source.comes_from("eventSourceArn", queue)]
        for queue in queues:
            if not is_set(queue.at("redrivePolicy")):
                yield queue, "feeds a function and has no redrivePolicy: a message that always fails would be lost"
        if (
            not queues
            and _gives_up(source)
            and not is_set(source.at("destinationConfig", "onFailure", "destinationArn"))
        ):
            yield source, "gives up on records of a stream and has no destinationConfig.onFailure: they would be lost"


def _gives_up(source: Resource) -> bool:
    """Tell whether a stream's records are skipped before the stream deletes them; -1 is Lambda's word for never."""
    limits = (source.at("maximumRetryAttempts"), source.at("maximumRecordAgeInSeconds"))
    return any(isinstance(limit, int | float) and limit >= 0 for limit in limits)


@stack_rule()
def visibility_outlasts_timeout(stack: Stack) -> StackComplaints:
    """A message stays hidden for 6 times its consumer's time-out."""
    for source in stack.all(Type.EVENT_SOURCE):
        queues = [queue for queue in stack.all(Type.QUEUE) if source.comes_from("eventSourceArn", queue)]
        functions = [function for function in stack.all(Type.FUNCTION) if source.comes_from("functionName", function)]
        for queue, function in product(queues, functions):
            visibility, timeout = queue.at("visibilityTimeoutSeconds"), function.at("timeout")
            if not isinstance(visibility, int | float) or not isinstance(timeout, int | float):
                continue
            least = VISIBILITY_PER_TIMEOUT * timeout
            if visibility < least:
                complaint = f"visibilityTimeoutSeconds = {visibility:.0f}: should be at least {least:.0f}, or a message"
                yield queue, f"{complaint} is received again while {function.name} is at it"


@resource_rule(Type.EVENT_SOURCE)
def partial_batches(source: Resource) -> Iterator[str]:
    """Functions hand back failed messages one by one."""
    answers = source.at("functionResponseTypes")
    if answers is not UNKNOWN and "ReportBatchItemFailures" not in elements(answers):
        yield "functionResponseTypes lacks ReportBatchItemFailures: one failure would return the whole batch"


@resource_rule(Type.EVENT_SOURCE)
def sources_read(source: Resource) -> Iterator[str]:
    """What arrives for a function is read."""
    if source.at("enabled") in (False, "false"):
        yield "enabled is false: nobody would read what arrives, until it expires"


@resource_rule(*_DATA)
def production_retained(resource: Resource) -> Iterator[str]:
    """Production's buckets, tables, keys and user pools are protected from deletion."""
    if not resource.is_production:
        return
    if not resource.protect:
        yield "is not protected: retainData should be true in production"
    if resource.type == Type.BUCKET and resource.at("forceDestroy") is True:
        yield "forceDestroy is true: its objects would be deleted with it"
    if resource.type == Type.TABLE and not is_on(resource.at("deletionProtectionEnabled")):
        yield "deletionProtectionEnabled is not true"
    if resource.type == Type.USER_POOL and not is_one_of(resource.at("deletionProtection"), "ACTIVE"):
        yield "deletionProtection is not ACTIVE: its users would be deleted with it"


@resource_rule(Type.TABLE)
def tables_restorable(table: Resource) -> Iterator[str]:
    """Tables can be restored to any point in time."""
    if not is_on(table.at("pointInTimeRecovery", "enabled")):
        yield "pointInTimeRecovery is not enabled"


@stack_rule()
def buckets_versioned(stack: Stack) -> StackComplaints:
    """Buckets keep what is overwritten."""
    for bucket in stack.all(Type.BUCKET):
        states = [
            setting.at("versioningConfiguration", "status")
            for setting in stack.pointing_at(bucket, Type.BUCKET_VERSIONING, "bucket")
        ]
        if not states or not all(is_one_of(state, "Enabled") for state in states):
            yield bucket, "is not versioned: an object that is overwritten would be lost"

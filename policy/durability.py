"""Nothing is lost: dead letters are kept, and production's data outlives its stack."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, Stack, elements, is_on, is_one_of, is_set, resource_rule, stack_rule

VISIBILITY_PER_TIMEOUT: Final = 6
"""Visibility of a message as a multiple of its consumer's time-out (Lambda, Using Lambda with Amazon SQS)."""

_DATA: Final = (types.BUCKET, types.KEY, types.TABLE, types.USER_POOL)


def _keeps_what_fails(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for source in stack.all(types.EVENT_SOURCE):
        queues = [queue for queue in stack.all(types.QUEUE) if source.comes_from("eventSourceArn", queue)]
        for queue in queues:
            if not is_set(queue.at("redrivePolicy")):
                yield queue, "feeds a function and has no redrivePolicy: a message that always fails would be lost"
        if not queues and not is_set(source.at("destinationConfig", "onFailure", "destinationArn")):
            yield source, "reads a stream and has no destinationConfig.onFailure: what always fails would be lost"


def _waits_long_enough(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for source in stack.all(types.EVENT_SOURCE):
        queues = [queue for queue in stack.all(types.QUEUE) if source.comes_from("eventSourceArn", queue)]
        functions = [function for function in stack.all(types.FUNCTION) if source.comes_from("functionName", function)]
        for queue, function in product(queues, functions):
            visibility, timeout = queue.at("visibilityTimeoutSeconds"), function.at("timeout")
            if not isinstance(visibility, int | float) or not isinstance(timeout, int | float):
                continue
            least = VISIBILITY_PER_TIMEOUT * timeout
            if visibility < least:
                complaint = f"visibilityTimeoutSeconds = {visibility:.0f}: should be at least {least:.0f}, or a message"
                yield queue, f"{complaint} is given out again while {function.name} is at it"


def _returns_one_by_one(source: Resource) -> Iterator[str]:
    answers = source.at("functionResponseTypes")
    if answers is not UNKNOWN and "ReportBatchItemFailures" not in elements(answers):
        yield "functionResponseTypes lacks ReportBatchItemFailures: one failure would return the whole batch"


def _is_read(source: Resource) -> Iterator[str]:
    if source.at("enabled") in (False, "false"):
        yield "enabled is false: nobody would read what arrives, until it lapses"


def _outlives_production(resource: Resource) -> Iterator[str]:
    if not resource.is_production:
        return
    if not resource.protect:
        yield "is not protected: retainData should be true in production"
    if resource.type == types.BUCKET and resource.at("forceDestroy") is True:
        yield "forceDestroy is true: its objects would be deleted with it"
    if resource.type == types.TABLE and not is_on(resource.at("deletionProtectionEnabled")):
        yield "deletionProtectionEnabled is not true"
    if resource.type == types.USER_POOL and not is_one_of(resource.at("deletionProtection"), "ACTIVE"):
        yield "deletionProtection is not ACTIVE: its users would be deleted with it"


def _can_be_restored(table: Resource) -> Iterator[str]:
    if not is_on(table.at("pointInTimeRecovery", "enabled")):
        yield "pointInTimeRecovery is not enabled"


def _is_versioned(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for bucket in stack.all(types.BUCKET):
        states = [
            setting.at("versioningConfiguration", "status")
            for setting in stack.pointing_at(bucket, types.BUCKET_VERSIONING, "bucket")
        ]
        if not states or not all(is_one_of(state, "Enabled") for state in states):
            yield bucket, "is not versioned: an object that is overwritten would be lost"


RULES: Final = (
    stack_rule(
        "dead-letters-kept", "What a function cannot process is kept, from queues and from streams.", _keeps_what_fails
    ),
    stack_rule(
        "visibility-outlasts-timeout", "A message stays hidden for 6 times its consumer's time-out.", _waits_long_enough
    ),
    resource_rule(
        "partial-batches",
        "Functions hand back failed messages one by one.",
        {types.EVENT_SOURCE},
        _returns_one_by_one,
    ),
    resource_rule("sources-read", "What arrives for a function is read.", {types.EVENT_SOURCE}, _is_read),
    resource_rule(
        "production-retained",
        "Production's buckets, tables, keys and user pools are protected from deletion.",
        _DATA,
        _outlives_production,
    ),
    resource_rule("tables-restorable", "Tables can be restored to any point in time.", {types.TABLE}, _can_be_restored),
    stack_rule("buckets-versioned", "Buckets keep what is overwritten.", _is_versioned),
)

"""Everything that is stored is encrypted with the stack's own key, and the key is rotated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policy.resource import UNKNOWN, Resource, Stack, elements, is_on, is_one_of, is_set, look
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule

_KEY_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    Type.FUNCTION: ("kmsKeyArn",),
    Type.LOG_GROUP: ("kmsKeyId",),
    Type.QUEUE: ("kmsMasterKeyId",),
    Type.SECRET: ("kmsKeyId",),
    Type.TABLE: ("serverSideEncryption", "kmsKeyArn"),
    Type.TOPIC: ("kmsMasterKeyId",),
}
"""Where each type names its key."""


@resource_rule(*_KEY_PROPERTIES)
def encrypted_with_a_key(resource: Resource) -> Iterator[str]:
    """Queues, topics, tables, log groups, secrets and function environments name a customer-managed key."""
    path = _KEY_PROPERTIES[resource.type]
    key = resource.at(*path)
    if not is_set(key):
        yield f"{'.'.join(path)} is not set: name the stack's key"
    elif isinstance(key, str) and "alias/aws/" in key:
        yield f"{'.'.join(path)} = {key}: name the stack's key, not AWS's own"
    if resource.type == Type.TABLE and not is_on(resource.at("serverSideEncryption", "enabled")):
        yield "serverSideEncryption.enabled is not true: the key is not used"


@stack_rule()
def encrypted_with_the_stack_key(stack: Stack) -> StackComplaints:
    """Keys that resources name are the stack's own, or the one that was brought to it."""
    keys = stack.all(Type.KEY)
    for resource in stack.all(*_KEY_PROPERTIES):
        path = _KEY_PROPERTIES[resource.type]
        if stack.brings("broughtKeyArn", resource.at(*path)):
            continue
        if is_set(resource.at(*path)) and not any(resource.comes_from(path[0], key) for key in keys):
            yield resource, f"{'.'.join(path)} is not a key of this stack"


@stack_rule()
def buckets_encrypted(stack: Stack) -> StackComplaints:
    """Buckets are encrypted with the stack's key, but for those that take other buckets' access logs."""
    for bucket in stack.all(Type.BUCKET):
        settings = stack.pointing_at(bucket, Type.BUCKET_ENCRYPTION, "bucket")
        takes_logs = _takes_logs(stack, bucket)
        if not settings:
            yield bucket, "has no BucketServerSideEncryptionConfiguration: declare one with the stack's key"
        for setting in settings:
            if setting.at("rules") is UNKNOWN or takes_logs:
                continue
            for rule in elements(setting.at("rules")) or [None]:
                default = look(rule, "applyServerSideEncryptionByDefault")
                if not is_one_of(look(default, "sseAlgorithm"), "aws:kms") and default is not UNKNOWN:
                    yield bucket, "is not encrypted with aws:kms, and takes no access logs"
                elif not _is_of_the_stack(stack, setting, look(default, "kmsMasterKeyId")):
                    yield bucket, "is not encrypted with a key of this stack"
                elif not is_on(look(rule, "bucketKeyEnabled")):
                    yield bucket, "has no bucket key: every object is a call to KMS"


def _is_of_the_stack(stack: Stack, setting: Resource, key_arn: object) -> bool:
    """Tell whether a bucket's key is made by the stack, or was brought to it."""
    made = any(setting.comes_from("rules", key) for key in stack.all(Type.KEY))
    return made or stack.brings("broughtKeyArn", key_arn)


def _takes_logs(stack: Stack, bucket: Resource) -> bool:
    """Tell whether other buckets log to it: log delivery of S3 writes to buckets with S3-managed keys only."""
    others = [other for other in stack.all(Type.BUCKET) if other is not bucket]
    logging = stack.pointing_at(bucket, Type.BUCKET_LOGGING, "targetBucket")
    return any(setting.comes_from("bucket", other) for setting in logging for other in others)


@resource_rule(Type.KEY)
def keys_rotate(key: Resource) -> Iterator[str]:
    """Keys are rotated."""
    if not is_on(key.at("enableKeyRotation")):
        yield "enableKeyRotation is not true"

"""Everything that is stored is encrypted with the stack's own key, and the key is rotated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, Stack, elements, is_on, is_one_of, is_set, look, resource_rule, stack_rule

_KEY_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    types.FUNCTION: ("kmsKeyArn",),
    types.LOG_GROUP: ("kmsKeyId",),
    types.QUEUE: ("kmsMasterKeyId",),
    types.SECRET: ("kmsKeyId",),
    types.TABLE: ("serverSideEncryption", "kmsKeyArn"),
    types.TOPIC: ("kmsMasterKeyId",),
}
"""Where each type names its key."""


def _names_a_key(resource: Resource) -> Iterator[str]:
    path = _KEY_PROPERTIES[resource.type]
    key = resource.at(*path)
    if not is_set(key):
        yield f"{'.'.join(path)} is not set: name the stack's key"
    elif isinstance(key, str) and "alias/aws/" in key:
        yield f"{'.'.join(path)} = {key}: name the stack's key, not AWS's own"
    if resource.type == types.TABLE and not is_on(resource.at("serverSideEncryption", "enabled")):
        yield "serverSideEncryption.enabled is not true: the key is not used"


def _is_the_stacks_key(stack: Stack) -> Iterator[tuple[Resource, str]]:
    keys = stack.all(types.KEY)
    for resource in stack.all(*_KEY_PROPERTIES):
        path = _KEY_PROPERTIES[resource.type]
        if is_set(resource.at(*path)) and not any(resource.comes_from(path[0], key) for key in keys):
            yield resource, f"{'.'.join(path)} is not a key of this stack"


def _buckets(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for bucket in stack.all(types.BUCKET):
        settings = stack.pointing_at(bucket, types.BUCKET_ENCRYPTION, "bucket")
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
                elif not any(setting.comes_from("rules", key) for key in stack.all(types.KEY)):
                    yield bucket, "is not encrypted with a key of this stack"
                elif not is_on(look(rule, "bucketKeyEnabled")):
                    yield bucket, "has no bucket key: every object is a call to KMS"


def _takes_logs(stack: Stack, bucket: Resource) -> bool:
    """Tell whether other buckets log to it: log delivery of S3 writes to buckets with S3-managed keys only."""
    others = [other for other in stack.all(types.BUCKET) if other is not bucket]
    logging = stack.pointing_at(bucket, types.BUCKET_LOGGING, "targetBucket")
    return any(setting.comes_from("bucket", other) for setting in logging for other in others)


def _rotates(key: Resource) -> Iterator[str]:
    if not is_on(key.at("enableKeyRotation")):
        yield "enableKeyRotation is not true"


RULES: Final = (
    resource_rule(
        "encrypted-with-a-key",
        "Queues, topics, tables, log groups, secrets and function environments name a customer-managed key.",
        _KEY_PROPERTIES,
        _names_a_key,
    ),
    stack_rule("encrypted-with-the-stack-key", "That key is one of the stack's own.", _is_the_stacks_key),
    stack_rule(
        "buckets-encrypted",
        "Buckets are encrypted with the stack's key, but for those that take other buckets' access logs.",
        _buckets,
    ),
    resource_rule("keys-rotate", "Keys are rotated.", {types.KEY}, _rotates),
)

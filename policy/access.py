"""Who may do what: TLS only, nothing public, and permissions that name what they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy import resource_types as types
from policy.documents import MalformedDocumentError, Statement, read_document
from policy.rule import UNKNOWN, Resource, Stack, is_on, is_one_of, is_set, resource_rule, stack_rule


@dataclass(frozen=True, kw_only=True)
class _Guarded:
    """A type that has a policy of its own: where that is, how it points at it, and what it must deny without TLS."""

    policy: str
    pointer: str
    action: str


_GUARDED: Final[Mapping[str, _Guarded]] = {
    types.BUCKET: _Guarded(policy=types.BUCKET_POLICY, pointer="bucket", action="s3:*"),
    types.QUEUE: _Guarded(policy=types.QUEUE_POLICY, pointer="queueUrl", action="sqs:*"),
    # A topic's policy takes single actions only; publishing is what carries data.
    types.TOPIC: _Guarded(policy=types.TOPIC_POLICY, pointer="arn", action="sns:Publish"),
}
_TLS_ACTIONS: Final = {guarded.policy: guarded.action for guarded in _GUARDED.values()}
_ROLE_DOCUMENTS: Final = {types.ROLE_POLICY: "policy", types.MANAGED_POLICY: "policy"}
_RESOURCE_DOCUMENTS: Final = {
    **dict.fromkeys(_TLS_ACTIONS, "policy"),
    types.KEY: "policy",
    types.SECRET_POLICY: "policy",
    types.ROLE: "assumeRolePolicy",
}
_DOCUMENTS: Final = {**_ROLE_DOCUMENTS, **_RESOURCE_DOCUMENTS}
_SOURCE_KEYS: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"})
_PUBLIC_ACCESS_SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _document(resource: Resource) -> Iterator[str]:
    """Complain of a document that cannot be read: the other rules take it for empty."""
    try:
        read_document(resource.at(_DOCUMENTS[resource.type]))
    except MalformedDocumentError as error:
        yield f"{_DOCUMENTS[resource.type]} {error}"


def _statements(resource: Resource) -> list[Statement]:
    try:
        return read_document(resource.at(_DOCUMENTS[resource.type]))
    except MalformedDocumentError:
        return []


def _denies_plain_http(resource: Resource) -> Iterator[str]:
    action = _TLS_ACTIONS[resource.type]
    if resource.at("policy") is not UNKNOWN and not any(
        not statement.allows
        and statement.is_for_everybody
        and action in statement.actions
        and statement.conditions == {"Bool": {"aws:SecureTransport": ["false"]}}
        for statement in _statements(resource)
    ):
        yield f"does not deny {action} to everybody without TLS (Bool aws:SecureTransport false)"


def _has_a_policy(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for kind, guarded in _GUARDED.items():
        for resource in stack.all(kind):
            if not stack.pointing_at(resource, guarded.policy, guarded.pointer):
                yield resource, "has no policy, so nothing denies plain HTTP"


def _is_not_public(resource: Resource) -> Iterator[str]:
    for statement in _statements(resource):
        if statement.allows and statement.is_for_everybody:
            yield f"{statement.sid} allows everybody: name the principal"
        elif statement.allows and "Service" in statement.principals and resource.type != types.ROLE:
            bound = statement.condition_keys & _SOURCE_KEYS
            if not bound and not any(key.startswith("kms:encryptioncontext") for key in statement.condition_keys):
                yield f"{statement.sid} allows a service on anybody's behalf: add aws:SourceAccount or aws:SourceArn"


def _private_bucket(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for bucket in stack.all(types.BUCKET):
        for kind, what in (
            (types.BUCKET_PUBLIC_ACCESS, "BucketPublicAccessBlock"),
            (types.BUCKET_OWNERSHIP, "BucketOwnershipControls"),
        ):
            if not stack.pointing_at(bucket, kind, "bucket"):
                yield bucket, f"has no {what}"


def _blocks_public_access(resource: Resource) -> Iterator[str]:
    for switch in _PUBLIC_ACCESS_SWITCHES:
        if not is_on(resource.at(switch)):
            yield f"{switch} is not true"


def _owner_enforced(resource: Resource) -> Iterator[str]:
    ownership = resource.at("rule", "objectOwnership")
    if not is_one_of(ownership, "BucketOwnerEnforced"):
        yield f"objectOwnership = {ownership}: should be BucketOwnerEnforced, so that no ACL counts"


def _invocable_by_named(resource: Resource) -> Iterator[str]:
    if resource.type == types.FUNCTION_URL:
        if not is_one_of(resource.at("authorizationType"), "AWS_IAM"):
            yield "authorizationType is not AWS_IAM: everybody may call the function"
        return
    if resource.at("principal") == "*":
        yield "allows everybody to call the function"
    if not is_set(resource.at("sourceArn")) and not is_set(resource.at("sourceAccount")):
        yield "allows a service on anybody's behalf: set sourceArn"


def _names_what_it_gives(resource: Resource) -> Iterator[str]:
    for statement in _statements(resource):
        for element in statement.negated:
            yield f"{statement.sid} has {element}: name what is meant, not what is not"
        if statement.allows:
            for action in statement.actions:
                if _is_too_wide(action, resource, statement):
                    yield f"{statement.sid} allows {action}: name each action"
            if resource.type in _ROLE_DOCUMENTS and "*" in statement.resources and not statement.conditions:
                yield f"{statement.sid} allows {', '.join(statement.actions)} on * without a condition"


def _is_too_wide(action: str, resource: Resource, statement: Statement) -> bool:
    if resource.type in _ROLE_DOCUMENTS:
        return "*" in action
    # A resource's policy is about that resource alone: kms:ReEncrypt* is how KMS itself words it.
    return (action == "*" or action.endswith(":*")) and not _is_account_root(resource, statement)


def _is_account_root(resource: Resource, statement: Statement) -> bool:
    """Tell whether it leaves a key to its account's own IAM, without which nobody could manage the key."""
    principals = [who for all_of_a_kind in statement.principals.values() for who in all_of_a_kind]
    return resource.type == types.KEY and all(who.endswith(":root") for who in principals)


def _attaches_our_own(attachment: Resource) -> Iterator[str]:
    arn = attachment.at("policyArn")
    if isinstance(arn, str) and ":iam::aws:policy/" in arn:
        yield f"attaches {arn}: AWS's own policies name no resource of ours; grant what is needed instead"


RULES: Final = (
    resource_rule("documents-readable", "Policy documents can be read.", _DOCUMENTS, _document),
    resource_rule(
        "tls-only", "Policies of buckets, queues and topics deny plain HTTP.", _TLS_ACTIONS, _denies_plain_http
    ),
    stack_rule("tls-everywhere", "Every bucket, queue and topic has such a policy.", _has_a_policy),
    resource_rule(
        "nothing-public",
        "No policy allows everybody, nor a service on anybody's behalf.",
        _RESOURCE_DOCUMENTS,
        _is_not_public,
    ),
    stack_rule(
        "buckets-private", "Every bucket blocks public access and belongs to its account alone.", _private_bucket
    ),
    resource_rule(
        "public-access-blocked",
        "Public access is blocked in all four ways.",
        {types.BUCKET_PUBLIC_ACCESS},
        _blocks_public_access,
    ),
    resource_rule("owner-enforced", "No ACL of an object counts.", {types.BUCKET_OWNERSHIP}, _owner_enforced),
    resource_rule(
        "functions-not-public",
        "Functions are called by named principals, for named resources.",
        {types.FUNCTION_PERMISSION, types.FUNCTION_URL},
        _invocable_by_named,
    ),
    resource_rule(
        "least-privilege",
        "Roles name their actions, and their resources or a condition; nothing is given by negation.",
        _DOCUMENTS,
        _names_what_it_gives,
    ),
    resource_rule(
        "no-aws-managed-policies",
        "Roles have policies of their own, not AWS's.",
        {types.ROLE_POLICY_ATTACHMENT},
        _attaches_our_own,
    ),
)

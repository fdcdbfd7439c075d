"""Who gets in: nobody from outside, no other account, and by nothing that the rules do not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policy import resource_types as types
from policy.documents import Statement, account_of, has_wildcard
from policy.rule import EVERY_TYPE, UNKNOWN, Resource, Stack, is_on, is_one_of, is_set, resource_rule, stack_rule
from policy.statements import (
    ACCOUNT_ROOT,
    DOCUMENTS,
    RESOURCE_DOCUMENTS,
    given_by_resource,
    given_to_role,
    statements,
)

_INLINE: Final[Mapping[str, tuple[str, ...]]] = {
    # Each makes routes, the last three with a stage: an API's quick create.
    types.API: ("body", "credentialsArn", "routeKey", "target"),
    types.BUCKET: ("acl", "grants", "policy"),
    types.QUEUE: ("policy",),
    types.ROLE: ("managedPolicyArns",),
    types.SECRET: ("policy",),
    types.TOPIC: ("policy",),
}
"""Where a resource could let somebody in past the rules, which read the resource made for that."""

_OF_ONE_ACCOUNT: Final = {*DOCUMENTS, types.FUNCTION_PERMISSION, types.SUBSCRIPTION}
"""What can name another account."""

_POINTERS: Final = (
    "arn",
    "function",
    "queueUrl",
    "secretArn",
    "sourceAccount",
    "sourceArn",
    "subscriptionRoleArn",
    "topic",
)
"""Where these name an account outside their documents."""

_SOURCE_ARNS: Final = frozenset({"aws:sourcearn", "kms:encryptioncontext:aws:logs:arn"})
_SOURCE_KEYS: Final = _SOURCE_ARNS | {"aws:sourceaccount"}
_PUBLIC_ACCESS_SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _is_known(resource: Resource) -> Iterator[str]:
    if resource.type in types.KNOWN or resource.type.startswith(types.OUR_OWN):
        return
    if resource.type.startswith("aws:iam/"):
        yield f"{resource.type}: permissions are given by a Role and its RolePolicy alone, which the rules read"
    else:
        yield (
            f"no rule reads {resource.type}: declare it with a type of policy/resource_types.py, or add it to KNOWN"
            " there, with a rule for what it stores and whom it lets in"
        )


def _has_nothing_inline(resource: Resource) -> Iterator[str]:
    for name in _INLINE[resource.type]:
        value = resource.at(name)
        if value is not UNKNOWN and is_set(value):
            yield f"{name} is set inline, where no rule reads it: declare a resource of its own for that"


def _is_not_public(resource: Resource) -> Iterator[str]:
    for statement in statements(given_by_resource(resource)):
        if not statement.allows:
            continue
        if statement.is_for_everybody:
            yield f"{statement.sid} allows everybody: name the principal"
            continue
        for kind, who in ((kind, one) for kind, all_of_it in statement.principals.items() for one in all_of_it):
            if resource.type == types.ROLE:
                if kind != "Service":
                    yield f"{statement.sid} lets {who} take the role: only services may"
            elif kind == "Service":
                if not _is_bound(statement):
                    yield f"{statement.sid} allows {who} on anybody's behalf: add aws:SourceAccount or aws:SourceArn"
            elif kind != "AWS" or not ACCOUNT_ROOT.fullmatch(who):
                yield f"{statement.sid} allows {who}: leave it to the account's own roles, by its root"


def _is_bound(statement: Statement) -> bool:
    """Tell whether a service may act for one account or resource only."""
    return any(all(_is_one_source(key, value) for value in values) for key, values in statement.demands if values)


def _is_one_source(key: str, value: str) -> bool:
    if key == "aws:sourceaccount":
        return account_of(value) == value
    # A bucket's ARN names no account, so it has to name the bucket.
    return (
        key in _SOURCE_ARNS and value.startswith("arn:") and (account_of(value) is not None or not has_wildcard(value))
    )


def _is_of_one_account(resource: Resource) -> Iterator[str]:
    accounts = _accounts(resource)
    if len(accounts) > 1:
        yield f"names the accounts {', '.join(sorted(accounts))}: its own only"


def _stack_is_of_one_account(stack: Stack) -> Iterator[tuple[Resource, str]]:
    own = {
        account
        for resource in stack.resources
        # A topic's policy and subscriptions have the account of the topic that somebody wrote; the other ARNs are
        # what AWS answered.
        if resource.type.startswith("aws:") and resource.type not in {types.TOPIC_POLICY, types.SUBSCRIPTION}
        for account in [account_of(str(resource.at("arn")))]
        if account
    }
    named = {resource.urn: _accounts(resource) for resource in stack.all(*_OF_ONE_ACCOUNT)}
    if not own and len(set().union(*named.values())) == 1:
        return
    for resource in stack.all(*_OF_ONE_ACCOUNT):
        if strange := named[resource.urn] - own:
            yield resource, f"names the account {', '.join(sorted(strange))}, which is not the whole stack's"


def _accounts(resource: Resource) -> set[str]:
    """Return the accounts that what a resource allows names, and the one that it is for."""
    named = [str(resource.at(pointer)) for pointer in _POINTERS]
    endpoint = str(resource.at("endpoint"))
    named += [endpoint] if endpoint.startswith("arn:") else []  # a URL may hold any number
    for statement in (*statements(given_to_role(resource)), *statements(given_by_resource(resource))):
        if statement.allows:
            named += [who for all_of_a_kind in statement.principals.values() for who in all_of_a_kind]
            named += [value for key, values in statement.demands if key in _SOURCE_KEYS for value in values]
            named += statement.resources
    return {account for account in map(account_of, named) if account}


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


def _invocable_by_named(permission: Resource) -> Iterator[str]:
    principal = permission.at("principal")
    if principal is not UNKNOWN and not str(principal).endswith(".amazonaws.com"):
        yield f"allows {principal} to call the function: only a service may"
    if permission.at("functionUrlAuthType") == "NONE":
        yield "functionUrlAuthType = NONE allows everybody to call the function: leave it out"
    arn, account = permission.at("sourceArn"), permission.at("sourceAccount")
    bound = (("aws:sourcearn", arn), ("aws:sourceaccount", account))
    if not any(value is UNKNOWN or _is_one_source(key, str(value)) for key, value in bound):
        yield (
            f"sourceArn = {arn}, sourceAccount = {account} allows a service on anybody's behalf: set sourceArn to an"
            " ARN that names its account, or has no wildcard"
        )


RULES: Final = (
    resource_rule("known-types", "Every resource is of a type that the rules know.", EVERY_TYPE, _is_known),
    resource_rule(
        "nothing-inline",
        "Roles have policies of their own, and resources let nobody in but by the resource that is made for it.",
        _INLINE,
        _has_nothing_inline,
    ),
    resource_rule(
        "nothing-public",
        "No policy allows everybody, nor a service on anybody's behalf.",
        RESOURCE_DOCUMENTS,
        _is_not_public,
    ),
    resource_rule(
        "one-account-in-a-policy",
        "A policy, permission or subscription names no account but its own.",
        _OF_ONE_ACCOUNT,
        _is_of_one_account,
    ),
    stack_rule("one-account-in-a-stack", "None names another account than the stack's.", _stack_is_of_one_account),
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
        {types.FUNCTION_PERMISSION},
        _invocable_by_named,
    ),
)

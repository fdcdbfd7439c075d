"""Nobody gets in from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policy.documents import is_one_source
from policy.resource import UNKNOWN, Resource, Stack, is_on, is_one_of
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule
from policy.statements import ACCOUNT_ROOT, RESOURCE_DOCUMENTS, resource_statements

_PUBLIC_ACCESS_SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@resource_rule(*RESOURCE_DOCUMENTS)
def nothing_public(resource: Resource) -> Iterator[str]:
    """No policy allows everybody, nor a service on anybody's behalf."""
    for statement in resource_statements(resource):
        if not statement.allows:
            continue
        if statement.is_for_everybody:
            yield f"{statement.sid} allows everybody: name the principal"
            continue
        for kind, who in ((kind, one) for kind, all_of_it in statement.principals.items() for one in all_of_it):
            if resource.type == Type.ROLE:
                if kind != "Service":
                    yield f"{statement.sid} lets {who} take the role: only services may"
            elif kind == "Service":
                if not statement.is_for_one_source:
                    yield f"{statement.sid} allows {who} on anybody's behalf: add aws:SourceAccount or aws:SourceArn"
            elif kind != "AWS" or not ACCOUNT_ROOT.fullmatch(who):
                yield f"{statement.sid} allows {who}: leave it to the account's own roles, by its root"


@stack_rule()
def buckets_private(stack: Stack) -> StackComplaints:
    """Every bucket blocks public access and belongs to its account alone."""
    for bucket in stack.all(Type.BUCKET):
        for kind, what in (
            (Type.BUCKET_PUBLIC_ACCESS, "BucketPublicAccessBlock"),
            (Type.BUCKET_OWNERSHIP, "BucketOwnershipControls"),
        ):
            if not stack.pointing_at(bucket, kind, "bucket"):
                yield bucket, f"has no {what}"


@resource_rule(Type.BUCKET_PUBLIC_ACCESS)
def public_access_blocked(resource: Resource) -> Iterator[str]:
    """Public access is blocked in all four ways."""
    for switch in _PUBLIC_ACCESS_SWITCHES:
        if not is_on(resource.at(switch)):
            yield f"{switch} is not true"


@resource_rule(Type.BUCKET_OWNERSHIP)
def owner_enforced(resource: Resource) -> Iterator[str]:
    """No ACL of an object counts."""
    ownership = resource.at("rule", "objectOwnership")
    if not is_one_of(ownership, "BucketOwnerEnforced"):
        yield f"objectOwnership = {ownership}: should be BucketOwnerEnforced, so that no ACL counts"


@resource_rule(Type.FUNCTION_PERMISSION)
def functions_not_public(permission: Resource) -> Iterator[str]:
    """Functions are called by named principals, for named resources."""
    principal = permission.at("principal")
    if principal is not UNKNOWN and not str(principal).endswith(".amazonaws.com"):
        yield f"allows {principal} to call the function: only a service may"
    if permission.at("functionUrlAuthType") == "NONE":
        yield "functionUrlAuthType = NONE allows everybody to call the function: leave it out"
    arn, account = permission.at("sourceArn"), permission.at("sourceAccount")
    bound = (("aws:sourcearn", arn), ("aws:sourceaccount", account))
    if not any(value is UNKNOWN or is_one_source(key, str(value)) for key, value in bound):
        yield (
            f"sourceArn = {arn}, sourceAccount = {account} allows a service on anybody's behalf: set sourceArn to an"
            " ARN that names its account, or has no wildcard"
        )

"""Nothing is declared that no rule reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policy.resource import UNKNOWN, Resource, is_set
from policy.resource_types import OUR_OWN, Type
from policy.rule import EVERY_TYPE, resource_rule

_INLINE: Final[Mapping[str, tuple[str, ...]]] = {
    # Each makes routes, the last three with a stage: an API's quick create.
    Type.API: ("body", "credentialsArn", "routeKey", "target"),
    Type.BUCKET: ("acl", "grants", "policy"),
    Type.QUEUE: ("policy",),
    Type.ROLE: ("managedPolicyArns",),
    Type.SECRET: ("policy",),
    Type.TOPIC: ("policy",),
}
"""Where a resource could let somebody in past the rules, which read the resource made for that."""


@resource_rule(EVERY_TYPE)
def known_types(resource: Resource) -> Iterator[str]:
    """Every resource is of a type that the rules know."""
    if resource.type in set(Type) or resource.type.startswith(OUR_OWN):
        return
    if resource.type.startswith("aws:iam/"):
        yield f"{resource.type}: permissions are given by a Role and its RolePolicy alone, which the rules read"
    else:
        yield (
            f"no rule reads {resource.type}: declare it with a type of policy/resource_types.py, or add it there,"
            " with a rule for what it stores and whom it lets in"
        )


@resource_rule(*_INLINE)
def nothing_inline(resource: Resource) -> Iterator[str]:
    """Roles have policies of their own, and resources let nobody in but by the resource that is made for it."""
    for name in _INLINE[resource.type]:
        value = resource.at(name)
        if value is not UNKNOWN and is_set(value):
            yield f"{name} is set inline, where no rule reads it: declare a resource of its own for that"

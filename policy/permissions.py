"""Permissions name what they give, and conditions hold what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policy.documents import PolicyStatement, has_wildcard, is_nothing_but_wildcards
from policy.resource import Resource
from policy.resource_types import Type
from policy.rule import resource_rule
from policy.statements import ACCOUNT_ROOT, DOCUMENTS, all_statements, resource_statements, role_statements

_WITHOUT_RESOURCE: Final = frozenset(
    {
        *("cloudwatch:GetMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        # Of interfaces that do not exist yet (Lambda Developer Guide, Giving functions access to resources in a VPC).
        *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
    }
)
"""Actions that cannot be bound to a resource (Service Authorization Reference)."""

_KEY_FAMILIES: Final = frozenset({"kms:GenerateDataKey*", "kms:ReEncrypt*"})
"""Actions with a wildcard that a key's policy may give: how KMS itself words them."""

_KINDS: Final = frozenset(
    {"alias", "event-bus", "function", "key", "layer", "log-group", "role", "rule", "secret", "table", "userpool"}
)
"""What may precede the name in an ARN, and names nothing itself."""

_KEY_USES: Final = ("kms:viaservice", "kms:encryptioncontext:")
"""Conditions that say what a key is used for: through which service, or, of KMS itself, with which context."""


@resource_rule(*DOCUMENTS)
def least_privilege(resource: Resource) -> Iterator[str]:
    """Roles name their actions, and their resources or a condition; nothing is given by negation."""
    to_role, by_resource = role_statements(resource), resource_statements(resource)
    for statement in (*to_role, *by_resource):
        for element in statement.negated:
            yield f"{statement.sid} has {element}: name what is meant, not what is not"
    for statement in to_role:
        if statement.allows:
            for action in filter(has_wildcard, statement.actions):
                yield f"{statement.sid} allows {action}: name each action"
            yield from _names_its_resources(statement)
    for statement in by_resource:
        if statement.allows and not (resource.type == Type.KEY and _is_account_root(statement)):
            for action in filter(has_wildcard, statement.actions):
                if resource.type != Type.KEY or action not in _KEY_FAMILIES:
                    yield f"{statement.sid} allows {action}: name each action"


def _names_its_resources(statement: PolicyStatement) -> Iterator[str]:
    unbound = set(statement.actions) <= _WITHOUT_RESOURCE
    for name in statement.resources:
        if _names_something(name):
            continue
        if not unbound:
            yield f"{statement.sid} allows {', '.join(statement.actions)} on {name}: name the resource"
        elif not any(values and not any(map(is_nothing_but_wildcards, values)) for _, values in statement.demands):
            yield f"{statement.sid} allows {', '.join(statement.actions)} on {name} without a condition that binds it"


def _names_something(arn: str) -> bool:
    """Tell whether an ARN names at least one thing whole, before any wildcard: ``table/*`` and ``na*`` do not."""
    if not has_wildcard(arn):
        return True
    *home, name = arn.split(":", 5)
    if len(home) < 5 or any(map(has_wildcard, home)):  # noqa: PLR2004 - arn, partition, service, region, account
        return False
    named = re.split(r"[*?]", name, maxsplit=1)[0]
    if named.endswith("="):  # a folder such as record_type=…: what it is in counts
        named = named[: named.rfind("/") + 1]
    return named.endswith((":", "/")) and named.strip(":/") not in {"", *_KINDS}


def _is_account_root(statement: PolicyStatement) -> bool:
    """Tell whether it leaves a key to its account's own IAM, without which nobody could manage the key."""
    who = statement.principals.get("AWS", [])
    return set(statement.principals) == {"AWS"} and bool(who) and all(map(ACCOUNT_ROOT.fullmatch, who))


@resource_rule(*DOCUMENTS)
def conditions_need_their_key(resource: Resource) -> Iterator[str]:
    """No permission is given to a request because it lacks what a condition asks for.

    ForAllValues alone is such a condition: a request without the key meets it.
    """
    for statement in all_statements(resource):
        required = {key.lower() for key, values in _conditions(statement, "null") if values == ["false"]}
        for key, _ in _conditions(statement, "forallvalues:"):
            if statement.allows and key.lower() not in required:
                yield f"{statement.sid} has ForAllValues on {key}, true without it: add Null: {{{key}: false}}"


def _conditions(statement: PolicyStatement, operator: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the keys and values under the operators that begin with `operator`."""
    for name, keys in statement.conditions.items():
        if name.lower().startswith(operator):
            yield from keys.items()


@resource_rule(Type.ROLE, Type.ROLE_POLICY)
def keys_used_for_something(resource: Resource) -> Iterator[str]:
    """Roles use keys through named services, or with a named encryption context."""
    for statement in role_statements(resource):
        actions = [action for action in statement.actions if action.lower().startswith("kms:")]
        if not statement.allows or not actions:
            continue
        if not any(
            key.startswith(_KEY_USES) and values and not any(map(has_wildcard, values))
            for key, values in statement.demands
        ):
            yield (
                f"{statement.sid} allows {', '.join(actions)} in any way: add kms:ViaService with the services that "
                "use the key, or kms:EncryptionContext:… for what is asked of KMS itself"
            )

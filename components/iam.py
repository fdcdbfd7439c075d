"""Policy statements and documents, which grants are made of, and the roles that they are given to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pulumi
import pulumi_aws as aws

Conditions: TypeAlias = Mapping[str, Mapping[str, pulumi.Input[str] | Sequence[pulumi.Input[str]]]]
Principals: TypeAlias = str | Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of an IAM or resource policy.

    Parameters
    ----------
    sid
        Letters and digits that say what it is for; unique in its document.
    actions, resources
        What is allowed or denied, on what. Resources may be outputs.
    principals
        Who, in a resource policy; None in a role's policy.
    conditions
        Operator → condition key → value or values.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    effect: Literal["Allow", "Deny"] = "Allow"
    principals: Principals | None = None
    conditions: Conditions = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RoleArgs:
    """What a company asks of every role.

    Parameters
    ----------
    permissions_boundary_arn
        The policy that limits what a role may do, whatever it is given. None: no limit.
    path
        Path of a role's name, such as ``/pipelines/``. None: ``/``.
    """

    permissions_boundary_arn: pulumi.Input[str] | None = None
    path: pulumi.Input[str] | None = None


def service_role(
    name: str,
    service: str,
    args: RoleArgs,
    opts: pulumi.ResourceOptions,
    conditions: Conditions | None = None,
) -> aws.iam.Role:
    """Declare a role that one AWS service takes.

    Parameters
    ----------
    name
        What it is for; the role is called ``name-role``.
    service
        The service, such as ``lambda``.
    args
        What the company asks of it.
    opts
        The component that it belongs to.
    conditions
        Operator → condition key → value: when the service may take it.
    """
    trust = Statement(
        sid=f"{service.title()}Assumes",
        principals={"Service": f"{service}.amazonaws.com"},
        actions=["sts:AssumeRole"],
        resources=[],
        conditions=conditions or {},
    )
    return aws.iam.Role(
        f"{name}-role",
        assume_role_policy=policy_document([trust]),
        permissions_boundary=args.permissions_boundary_arn,
        path=args.path,
        opts=opts,
    )


def policy_document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """Return the JSON of a policy with `statements`, resolved when all that they name is known."""
    return pulumi.Output.json_dumps(render_policy(statements))


def render_policy(statements: Sequence[Statement]) -> dict[str, object]:
    """Return a policy with `statements`, as JSON has it."""
    return {"Version": "2012-10-17", "Statement": [_render(statement) for statement in statements]}


def deny_insecure_transport(resources: Sequence[pulumi.Input[str]], action: str) -> Statement:
    """Return the statement that denies `action` to everybody whose request does not come over TLS."""
    return Statement(
        sid="DenyInsecureTransport",
        effect="Deny",
        principals="*",
        actions=[action],
        resources=resources,
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )


def _render(statement: Statement) -> dict[str, object]:
    rendered: dict[str, object] = {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": list(statement.actions),
    }
    if statement.resources:  # a role's trust policy has none
        rendered["Resource"] = list(statement.resources)
    if statement.principals is not None:
        rendered["Principal"] = statement.principals
    if statement.conditions:
        rendered["Condition"] = statement.conditions
    return rendered

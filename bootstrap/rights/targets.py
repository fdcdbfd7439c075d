"""Conditions that stand in for a name, and the targets that resource types of several services share."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Target, Templates

NEW_HAS_TAGS: Final[Templates] = {
    "StringEquals": {"aws:RequestTag/Project": ("{project}",), "aws:RequestTag/Environment": ("{stage}",)}
}
"""What is made gets the stage's tags."""

HAS_TAGS: Final[Templates] = {
    "StringEquals": {"aws:ResourceTag/Project": ("{project}",), "aws:ResourceTag/Environment": ("{stage}",)}
}
"""What exists has the stage's tags."""

IN_REGION: Final[Templates] = {"StringEquals": {"aws:RequestedRegion": ("{region}",)}}

KEY: Final = Target(
    sid="Keys",
    service="kms",
    arns=("arn:{partition}:kms:{region}:{account}:key/*",),
    conditions=HAS_TAGS,
    why="a key's id is AWS's own: its tags are the stage's",
)
KEY_THROUGH_SERVICES: Final = Target(
    sid="KeysThroughServices",
    service="kms",
    arns=KEY.arns,
    conditions={
        "StringEquals": {
            **HAS_TAGS["StringEquals"],
            "kms:ViaService": (
                "dynamodb.{region}.amazonaws.com",
                "lambda.{region}.amazonaws.com",
                "secretsmanager.{region}.amazonaws.com",
            ),
        }
    },
    why=KEY.why,
)
KEY_GRANTS: Final = Target(
    sid="KeyGrants",
    service="kms",
    arns=KEY.arns,
    conditions={**HAS_TAGS, "Bool": {"kms:GrantIsForAWSResource": ("true",)}},
    why=KEY.why,
)


def pass_to(service: str) -> Target:
    """Return the stage's roles, passed to one service."""
    return Target(
        sid=f"PassTo{service.title()}",
        service="iam",
        arns=("arn:{partition}:iam::{account}:role{path}{name}",),
        conditions={"StringEquals": {"iam:PassedToService": (f"{service}.amazonaws.com",)}},
    )


def linked_role(sid: str, service: str) -> Target:
    """Return the role that a service makes for itself, once for the account."""
    return Target(
        sid=sid,
        service="iam",
        arns=(f"arn:{{partition}}:iam::{{account}}:role/aws-service-role/{service}/*",),
        conditions={"StringEquals": {"iam:AWSServiceName": (service,)}},
        why="AWS's own role, which all stages of the account share",
    )

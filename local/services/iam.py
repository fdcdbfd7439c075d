"""IAM on the emulator, which enforces it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import CreateRoleRequestTypeDef


def _role(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    request = inputs.as_api("path", "permissionsBoundary")
    request |= {"RoleName": name, "AssumeRolePolicyDocument": inputs.text("assumeRolePolicy")}
    role = cloud.client("iam").create_role(**cast("CreateRoleRequestTypeDef", request))
    return Created(id=name, outputs={"name": name, "arn": role["Role"]["Arn"]})


def _role_policy(cloud: Cloud, inputs: Inputs) -> Created:
    role, name = inputs.text("role"), inputs.physical_name()
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs.text("policy"))
    return Created(id=f"{role}:{name}", outputs={"name": name})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
}

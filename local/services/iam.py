"""IAM on the emulator, which enforces it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs


def _role(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name()
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=inputs.text("assumeRolePolicy"))
    return Created(id=name, outputs={"name": name, "arn": role["Role"]["Arn"]})


def _role_policy(cloud: Cloud, inputs: Inputs) -> Created:
    role, name = inputs.text("role"), inputs.physical_name()
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs.text("policy"))
    return Created(id=f"{role}:{name}", outputs={"name": name})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
}

"""What a company asks of every stack: limits and names of roles, a network, tags, a role to assume, alarm targets."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import ACCOUNT, declare
from tests.declared_stack import DeclaredStack, dig


@pytest.fixture(scope="module")
def company() -> DeclaredStack:
    return declare("prod-company")


def test_every_role_has_the_boundary_and_the_path(company: DeclaredStack) -> None:
    roles = company.all("Role")

    assert roles
    for role in roles:
        assert role.inputs["permissionsBoundary"] == f"arn:aws:iam::{ACCOUNT}:policy/company/boundary", role.name
        assert role.inputs["path"] == "/pipelines/", role.name


def test_every_function_runs_in_the_network(company: DeclaredStack) -> None:
    for function in company.all("Function"):
        network = function.part("vpcConfig")
        assert network["subnetIds"] == ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], function.name
        assert network["securityGroupIds"] == ["sg-0123456789abcdef0"], function.name


def test_a_functions_own_code_makes_no_network_interface(company: DeclaredStack) -> None:
    """Lambda needs the right and uses the function's role for it; the code does not."""
    for policy in company.all("RolePolicy"):
        statements = policy.statements()
        allowed = [s for s in statements.values() if s["Effect"] == "Allow" and "ec2:" in json.dumps(s["Action"])]
        denied = [s for s in statements.values() if s["Effect"] == "Deny" and "ec2:" in json.dumps(s["Action"])]
        assert len(denied) == len(allowed), policy.name


def test_the_provider_assumes_the_role_and_sets_the_tags(company: DeclaredStack) -> None:
    inputs = company.provider().inputs
    roles, tags = (json.loads(str(inputs[name])) for name in ("assumeRoles", "defaultTags"))

    assert dig(roles, 0, "roleArn") == f"arn:aws:iam::{ACCOUNT}:role/deploy"
    assert dig(tags, "tags", "Team") == "orders"
    assert dig(tags, "tags", "Owner") == "data-platform"


def test_alarms_reach_the_companys_topic_too(company: DeclaredStack) -> None:
    part_of_another = re.compile(r"-late-\d+-minutes$")
    ringing = [alarm for alarm in company.all("MetricAlarm") if not part_of_another.search(alarm.name)]
    for alarm in (*ringing, *company.all("CompositeAlarm")):
        actions = alarm.inputs["alarmActions"]
        assert isinstance(actions, list)
        assert f"arn:aws:sns:eu-central-1:{ACCOUNT}:operators" in actions, alarm.name

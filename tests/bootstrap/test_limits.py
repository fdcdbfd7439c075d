"""What no role of a stage may do, whatever else it is given: the denials of its deployment, and its boundary."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.bootstrap.account import OWN, bootstrap, boundary, boundary_arn, documents
from tests.bootstrap.evaluator import Request, allowed
from tests.bootstrap.requests import APIS, BOUND, EVERYTHING, KEY, LAMBDA, ROLE, STATE, own, through
from tests.conftest import ACCOUNT, REGION


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("iam:CreatePolicyVersion", boundary_arn("dev"), {}),
        ("iam:PutRolePolicy", f"{ROLE}/{OWN}-dev-deploy", BOUND),
        ("iam:DetachRolePolicy", f"{ROLE}/{OWN}-prod-deploy", BOUND),
        ("iam:DeleteOpenIDConnectProvider", f"arn:aws:iam::{ACCOUNT}:oidc-provider/x", {}),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/file-pipeline-dev-x", BOUND),
        ("iam:CreateRole", f"{ROLE}/x", {}),
        ("iam:CreateRole", f"{ROLE}/x", {"iam:PermissionsBoundary": boundary_arn("prod")}),
        ("iam:PutRolePolicy", f"{ROLE}/x", {}),
        ("iam:AttachRolePolicy", f"{ROLE}/x", {}),
        ("iam:PutRolePermissionsBoundary", f"{ROLE}/x", {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/All"}),
        ("apigateway:DELETE", f"{APIS}/abc", {"aws:ResourceTag/Environment": "prod"}),
        ("kms:TagResource", KEY, {"aws:ResourceTag/Environment": "prod"}),
        ("kms:UntagResource", KEY, {"aws:ResourceTag/Environment": "prod"}),
        ("kms:TagResource", KEY, {**own("dev"), "aws:RequestTag/Environment": "prod"}),
        ("kms:TagResource", KEY, {**own("dev"), "aws:RequestTag/Project": "payroll"}),
    ],
)
def test_what_limits_a_deployment_is_out_of_its_reach_whatever_else_it_is_given(
    action: str, resource: str, context: Mapping[str, str]
) -> None:
    roles = [*documents(bootstrap(), "dev-deploy"), EVERYTHING]

    assert not allowed(Request(action=action, resource=resource, context=context), roles)
    assert allowed(Request(action="iam:GetUser", resource="*"), roles)
    assert allowed(Request(action="apigateway:DELETE", resource=f"{APIS}/abc"), roles)
    assert allowed(Request(action="iam:CreateRole", resource=f"{ROLE}/x", context=BOUND), roles)


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("dynamodb:UpdateItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-dev-catalog-1", True),
        ("dynamodb:DeleteItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-dev-catalog-1", False),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-dev-catalog-1", False),
        ("s3:GetObject", "arn:aws:s3:::file-pipeline-dev-landing-1/uploads/a", True),
        ("s3:GetObject", "arn:aws:s3:::file-pipeline-prod-landing-1/uploads/a", False),
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/file-pipeline/dev.json", False),
        ("s3:PutBucketPolicy", "arn:aws:s3:::file-pipeline-dev-landing-1", False),
        ("iam:CreateRole", f"{ROLE}/file-pipeline-dev-x", False),
        ("sts:AssumeRole", f"{ROLE}/{OWN}-dev-deploy", False),
        ("lambda:UpdateFunctionCode", f"{LAMBDA}:file-pipeline-dev-api-1", False),
    ],
)
def test_whatever_a_role_of_the_stage_is_given_its_boundary_limits(
    action: str, resource: str, *, expected: bool
) -> None:
    limit = boundary(bootstrap(), "dev")

    assert allowed(Request(action=action, resource=resource), [EVERYTHING], limit) is expected


def test_a_role_of_the_stage_uses_keys_through_the_region_s_services_alone() -> None:
    limit = boundary(bootstrap(), "dev")

    for context, expected in (
        (through("s3"), True),
        ({"kms:ViaService": "s3.af-south-1.amazonaws.com"}, False),
        ({}, False),
    ):
        assert allowed(Request(action="kms:Decrypt", resource=KEY, context=context), [EVERYTHING], limit) is expected

"""What each role of a stage may and may not do, on requests written out."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from policy.documents import read_document
from tests.bootstrap.account import OWN, bootstrap, boundary_arn, documents
from tests.bootstrap.requests import (
    API_TAGS,
    APIS,
    BOUND,
    BROUGHT,
    KEY,
    LAMBDA,
    MAPPINGS,
    POOL,
    ROLE,
    STATE,
    judge,
    new,
    own,
    passed_to,
    through,
)
from tests.conftest import ACCOUNT, REGION


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # roles, with the boundary, and passed to what takes them
        ("iam:CreateRole", f"{ROLE}/file-pipeline-dev-ingest-role-1", BOUND),
        ("iam:PutRolePolicy", f"{ROLE}/file-pipeline-dev-ingest-role-1", BOUND),
        ("iam:DeleteRole", f"{ROLE}/file-pipeline-dev-ingest-role-1", {}),
        ("iam:UpdateAssumeRolePolicy", f"{ROLE}/file-pipeline-dev-ingest-role-1", {}),
        ("iam:PassRole", f"{ROLE}/file-pipeline-dev-ingest-role-1", passed_to("lambda")),
        ("iam:PassRole", f"{ROLE}/file-pipeline-dev-reconcile-schedule-role-1", passed_to("scheduler")),
        ("iam:PassRole", f"{ROLE}/file-pipeline-dev-release-role-1", passed_to("codedeploy")),
        # by name
        ("s3:CreateBucket", "arn:aws:s3:::file-pipeline-dev-landing-1", {}),
        ("sqs:DeleteQueue", f"arn:aws:sqs:{REGION}:{ACCOUNT}:file-pipeline-dev-delivery-queue-1.fifo", {}),
        ("lambda:UpdateFunctionCode", f"{LAMBDA}:file-pipeline-dev-api-1", {}),
        ("lambda:InvokeFunction", f"{LAMBDA}:file-pipeline-dev-api-1:7", {}),
        ("lambda:UpdateAlias", f"{LAMBDA}:file-pipeline-dev-api-1", {}),
        ("lambda:AddPermission", f"{LAMBDA}:file-pipeline-dev-api-1", {"lambda:Principal": "apigateway.amazonaws.com"}),
        ("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/file-pipeline-dev", {}),
        # by tags, or by what it calls
        ("kms:CreateKey", "*", new("dev")),
        ("kms:TagResource", KEY, new("dev")),
        ("kms:TagResource", KEY, {**own("dev"), "aws:RequestTag/Owner": "a"}),
        ("kms:PutKeyPolicy", KEY, own("dev")),
        ("kms:Decrypt", KEY, {**own("dev"), **through("lambda")}),
        ("kms:CreateGrant", KEY, {**own("dev"), "kms:GrantIsForAWSResource": "true"}),
        ("apigateway:POST", APIS, new("dev")),
        ("apigateway:POST", f"{APIS}/abc/routes", own("dev")),
        ("apigateway:POST", API_TAGS, new("dev")),
        ("cognito-idp:CreateUserPool", "*", new("dev")),
        ("lambda:CreateEventSourceMapping", "*", {"lambda:FunctionArn": f"{LAMBDA}:file-pipeline-dev-ingest-1"}),
        ("lambda:DeleteEventSourceMapping", f"{MAPPINGS}:1", {"lambda:FunctionArn": f"{LAMBDA}:file-pipeline-dev-x"}),
        # its state
        ("s3:GetObject", f"{STATE}/.pulumi/meta.yaml", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/stacks/file-pipeline/dev.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/locks/organization/file-pipeline/dev/1.json", {}),
        ("s3:DeleteObject", f"{STATE}/.pulumi/locks/organization/file-pipeline/dev/1.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/history/file-pipeline/dev/dev-1.history.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/backups/file-pipeline/dev/dev.1.json", {}),
        ("kms:Encrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:{OWN}-dev-secrets-key", {}),
    ],
)
def test_a_deployment_may(action: str, resource: str, context: Mapping[str, str]) -> None:
    """And neither another stage's deployment, nor a preview, nor the search for drift."""
    assert judge("dev-deploy", action, resource, context)
    assert resource.endswith("meta.yaml") or not judge("prod-deploy", action, resource, context)
    for role in ("dev-preview", "dev-check", "prod-preview", "prod-drift", "prod-check"):
        assert action in {"s3:GetObject", "kms:Decrypt"} or not judge(role, action, resource, context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # roles without the boundary, with another, of other names; the boundary taken off
        ("iam:CreateRole", f"{ROLE}/file-pipeline-dev-x", {}),
        ("iam:CreateRole", f"{ROLE}/file-pipeline-dev-x", {"iam:PermissionsBoundary": boundary_arn("prod")}),
        ("iam:CreateRole", f"{ROLE}/file-pipeline-prod-x", BOUND),
        ("iam:CreateRole", f"{ROLE}/admin", BOUND),
        ("iam:PutRolePolicy", f"{ROLE}/file-pipeline-dev-x", {}),
        ("iam:AttachRolePolicy", f"{ROLE}/file-pipeline-dev-x", BOUND),
        ("iam:PutRolePermissionsBoundary", f"{ROLE}/file-pipeline-dev-x", {}),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/file-pipeline-dev-x", BOUND),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/file-pipeline-dev-x", {}),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/admin", {}),
        # the boundary itself, its own role and policies, the identity provider
        ("iam:CreatePolicyVersion", boundary_arn("dev"), {}),
        ("iam:SetDefaultPolicyVersion", boundary_arn("dev"), {}),
        ("iam:DeletePolicy", boundary_arn("dev"), {}),
        ("iam:PutRolePolicy", f"{ROLE}/{OWN}-dev-deploy", BOUND),
        ("iam:AttachRolePolicy", f"{ROLE}/{OWN}-dev-deploy", BOUND),
        ("iam:UpdateAssumeRolePolicy", f"{ROLE}/{OWN}-dev-deploy", BOUND),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/{OWN}-dev-deploy-functions", {}),
        ("iam:UpdateOpenIDConnectProviderThumbprint", f"arn:aws:iam::{ACCOUNT}:oidc-provider/x", {}),
        ("sts:AssumeRole", f"{ROLE}/{OWN}-prod-deploy", {}),
        # roles passed to what the program does not declare, or of others
        ("iam:PassRole", f"{ROLE}/file-pipeline-dev-x", passed_to("ec2")),
        ("iam:PassRole", f"{ROLE}/file-pipeline-dev-x", {}),
        ("iam:PassRole", f"{ROLE}/admin", passed_to("lambda")),
        ("iam:PassRole", f"{ROLE}/file-pipeline-prod-x", passed_to("lambda")),
        ("iam:PassRole", f"{ROLE}/{OWN}-dev-deploy", passed_to("lambda")),
        # other stages, other names
        ("s3:DeleteBucket", "arn:aws:s3:::file-pipeline-prod-landing-1", {}),
        ("s3:PutBucketPolicy", "arn:aws:s3:::payroll", {}),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-prod-catalog-1", {}),
        ("lambda:UpdateFunctionCode", f"{LAMBDA}:file-pipeline-prod-api-1", {}),
        ("lambda:CreateEventSourceMapping", "*", {"lambda:FunctionArn": f"{LAMBDA}:file-pipeline-prod-ingest"}),
        ("lambda:AddPermission", f"{LAMBDA}:file-pipeline-dev-api-1", {"lambda:Principal": "*"}),
        ("lambda:AddPermission", f"{LAMBDA}:file-pipeline-dev-api-1", {}),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:payroll", {}),
        ("kms:CreateKey", "*", new("prod")),
        ("kms:ScheduleKeyDeletion", KEY, own("prod")),
        ("kms:ScheduleKeyDeletion", KEY, own("dev", "payroll")),
        ("kms:Decrypt", KEY, {**own("dev"), **through("sns")}),
        ("kms:Decrypt", KEY, own("dev")),
        ("kms:CreateGrant", KEY, own("dev")),
        ("kms:TagResource", KEY, {**own("prod"), **new("dev")}),
        ("kms:TagResource", KEY, {**new("dev"), "kms:ResourceAliases": "alias/payroll"}),
        ("kms:TagResource", KEY, {**own("dev"), **new("prod")}),
        ("kms:TagResource", KEY, {**own("dev"), **new("dev", "payroll")}),
        ("kms:TagResource", KEY, {}),
        ("cognito-idp:TagResource", POOL, {**own("dev"), **new("prod")}),
        ("cognito-idp:UpdateUserPool", POOL, {**own("dev"), **new("dev", "payroll")}),
        ("kms:Decrypt", BROUGHT, through("lambda")),
        ("cognito-idp:DeleteUserPool", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/1", own("prod")),
        ("apigateway:DELETE", f"{APIS}/abc", own("prod")),
        ("apigateway:DELETE", f"{APIS}/abc", {}),
        ("apigateway:POST", API_TAGS, {**own("prod"), **new("dev")}),
        ("apigateway:POST", API_TAGS, {**own("dev"), **new("prod")}),
        ("apigateway:POST", API_TAGS, {}),
        # what lies in the buckets and tables
        ("s3:GetObject", "arn:aws:s3:::file-pipeline-dev-landing-1/uploads/a", {}),
        ("s3:DeleteObject", "arn:aws:s3:::file-pipeline-dev-landing-1/uploads/a", {}),
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-dev-catalog-1", {}),
        # the state of other stages, and of this program
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/file-pipeline/prod.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/stacks/file-pipeline/prod.json", {}),
        ("s3:DeleteObject", f"{STATE}/.pulumi/locks/organization/file-pipeline/prod/1.json", {}),
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/file-pipeline/dev2.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/stacks/file-pipeline/dev2.json", {}),
        ("s3:DeleteObject", f"{STATE}/.pulumi/locks/organization/file-pipeline/dev2/1.json", {}),
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/bootstrap/main.json", {}),
        ("s3:PutObject", f"{STATE}/.pulumi/meta.yaml", {}),
        ("s3:PutBucketPolicy", STATE, {}),
        ("s3:DeleteObjectVersion", f"{STATE}/.pulumi/stacks/file-pipeline/dev.json", {}),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:{OWN}-prod-secrets-key", {}),
    ],
)
def test_a_deployment_may_not(action: str, resource: str, context: Mapping[str, str]) -> None:
    """Nor may any other role of the stage."""
    for role in ("dev-deploy", "dev-drift", "dev-preview", "dev-check"):
        assert not judge(role, action, resource, context), role


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:ListBucket", STATE),
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/file-pipeline/dev.json"),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:{OWN}-dev-secrets-key"),
        ("secretsmanager:GetRandomPassword", "*"),
        ("lambda:ListVersionsByFunction", f"{LAMBDA}:file-pipeline-dev-api-1"),
        ("cloudwatch:GetDashboard", f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/file-pipeline-dev"),
    ],
)
def test_a_preview_may(action: str, resource: str) -> None:
    assert judge("dev-preview", action, resource, {"aws:RequestedRegion": REGION})
    assert judge("dev-drift", action, resource, {"aws:RequestedRegion": REGION})


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:file-pipeline-dev-s", {}),
        ("cognito-idp:DescribeUserPoolClient", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/1", own("dev")),
        ("kms:Decrypt", KEY, {**own("dev"), **through("secretsmanager")}),
    ],
)
def test_secrets_are_read_by_the_search_for_drift_and_not_by_a_preview(
    action: str, resource: str, context: Mapping[str, str]
) -> None:
    assert judge("dev-drift", action, resource, context)
    assert not judge("dev-preview", action, resource, context)


@pytest.mark.parametrize("role", ["preview", "drift"])
def test_no_action_of_a_reader_changes_anything(role: str) -> None:
    """By what the actions are called, whatever they are on."""
    reads = re.compile(r"apigateway:GET|kms:Decrypt|[a-z0-9-]+:(Admin)?(Describe|Get|List)\w+")
    for document in documents(bootstrap(), f"prod-{role}"):
        for statement in read_document(document):
            assert [action for action in statement.actions if not reads.fullmatch(action)] == []


def test_the_state_is_encrypted_through_its_bucket_alone() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:{OWN}-state-key"

    assert judge("dev-deploy", "kms:GenerateDataKey", key, through("s3"))
    assert judge("dev-preview", "kms:Decrypt", key, through("s3"))
    assert not judge("dev-preview", "kms:GenerateDataKey", key, through("s3"))
    assert not judge("dev-deploy", "kms:Decrypt", key, {})


@pytest.mark.parametrize("role", ["check", "deploy"])
@pytest.mark.parametrize(
    ("action", "key", "expected"),
    [
        ("s3:PutObject", "uploads/checks/check-1", True),
        ("s3:DeleteObjectVersion", "uploads/checks/check-1", True),
        ("s3:GetObject", "processed/record_type=check/day=2026-11-21/check-1", True),
        ("s3:PutObject", "uploads/a", False),
        ("s3:GetObject", "processed/record_type=shipment/day=2026-11-21/file-1", False),
        ("s3:DeleteObject", "processed/record_type=shipment/day=2026-11-21/file-1", False),
    ],
)
def test_a_check_has_files_of_its_own_and_touches_no_others(
    role: str, action: str, key: str, *, expected: bool
) -> None:
    for stage, may in (("dev", expected), ("prod", False)):
        object_ = f"arn:aws:s3:::file-pipeline-{stage}-landing-1/{key}"
        assert judge(f"dev-{role}", action, object_, {}) is may


@pytest.mark.parametrize("role", ["check", "deploy"])
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("file-pipeline-{}-landing-1/uploads/checks/check-1#0123456789abcdef", True),
        ("latest:file-pipeline-{}-landing-1#3", True),
        ("file-pipeline-{}-landing-1/uploads/a#0123456789abcdef", False),
        (None, False),
    ],
)
def test_a_check_deletes_items_of_checks_alone(role: str, key: str | None, *, expected: bool) -> None:
    for stage, may in (("dev", expected), ("prod", False)):
        table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/file-pipeline-{stage}-catalog-1"
        context = {} if key is None else {"dynamodb:LeadingKeys": key.format(stage)}
        assert judge(f"dev-{role}", "dynamodb:DeleteItem", table, context) is may


def test_a_bucket_is_emptied_only_where_the_stage_may_be_destroyed() -> None:
    object_ = "arn:aws:s3:::file-pipeline-dev-landing-1/uploads/a"

    assert judge("dev-deploy", "s3:DeleteObjectVersion", object_, {}, destroyableStages=["dev"])
    assert not judge("prod-deploy", "s3:DeleteObjectVersion", object_, {}, destroyableStages=["dev"])


def test_a_brought_key_is_used_through_services_alone() -> None:
    brought: dict[str, object] = {"kmsKeyArns": [BROUGHT]}

    assert judge("dev-deploy", "kms:GenerateDataKey", BROUGHT, through("dynamodb"), **brought)
    assert judge("dev-deploy", "kms:CreateGrant", BROUGHT, {"kms:GrantIsForAWSResource": "true"}, **brought)
    assert judge("dev-drift", "kms:Decrypt", BROUGHT, through("secretsmanager"), **brought)
    assert not judge("dev-deploy", "kms:CreateGrant", BROUGHT, {}, **brought)
    assert not judge("dev-deploy", "kms:Decrypt", BROUGHT, {}, **brought)
    assert not judge("dev-deploy", "kms:PutKeyPolicy", BROUGHT, {}, **brought)
    assert not judge("dev-preview", "kms:Decrypt", BROUGHT, through("secretsmanager"), **brought)


def test_a_role_s_path_is_the_stages() -> None:
    role = f"{ROLE}/pipelines/file-pipeline-dev-x"

    assert judge("dev-deploy", "iam:CreateRole", role, BOUND, iamPath="/pipelines/")
    assert not judge("dev-deploy", "iam:CreateRole", role, BOUND)

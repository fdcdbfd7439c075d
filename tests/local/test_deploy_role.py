"""The stage ``dev`` is built under its deploy role alone, and works within its boundary, with IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from local.deploy import Deployment, deploy
from local.emulator import Emulator, running
from local.files import upload, wait_for_attempts
from local.stack_config import ROOT
from tests.bootstrap.account import OWN, bootstrap, boundary, boundary_arn, documents
from tests.conftest import ACCOUNT, HOST_LAYER, REGION
from tests.stage_files import stage_config

REGION_HERE: Final = "us-east-1"
"""The emulator takes a bucket without a location there alone."""

NOT_JUDGED: Final[Mapping[str, str]] = {
    "aws:RequestTag": "the local cloud gives no tags: on AWS, the provider does",
    "aws:ResourceTag": "the same",
    "iam:PermissionsBoundary": "MiniStack does not know it",
    "dynamodb:LeadingKeys": "MiniStack does not know it",
    "lambda:FunctionArn": "MiniStack does not know it",
    "lambda:Principal": "MiniStack does not know it",
}
"""Conditions that are left out here, and why: tests/bootstrap judges them."""


ASKED_OF_NO_NAME: Final = (
    "cloudwatch:PutDashboard",
    "kms:CreateAlias",
    "lambda:CreateFunction",
)
"""Actions that MiniStack judges for all resources, whichever the request names: they are allowed for all here."""


def as_judged_here(document: str, account: str) -> str:
    """A policy for the emulator's account: without the conditions, and the denials under them, that are left out."""
    policy = json.loads(document.replace(ACCOUNT, account).replace(REGION, REGION_HERE))
    judged = []
    for statement in policy["Statement"]:
        conditions = statement.pop("Condition", {})
        kept = {
            operator: {key: values for key, values in keys.items() if key.partition("/")[0] not in NOT_JUDGED}
            for operator, keys in conditions.items()
        }
        if statement["Effect"] == "Allow" or kept == conditions:
            judged.append(statement | {"Condition": {operator: keys for operator, keys in kept.items() if keys}})
    judged += [
        {"Effect": "Allow", "Action": action, "Resource": "*"}
        for action in ASKED_OF_NO_NAME
        if any(action in statement["Action"] for statement in judged)
    ]
    return json.dumps({**policy, "Statement": judged})


@dataclass(frozen=True, kw_only=True)
class Account:
    """The emulator's account, with what the bootstrap makes of it."""

    emulator: Emulator
    admin: Cloud

    def role(self, name: str) -> Cloud:
        """Take one of the bootstrap's roles."""
        return self.take(name, documents(bootstrap(), name))

    def take(self, name: str, policies: Sequence[str]) -> Cloud:
        iam = self.admin.client("iam")
        owner = {"Effect": "Allow", "Principal": {"AWS": self.admin.account}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [owner]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        for number, policy in enumerate(policies):
            document = as_judged_here(policy, self.admin.account)
            made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=document)["Policy"]
            iam.attach_role_policy(RoleName=name, PolicyArn=made["Arn"])
        taken = self.admin.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")
        return Cloud.of(self.emulator, taken["Credentials"])


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with running(REGION_HERE) as emulator:
        admin = Cloud.of(emulator)
        admin.client("s3").create_bucket(Bucket=f"{OWN}-state")
        yield Account(emulator=emulator, admin=admin)


@pytest.fixture(scope="module")
def deployer(account: Account) -> Cloud:
    limit = boundary_arn("dev").rpartition("/")[2]
    document = as_judged_here(boundary(bootstrap(), "dev"), account.admin.account)
    account.admin.client("iam").create_policy(PolicyName=limit, PolicyDocument=document)
    return account.role("dev-deploy")


@pytest.fixture(scope="module")
def deployment(account: Account, deployer: Cloud) -> Deployment:
    limit = boundary_arn("dev").replace(ACCOUNT, account.admin.account)
    return deploy(stage_config("dev", {**HOST_LAYER, "permissionsBoundaryArn": limit}), deployer)


def test_it_builds_the_stage_and_the_stage_works(account: Account, deployment: Deployment) -> None:
    outputs = deployment.outputs
    file = upload(account.admin, outputs["bucketName"], "uploads/a.txt", b"content", "text/plain")

    items = wait_for_attempts(account.admin, outputs["tableName"], [file], timeout_seconds=60)

    assert items[file]["status"] == "COMPLETED"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of AWS: whatever it would answer, IAM comes first."""

    service: str
    operation: str
    parameters: Mapping[str, object]

    def answer(self, cloud: Cloud) -> str:
        client = cloud.client(self.service)  # type: ignore[call-overload]  # any service, by its name
        try:
            getattr(client, self.operation)(**self.parameters)
        except ClientError as error:
            return str(error.response.get("Error", {}).get("Code"))
        return "allowed"


DENIED: Final = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
OTHERS: Final = (
    Call(service="s3", operation="create_bucket", parameters={"Bucket": "file-pipeline-prod-landing-1"}),
    Call(service="s3", operation="delete_bucket", parameters={"Bucket": "payroll"}),
    Call(service="sqs", operation="create_queue", parameters={"QueueName": "file-pipeline-prod-intake-queue-1"}),
    Call(service="dynamodb", operation="delete_table", parameters={"TableName": "file-pipeline-prod-catalog-1"}),
    Call(service="lambda", operation="delete_function", parameters={"FunctionName": "file-pipeline-prod-ingest-1"}),
    Call(service="iam", operation="delete_role", parameters={"RoleName": "file-pipeline-prod-ingest-role-1"}),
    Call(service="iam", operation="create_user", parameters={"UserName": "file-pipeline-dev-x"}),
    Call(
        service="iam",
        operation="attach_role_policy",
        parameters={"RoleName": "dev-deploy", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    Call(
        service="iam",
        operation="create_policy_version",
        parameters={"PolicyArn": f"arn:aws:iam::000000000000:policy/{OWN}-dev-boundary", "PolicyDocument": "{}"},
    ),
    Call(
        service="iam",
        operation="delete_role_permissions_boundary",
        parameters={"RoleName": "file-pipeline-dev-ingest-role-1"},
    ),
    Call(
        service="s3",
        operation="get_object",
        parameters={"Bucket": f"{OWN}-state", "Key": ".pulumi/stacks/file-pipeline/prod.json"},
    ),
)


@pytest.mark.parametrize("call", OTHERS, ids=lambda call: f"{call.service}.{call.operation}")
def test_it_has_no_right_beyond_its_stage(deployer: Cloud, call: Call) -> None:
    assert call.answer(deployer) in DENIED


def test_a_preview_reads_what_is_there_and_changes_nothing(account: Account, deployment: Deployment) -> None:
    preview, names = account.role("dev-preview"), deployment.outputs
    bucket, table, function = {"Bucket": names["bucketName"]}, {"TableName": names["tableName"]}, "FunctionName"
    reads = [
        Call(service="s3", operation="get_bucket_policy", parameters=bucket),
        Call(service="dynamodb", operation="describe_table", parameters=table),
        Call(service="lambda", operation="get_function", parameters={function: names["ingestFunctionName"]}),
        Call(service="secretsmanager", operation="get_random_password", parameters={}),
        Call(service="secretsmanager", operation="describe_secret", parameters={"SecretId": names["secretArn"]}),
    ]
    changes = [
        Call(service="s3", operation="delete_bucket_policy", parameters=bucket),
        Call(service="s3", operation="put_object", parameters={**bucket, "Key": "uploads/a"}),
        Call(service="dynamodb", operation="delete_table", parameters=table),
        Call(service="lambda", operation="delete_function", parameters={function: names["ingestFunctionName"]}),
        Call(service="secretsmanager", operation="get_secret_value", parameters={"SecretId": names["secretArn"]}),
        Call(service="sqs", operation="purge_queue", parameters={"QueueUrl": names["queueUrl"]}),
    ]

    assert {call.answer(preview) for call in reads} == {"allowed"}
    assert {call.answer(preview) for call in changes} <= DENIED


def test_what_is_not_judged_here_is_listed() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text()

    assert [name for name in (*NOT_JUDGED, *ASKED_OF_NO_NAME) if f"`{name}`" not in page] == []

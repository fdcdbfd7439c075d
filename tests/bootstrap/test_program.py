"""What the bootstrap declares: who may take a role, how the state is kept, and within IAM's quotas."""

from __future__ import annotations

import re

import pytest

from local.stack_config import ROOT
from tests.bootstrap.account import OWN, REPOSITORY_ID, SUBJECT, bootstrap, boundary_arn
from tests.conftest import ACCOUNT, REGION
from tests.declared_stack import DeclaredStack, dig

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"

POLICY_CHARACTERS = 6144
POLICIES_OF_A_ROLE = 10


@pytest.fixture(scope="module")
def account() -> DeclaredStack:
    return bootstrap()


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(
    ("role", "environment"), [("preview", "preview-{}"), ("drift", "drift-{}"), ("check", "check-{}"), ("deploy", "{}")]
)
def test_one_environment_of_the_repository_takes_a_role_by_equality(
    account: DeclaredStack, stage: str, role: str, environment: str
) -> None:
    trust = account.one("Role", f"{OWN}-{stage}-{role}").statements("assumeRolePolicy")

    assert trust["GithubAssumes"]["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert trust["GithubAssumes"]["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"{SUBJECT}:environment:{environment.format(stage)}",
            "token.actions.githubusercontent.com:repository_id": REPOSITORY_ID,
        }
    }
    assert len(trust) == 1


def test_a_deployment_s_session_lasts_as_long_as_its_job(account: DeclaredStack) -> None:
    workflow = (ROOT / ".github" / "workflows" / "pulumi.yml").read_text()
    job = max(map(int, re.findall(r"timeout-minutes: (\d+)", workflow)))
    (session,) = re.findall(r"role-duration-seconds: .* && (\d+) ", workflow)

    assert int(session) == job * 60
    for role in account.all("Role"):
        assert role.number("maxSessionDuration") >= int(session), role.name


def test_github_s_provider_needs_no_thumbprint(account: DeclaredStack) -> None:
    provider = account.one("OpenIdConnectProvider")

    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert "thumbprintLists" not in provider.inputs


def test_a_provider_that_is_there_is_taken() -> None:
    account = bootstrap({"githubProviderArn": PROVIDER})

    assert not account.all("OpenIdConnectProvider")
    for role in account.all("Role"):
        statement = role.statements("assumeRolePolicy")["GithubAssumes"]
        assert statement["Principal"] == {"Federated": PROVIDER}


def test_the_state_is_versioned_encrypted_and_reached_over_tls(account: DeclaredStack) -> None:
    assert dig(dict(account.one("BucketVersioning").inputs), "versioningConfiguration", "status") == "Enabled"
    (rule,) = account.one("BucketServerSideEncryptionConfiguration").parts("rules")
    assert dig(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm") == "aws:kms"
    assert str(dig(rule, "applyServerSideEncryptionByDefault", "kmsMasterKeyId")).endswith(f"{OWN}-state-key")
    assert account.one("BucketPolicy").statements()["DenyInsecureTransport"]["Effect"] == "Deny"
    assert account.one("BucketPublicAccessBlock").inputs["blockPublicPolicy"] is True


def test_locks_leave_nothing_behind_for_ever(account: DeclaredStack) -> None:
    """An update puts one and deletes it: in a versioned bucket, a version and a marker each."""
    (rule,) = account.one("BucketLifecycleConfiguration").parts("rules")

    assert dig(rule, "expiration", "expiredObjectDeleteMarker") is True
    assert dig(rule, "noncurrentVersionExpiration", "noncurrentDays") == 365


def test_a_preview_of_an_empty_bucket_finds_what_it_looks_for(account: DeclaredStack) -> None:
    meta = account.one("BucketObjectv2")

    assert (meta.inputs["key"], meta.inputs["content"]) == (".pulumi/meta.yaml", "version: 1\n")


def test_keys_and_bucket_outlive_the_program(account: DeclaredStack) -> None:
    kept = [
        entry
        for kind in ("Key", "Alias", "Bucket", "BucketVersioning", "BucketLifecycleConfiguration", "BucketPolicy")
        for entry in account.all(kind)
    ]

    assert {resource.name for resource in account.all("Key")} == {
        f"{OWN}-{name}-key" for name in ("state", "dev-secrets", "prod-secrets")
    }
    for resource in kept:
        assert resource.retain_on_delete, resource.name
    for key in account.all("Key"):
        assert key.inputs["enableKeyRotation"] is True


def test_nothing_that_it_makes_goes_by_mistake(account: DeclaredStack) -> None:
    """Neither by `pulumi destroy`, nor when a stage is dropped from the list or written over."""
    made = [entry for entry in account.resources if entry.type.startswith("aws:")]

    assert len(made) > 50
    assert [entry.name for entry in made if not entry.protect] == []


def test_the_boundary_is_where_the_deploy_role_expects_it(account: DeclaredStack) -> None:
    assert account.one("Policy", "prod-boundary").inputs["name"] == boundary_arn("prod").rpartition("/")[2]


def test_the_outputs_are_what_the_next_steps_ask_for(account: DeclaredStack) -> None:
    assert account.outputs["backendUrl"] == f"s3://{OWN}-state?region={REGION}"
    assert account.outputs["prodSecretsProvider"] == f"awskms://alias/{OWN}-prod-secrets?region={REGION}"
    aliases = {alias.inputs["name"] for alias in account.all("Alias")}
    assert aliases == {f"alias/{OWN}-{name}" for name in ("state", "dev-secrets", "prod-secrets")}
    for stage in ("dev", "prod"):
        for output in ("PreviewRoleArn", "DriftRoleArn", "CheckRoleArn", "DeployRoleArn", "PermissionsBoundaryArn"):
            assert f"{stage}{output}" in account.outputs


def test_everything_is_made_by_a_provider_of_one_account_with_tags(account: DeclaredStack) -> None:
    assert account.provider().inputs["allowedAccountIds"] == f'["{ACCOUNT}"]'
    tags = str(account.provider().inputs["defaultTags"])
    assert '"Project": "file-pipeline-bootstrap"' in tags
    assert all(resource.provider for resource in account.resources if resource.type.startswith("aws:"))


def test_policies_are_within_iam_s_quotas_for_the_longest_names() -> None:
    """IAM and STS quotas: characters without blanks of a managed policy, and managed policies of a role."""
    longest = "p" * (40 - len("file-pipeline-"))
    account = bootstrap({"stages": [longest], "destroyableStages": [longest], "iamPath": "/company/pipelines/"})

    for policy in account.all("Policy"):
        assert len(re.sub(r"\s", "", policy.text("policy"))) <= POLICY_CHARACTERS, policy.name
    for role in account.all("Role"):
        attached = [entry for entry in account.all("RolePolicyAttachment") if entry.text("role") == role.name]
        assert 0 < len(attached) <= POLICIES_OF_A_ROLE
        assert len(role.text("name")) <= 64


def test_the_first_page_says_how_many_resources_an_account_gets(account: DeclaredStack) -> None:
    """With the stack itself, as Pulumi counts."""
    page = (ROOT / "README.md").read_text()

    assert re.findall(r"> Resources: (?:\+ )?(\d+)", page) == [str(len(account.resources) + 1)] * 2

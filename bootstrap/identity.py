"""GitHub's identity: whose tokens AWS believes, and which of them may take a role."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.iam import Statement, policy_document

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
"""Whom the tokens are for: aws-actions/configure-aws-credentials asks for this one."""


def github_provider(name: str, provider: pulumi.ProviderResource) -> aws.iam.OpenIdConnectProvider:
    """Declare GitHub's identity provider. AWS checks its certificate itself: it needs no thumbprint."""
    return aws.iam.OpenIdConnectProvider(
        name,
        url=f"https://{ISSUER}",
        client_id_lists=[AUDIENCE],
        opts=pulumi.ResourceOptions(provider=provider, protect=True),
    )


def trust(provider_arn: pulumi.Input[str], *, subject: str, repository_id: str, environment: str) -> pulumi.Output[str]:
    """Return the policy by which one environment of one repository may take a role: by equality, no patterns.

    Parameters
    ----------
    provider_arn
        GitHub's identity provider.
    subject
        What the subject of the repository's tokens begins with.
    repository_id
        The repository's number: a name may be given to another repository, a number is not.
    environment
        The environment of the job.
    """
    return policy_document(
        [
            Statement(
                sid="GithubAssumes",
                principals={"Federated": provider_arn},
                actions=["sts:AssumeRoleWithWebIdentity"],
                resources=[],
                conditions={
                    "StringEquals": {
                        f"{ISSUER}:aud": AUDIENCE,
                        f"{ISSUER}:sub": f"{subject}:environment:{environment}",
                        f"{ISSUER}:repository_id": repository_id,
                    }
                },
            )
        ]
    )

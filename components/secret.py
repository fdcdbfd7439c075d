"""The stack's secret: what it proves itself with to the next system."""

from __future__ import annotations

import base64

import pulumi
import pulumi_aws as aws

from components.encryption import Encryption
from components.iam import Statement, deny_insecure_transport, policy_document
from components.settings import StackSettings

USERNAME = "admin"
PASSWORD_CHARACTERS = 32
RECOVERY_DAYS = 30
"""Days between a kept secret's deletion and its end: the longest that Secrets Manager allows."""

DECLARED_LABEL = "DECLARED"


class Secret(pulumi.ComponentResource):
    """A username, a password, and a key that signs what is sent; made once, and then rotated past the program.

    The signing key stands beside the password and is not derived from it: the password is in every request's header,
    and whoever comes by it there must not be able to sign.

    Attributes
    ----------
    secret
        The secret, whose value is JSON with ``username``, ``password`` and ``signing_key``, as Standard Webhooks has
        it: ``whsec_`` and bytes in base64.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        encryption: Encryption,
        provider: aws.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Secret", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.secret = aws.secretsmanager.Secret(
            name,
            description=f"Credentials with which {stack.prefix} delivers",
            kms_key_id=encryption.key.arn,
            # 0: at once, so that a stack that is made again finds nothing in its way.
            recovery_window_in_days=RECOVERY_DAYS if stack.settings.retain_data else 0,
            opts=child,
        )
        aws.secretsmanager.SecretPolicy(
            f"{name}-policy",
            secret_arn=self.secret.arn,
            policy=policy_document([deny_insecure_transport([self.secret.arn], "secretsmanager:*")]),
            block_public_policy=True,
            opts=child,
        )
        aws.secretsmanager.SecretVersion(
            f"{name}-value",
            secret_id=self.secret.id,
            secret_string=pulumi.Output.json_dumps(
                {"username": USERNAME, "password": _random(provider), "signing_key": _signing_key(provider)}
            ),
            # Secrets Manager deletes a version that has no label left. Found missing, it would be made anew after two
            # rotations, and be a third that nobody asked for: so it keeps a label of its own.
            version_stages=["AWSCURRENT", DECLARED_LABEL],
            # Every run draws other passwords: the first stands. Which version is current is for rotations to say.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString", "versionStages"]),
        )
        self.register_outputs({"secretArn": self.secret.arn})

    def read(self) -> Statement:
        """Grant reading the secret's value."""
        return Statement(sid="ReadSecret", actions=["secretsmanager:GetSecretValue"], resources=[self.secret.arn])


def _random(provider: aws.Provider) -> pulumi.Output[str]:
    """Draw letters and digits, which need no quoting anywhere. Secret from the start: no state holds it in clear."""
    drawn = aws.secretsmanager.get_random_password_output(
        password_length=PASSWORD_CHARACTERS,
        exclude_punctuation=True,
        require_each_included_type=True,
        opts=pulumi.InvokeOptions(provider=provider),
    )
    return pulumi.Output.secret(drawn.random_password)


def _signing_key(provider: aws.Provider) -> pulumi.Output[str]:
    return _random(provider).apply(lambda drawn: f"whsec_{base64.b64encode(drawn.encode()).decode()}")

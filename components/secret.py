"""A secret: what a pipeline proves itself with to the next system."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.iam import Statement, deny_insecure_transport, policy_document

USERNAME = "admin"
PASSWORD_CHARACTERS = 32
RECOVERY_DAYS = 30
"""Days between a kept secret's deletion and its end: the longest that Secrets Manager allows."""

DECLARED_LABEL = "DECLARED"


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """What the secret is for.

    Parameters
    ----------
    description
        Who proves what to whom with it.
    kms_key_arn
        The key that it is encrypted with.
    retain
        Whether it can be restored for 30 days after it was deleted. If not, it ends at once, so that a stack that is
        made again finds nothing in its way.
    """

    description: str
    kms_key_arn: pulumi.Input[str]
    retain: bool = True


class Secret(pulumi.ComponentResource):
    """A username, a password, and a key that signs what is sent; made once, and then rotated past the program.

    The signing key stands beside the password and is not derived from it: the password is in every request's header,
    and whoever comes by it there must not be able to sign.

    Attributes
    ----------
    secret
        The secret, whose value is JSON with ``username``, ``password`` and ``signing_key``, the key as Standard
        Webhooks has it: ``whsec_`` and bytes in base64.
    """

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Secret", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.secret = aws.secretsmanager.Secret(
            name,
            description=args.description,
            kms_key_id=args.kms_key_arn,
            recovery_window_in_days=RECOVERY_DAYS if args.retain else 0,
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
                {"username": USERNAME, "password": self._random(), "signing_key": self._signing_key()}
            ),
            # Secrets Manager deletes a version that has no label left. Found missing, it would be made anew after two
            # rotations, and be a third that nobody asked for: so it keeps a label of its own.
            version_stages=["AWSCURRENT", DECLARED_LABEL],
            # Every run draws other passwords: the first stands. Which version is current is for rotations to say.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString", "versionStages"]),
        )
        self.register_outputs({"secretArn": self.secret.arn})

    def grant_read(self) -> list[Statement]:
        """Grant reading the secret's value."""
        return [Statement(sid="ReadSecret", actions=["secretsmanager:GetSecretValue"], resources=[self.secret.arn])]

    def _random(self) -> pulumi.Output[str]:
        """Draw letters and digits, which need no quoting. Secret from the start: no state holds it in clear."""
        drawn = aws.secretsmanager.get_random_password_output(
            password_length=PASSWORD_CHARACTERS,
            exclude_punctuation=True,
            require_each_included_type=True,
            opts=pulumi.InvokeOptions(parent=self),
        )
        return pulumi.Output.secret(drawn.random_password)

    def _signing_key(self) -> pulumi.Output[str]:
        return self._random().apply(lambda drawn: f"whsec_{base64.b64encode(drawn.encode()).decode()}")

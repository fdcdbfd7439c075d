"""Where Pulumi keeps its state: a private, versioned bucket, its key, and a key for the secrets of each stage."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.policies import META_KEY
from components.account import Account
from components.bucket import PrivateBucket, PrivateBucketArgs
from components.encryption import ROTATION_DAYS
from components.iam import Statement, policy_document
from components.lifecycle import abort_after_days, old_after_days

META: str = "version: 1\n"
"""What Pulumi writes there when it finds nothing: states by project (pulumi/pkg/backend/diy/meta.go)."""

OLD_VERSION_DAYS = 365
"""Days that a state that was written over can be had back."""

_MULTIPART_UPLOAD_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class StateArgs:
    """How the state is kept.

    Parameters
    ----------
    description
        Whose it is.
    """

    description: str


class State(pulumi.ComponentResource):
    """A bucket for the states of all stages of an account. All of it outlives this program.

    Each update takes a lock there and deletes it: a lifecycle rule clears away what such objects leave behind in a
    versioned bucket.

    Attributes
    ----------
    bucket, key
        The bucket, and its key.
    """

    def __init__(self, name: str, args: StateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bootstrap:index:State", name, None, opts)
        self.key = secrets_key(name, args.description, self)
        private = PrivateBucket(
            name, PrivateBucketArgs(kms_key_arn=self.key.arn, retain=True), pulumi.ResourceOptions(parent=self)
        )
        self.bucket = private.bucket
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket.id,
            rules=[
                rule(
                    id="forget-old-versions",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
                    noncurrent_version_expiration=old_after_days(OLD_VERSION_DAYS),
                    abort_incomplete_multipart_upload=abort_after_days(_MULTIPART_UPLOAD_DAYS),
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[private.versioning]),
        )
        # Whoever finds none writes one: a preview may not, and would fail.
        aws.s3.BucketObjectv2(
            f"{name}-meta",
            bucket=self.bucket.id,
            key=META_KEY,
            content=META,
            content_type="text/yaml",
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[private.policy]),
        )
        self.register_outputs({"bucketName": self.bucket.id})


def secrets_key(name: str, description: str, parent: pulumi.Resource) -> aws.kms.Key:
    """Declare a key that the account's own IAM policies say who may use. Key and alias outlive the program.

    The stages' files name the alias: without it, nobody finds the key that their secrets were encrypted with.
    """
    account = Account(parent)
    root = Statement(
        sid="AccountAdministers",
        principals={"AWS": pulumi.Output.concat("arn:", account.partition, ":iam::", account.id, ":root")},
        actions=["kms:*"],
        resources=["*"],
    )
    key = aws.kms.Key(
        f"{name}-key",
        description=description,
        enable_key_rotation=True,
        rotation_period_in_days=ROTATION_DAYS,
        policy=policy_document([root]),
        opts=pulumi.ResourceOptions(parent=parent, protect=True, retain_on_delete=True),
    )
    aws.kms.Alias(
        f"{name}-alias",
        name=f"alias/{name}",
        target_key_id=key.key_id,
        opts=pulumi.ResourceOptions(parent=parent, protect=True, retain_on_delete=True),
    )
    return key

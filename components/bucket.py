"""A private S3 bucket as the stack wants every one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.iam import Statement, deny_insecure_transport, policy_document


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """How a bucket is encrypted, kept and protected.

    Parameters
    ----------
    kms_key_arn
        The key of its objects; None for keys that S3 manages.
    retain
        Whether it outlives the stack; if not, it is destroyed with its objects.
    statements
        Given the bucket, the statements of its policy beside the denial of plain HTTP.
    """

    kms_key_arn: pulumi.Input[str] | None = None
    retain: bool = True
    statements: Callable[[aws.s3.Bucket], Sequence[Statement]] = lambda _: ()


class PrivateBucket(pulumi.ComponentResource):
    """Versioned, encrypted, owned by its account, closed to the public, and reached over TLS only.

    Attributes
    ----------
    bucket, versioning, policy
        The resources that others depend on.
    """

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:PrivateBucket", name, None, opts)
        retain = args.retain
        # A bucket that is kept stays private, encrypted and versioned: what sets it up is kept with it.
        self._child = pulumi.ResourceOptions(parent=self, retain_on_delete=retain)
        self.bucket = aws.s3.Bucket(
            name,
            force_destroy=not retain,
            opts=pulumi.ResourceOptions(parent=self, protect=retain, retain_on_delete=retain),
        )
        self.versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=self.bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child,
        )
        self._encrypt(name, args.kms_key_arn)
        closed = self._close_to_the_public(name)
        everything = [self.bucket.arn, self.bucket.arn.apply(lambda arn: f"{arn}/*")]
        self.policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=self.bucket.id,
            policy=policy_document([deny_insecure_transport(everything, "s3:*"), *args.statements(self.bucket)]),
            # S3 refuses concurrent changes of a bucket's access settings (OperationAborted).
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=retain, depends_on=closed),
        )
        self.register_outputs({"bucketName": self.bucket.id})

    def _close_to_the_public(self, name: str) -> list[pulumi.Resource]:
        return [
            aws.s3.BucketOwnershipControls(
                f"{name}-ownership",
                bucket=self.bucket.id,
                rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
                opts=self._child,
            ),
            aws.s3.BucketPublicAccessBlock(
                f"{name}-public-access",
                bucket=self.bucket.id,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=self._child,
            ),
        ]

    def _encrypt(self, name: str, kms_key_arn: pulumi.Input[str] | None) -> None:
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=self.bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default(sse_algorithm="AES256")
                    if kms_key_arn is None
                    else default(sse_algorithm="aws:kms", kms_master_key_id=kms_key_arn),
                    bucket_key_enabled=kms_key_arn is not None,
                    # S3 blocks keys that the client brings on new buckets; named, so that no preview shows a change.
                    blocked_encryption_types=["SSE-C"],
                )
            ],
            opts=self._child,
        )

"""The landing bucket, where files arrive and results are published, and the bucket of its access logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.bucket import PrivateBucket, PrivateBucketArgs
from components.iam import Statement
from components.lifecycle import abort_after_days, after_days, lifecycle_rules, old_after_days
from components.upload_rules import upload_rules

UPLOADS_PREFIX = "uploads/"
PROCESSED_PREFIX = "processed/"
REJECTED_PREFIX = "rejected/"
CHECKS_PREFIX = "uploads/checks/check-"
"""What the names of the files of `operate check` begin with. The rest of the folder is for files as any other."""

API_RESULTS = "record_type=*/day=*/api-"
"""How the API's results are named under the prefix of results: in a table's folders, and apart from those of files."""

ACCESS_LOGS_PREFIX = "access-logs/"

UPLOAD_METHODS = ("GET", "PUT", "POST")


@dataclass(frozen=True, kw_only=True)
class LandingArgs:
    """How the bucket keeps what arrives, and from where browsers may upload.

    Parameters
    ----------
    kms_key_arn
        The key that every object is encrypted with.
    retain
        Whether the buckets outlive the stack; if not, they are destroyed with their objects.
    upload_retention_days, processed_retention_days, rejected_retention_days
        Days after which uploads, valid and rejected records expire. 0: never.
    old_version_retention_days
        Days after which an old object version expires. 0: never.
    multipart_upload_days
        Days after which an unfinished multipart upload ends.
    intelligent_tiering
        Whether objects are stored in S3 Intelligent-Tiering.
    archive_after_days, deep_archive_after_days
        Days without access before Intelligent-Tiering archives an object, which then cannot be read. 0: never;
        otherwise from 90 and from 180.
    cors_origins
        Origins that may upload from a browser. Empty: none.
    cors_max_age_seconds
        Seconds a browser may cache a CORS answer.
    access_log_retention_days
        Days that access logs are kept.
    """

    kms_key_arn: pulumi.Input[str]
    retain: bool = True
    upload_retention_days: int = 90
    processed_retention_days: int = 0
    rejected_retention_days: int = 90
    old_version_retention_days: int = 180
    multipart_upload_days: int = 7
    intelligent_tiering: bool = False
    archive_after_days: int = 0
    deep_archive_after_days: int = 0
    cors_origins: Sequence[str] = ()
    cors_max_age_seconds: int = 3000
    access_log_retention_days: int = 365


class Landing(pulumi.ComponentResource):
    """A versioned, private bucket under a key of its owner's, with access logs, lifecycle and CORS.

    Attributes
    ----------
    bucket
        The landing bucket.
    storage_class
        The storage class that results are stored in, and uploads through a form of ours.
    """

    def __init__(self, name: str, args: LandingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Landing", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, retain_on_delete=args.retain)
        self.storage_class = "INTELLIGENT_TIERING" if args.intelligent_tiering else "STANDARD"
        landing = PrivateBucket(
            name,
            PrivateBucketArgs(
                kms_key_arn=args.kms_key_arn,
                retain=args.retain,
                statements=lambda bucket: upload_rules(bucket, args.kms_key_arn),
            ),
            self._child,
        )
        self.bucket = landing.bucket
        logs = self._access_logs(f"{name}-logs", args)
        aws.s3.BucketLogging(
            f"{name}-logging",
            bucket=self.bucket.id,
            target_bucket=logs.bucket.id,
            target_prefix=ACCESS_LOGS_PREFIX,
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[logs.policy])),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket.id,
            rules=lifecycle_rules(
                {
                    UPLOADS_PREFIX: args.upload_retention_days,
                    PROCESSED_PREFIX: args.processed_retention_days,
                    REJECTED_PREFIX: args.rejected_retention_days,
                },
                old_version_days=args.old_version_retention_days,
                multipart_upload_days=args.multipart_upload_days,
                intelligent_tiering=args.intelligent_tiering,
            ),
            # Rules on old versions need versioning to be on.
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[landing.versioning])),
        )
        if args.archive_after_days or args.deep_archive_after_days:
            self._archive(name, args)
        if args.cors_origins:
            self._allow_browsers(name, args)
        self.register_outputs({"bucketName": self.bucket.id, "bucketArn": self.bucket.arn})

    def _access_logs(self, name: str, args: LandingArgs) -> PrivateBucket:
        account = Account(self)
        logs = PrivateBucket(
            name,
            PrivateBucketArgs(
                # S3's log delivery writes to buckets with S3-managed keys only.
                kms_key_arn=None,
                retain=args.retain,
                statements=lambda bucket: [
                    Statement(
                        sid="AccessLogDelivery",
                        principals={"Service": "logging.s3.amazonaws.com"},
                        actions=["s3:PutObject"],
                        resources=[bucket.arn.apply(lambda arn: f"{arn}/{ACCESS_LOGS_PREFIX}*")],
                        conditions={
                            "ArnEquals": {"aws:SourceArn": self.bucket.arn},
                            "StringEquals": {"aws:SourceAccount": account.id},
                        },
                    )
                ],
            ),
            self._child,
        )
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=logs.bucket.id,
            rules=[
                rule(
                    id="expire-access-logs",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    expiration=after_days(args.access_log_retention_days),
                    noncurrent_version_expiration=old_after_days(1),
                    abort_incomplete_multipart_upload=abort_after_days(args.multipart_upload_days),
                )
            ],
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[logs.versioning])),
        )
        return logs

    def _archive(self, name: str, args: LandingArgs) -> None:
        tier = aws.s3.BucketIntelligentTieringConfigurationTieringArgs
        tiers = (
            ("ARCHIVE_ACCESS", args.archive_after_days),
            ("DEEP_ARCHIVE_ACCESS", args.deep_archive_after_days),
        )
        aws.s3.BucketIntelligentTieringConfiguration(
            f"{name}-tiering",
            bucket=self.bucket.id,
            name="whole-bucket",
            status="Enabled",
            tierings=[tier(access_tier=access_tier, days=days) for access_tier, days in tiers if days],
            opts=self._kept,
        )

    def _allow_browsers(self, name: str, args: LandingArgs) -> None:
        aws.s3.BucketCorsConfiguration(
            f"{name}-cors",
            bucket=self.bucket.id,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    allowed_methods=list(UPLOAD_METHODS),
                    allowed_origins=list(args.cors_origins),
                    allowed_headers=["*"],
                    expose_headers=["ETag", "x-amz-version-id"],
                    max_age_seconds=args.cors_max_age_seconds,
                )
            ],
            opts=self._kept,
        )

    def grant_read_uploads(self) -> list[Statement]:
        """Grant reading every version of the uploaded objects, and learning that one is gone."""
        return [
            Statement(
                sid="ReadUploads",
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[self.objects(UPLOADS_PREFIX)],
            ),
            # Without it S3 answers 403, not 404, for an object that was deleted (HeadObject, Permissions).
            Statement(sid="TellMissingFromDenied", actions=["s3:ListBucket"], resources=[self.bucket.arn]),
        ]

    def grant_list_uploads(self) -> list[Statement]:
        """Grant listing every version of the uploaded objects."""
        return [
            Statement(
                sid="ListUploads",
                actions=["s3:ListBucketVersions"],
                resources=[self.bucket.arn],
                conditions={"StringEquals": {"s3:prefix": UPLOADS_PREFIX}},
            )
        ]

    def grant_publish_results(self) -> list[Statement]:
        """Grant publishing valid and rejected records, where no event is sent for them."""
        return [
            Statement(
                sid="PublishResults",
                actions=["s3:PutObject", "s3:AbortMultipartUpload"],
                resources=[self.objects(PROCESSED_PREFIX), self.objects(REJECTED_PREFIX)],
            )
        ]

    def grant_upload(self) -> list[Statement]:
        """Grant uploading: what a presigned upload may do is what its signer may."""
        return [Statement(sid="SignUploads", actions=["s3:PutObject"], resources=[self.objects(UPLOADS_PREFIX)])]

    def grant_read_rejected(self) -> list[Statement]:
        """Grant reading rejected records: what a presigned link shows is what its signer may read."""
        return [Statement(sid="SignRejects", actions=["s3:GetObject"], resources=[self.objects(REJECTED_PREFIX)])]

    def grant_publish_api_results(self) -> list[Statement]:
        """Grant publishing the records that came through the API, each object whole."""
        return [
            Statement(
                sid="PublishApiResults",
                actions=["s3:PutObject"],
                resources=[self.objects(prefix + API_RESULTS) for prefix in (PROCESSED_PREFIX, REJECTED_PREFIX)],
            )
        ]

    def objects(self, prefix: str) -> pulumi.Output[str]:
        """Return the ARN pattern of the objects under `prefix`."""
        return self.bucket.arn.apply(lambda arn: f"{arn}/{prefix}*")

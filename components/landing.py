"""The landing bucket, where files arrive and results are published, and the bucket of its access logs."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.bucket import PrivateBucket
from components.encryption import Encryption
from components.iam import Conditions, Statement
from components.settings import Settings, StackSettings

UPLOADS_PREFIX = "uploads/"
PROCESSED_PREFIX = "processed/"
REJECTED_PREFIX = "rejected/"
API_RESULTS = "record_type=*/day=*/api-"
"""How the API's results are named under the prefix of results: in a table's folders, and apart from those of files."""

ACCESS_LOGS_PREFIX = "access-logs/"

UPLOAD_METHODS = ("GET", "PUT", "POST")
MIN_TLS_VERSION = "1.2"
ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read until they are restored."""


class Landing(pulumi.ComponentResource):
    """A versioned, private bucket under the stack's key, with access logs, lifecycle and CORS.

    Parameters
    ----------
    stack
        The stack's settings.
    account
        Where the stack stands.
    encryption
        The key that every object is encrypted with.

    Attributes
    ----------
    bucket
        The landing bucket.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Landing", name, None, opts)
        settings = stack.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, retain_on_delete=settings.retain_data)
        landing = PrivateBucket(
            name,
            kms_key_arn=encryption.key.arn,
            retain=settings.retain_data,
            statements=lambda bucket: _upload_rules(bucket, encryption),
            opts=self._child,
        )
        self.bucket = landing.bucket
        logs = self._access_logs(f"{name}-logs", settings, account)
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
            rules=_lifecycle(settings),
            # Rules on old versions need versioning to be on.
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[landing.versioning])),
        )
        if settings.archive_after_days or settings.deep_archive_after_days:
            self._archive(name, settings)
        if settings.cors_origins:
            self._allow_browsers(name, settings)
        self.register_outputs({"bucketName": self.bucket.id, "bucketArn": self.bucket.arn})

    def _access_logs(self, name: str, settings: Settings, account: Account) -> PrivateBucket:
        logs = PrivateBucket(
            name,
            # S3's log delivery writes to buckets with S3-managed keys only.
            kms_key_arn=None,
            retain=settings.retain_data,
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
            opts=self._child,
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
                    expiration=_after_days(settings.access_log_retention_days),
                    noncurrent_version_expiration=_old_after_days(1),
                    abort_incomplete_multipart_upload=_abort_after_days(settings.multipart_upload_days),
                )
            ],
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[logs.versioning])),
        )
        return logs

    def _archive(self, name: str, settings: Settings) -> None:
        tier = aws.s3.BucketIntelligentTieringConfigurationTieringArgs
        tiers = (
            ("ARCHIVE_ACCESS", settings.archive_after_days),
            ("DEEP_ARCHIVE_ACCESS", settings.deep_archive_after_days),
        )
        aws.s3.BucketIntelligentTieringConfiguration(
            f"{name}-tiering",
            bucket=self.bucket.id,
            name="whole-bucket",
            status="Enabled",
            tierings=[tier(access_tier=access_tier, days=days) for access_tier, days in tiers if days],
            opts=self._kept,
        )

    def _allow_browsers(self, name: str, settings: Settings) -> None:
        aws.s3.BucketCorsConfiguration(
            f"{name}-cors",
            bucket=self.bucket.id,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    allowed_methods=list(UPLOAD_METHODS),
                    allowed_origins=settings.cors_origins,
                    allowed_headers=["*"],
                    expose_headers=["ETag", "x-amz-version-id"],
                    max_age_seconds=settings.cors_max_age_seconds,
                )
            ],
            opts=self._kept,
        )

    def read_uploads(self) -> list[Statement]:
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

    def list_uploads(self) -> Statement:
        """Grant listing every version of the uploaded objects."""
        return Statement(
            sid="ListUploads",
            actions=["s3:ListBucketVersions"],
            resources=[self.bucket.arn],
            conditions={"StringEquals": {"s3:prefix": UPLOADS_PREFIX}},
        )

    def publish_results(self) -> Statement:
        """Grant publishing valid and rejected records, where no event is sent for them."""
        return Statement(
            sid="PublishResults",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[self.objects(PROCESSED_PREFIX), self.objects(REJECTED_PREFIX)],
        )

    def sign_uploads(self) -> Statement:
        """Grant uploading: what a presigned upload may do is what its signer may."""
        return Statement(sid="SignUploads", actions=["s3:PutObject"], resources=[self.objects(UPLOADS_PREFIX)])

    def sign_rejects(self) -> Statement:
        """Grant reading rejected records: what a presigned link shows is what its signer may read."""
        return Statement(sid="SignRejects", actions=["s3:GetObject"], resources=[self.objects(REJECTED_PREFIX)])

    def publish_api_results(self) -> Statement:
        """Grant publishing the records that came through the API, each object whole."""
        return Statement(
            sid="PublishApiResults",
            actions=["s3:PutObject"],
            resources=[self.objects(prefix + API_RESULTS) for prefix in (PROCESSED_PREFIX, REJECTED_PREFIX)],
        )

    def objects(self, prefix: str) -> pulumi.Output[str]:
        """Return the ARN pattern of the objects under `prefix`."""
        return self.bucket.arn.apply(lambda arn: f"{arn}/{prefix}*")


def _upload_rules(bucket: aws.s3.Bucket, encryption: Encryption) -> list[Statement]:
    everything = [bucket.arn, bucket.arn.apply(lambda arn: f"{arn}/*")]
    objects = everything[1:]
    algorithm = "s3:x-amz-server-side-encryption"
    key_id = "s3:x-amz-server-side-encryption-aws-kms-key-id"

    def deny(
        sid: str,
        actions: list[str],
        resources: list[pulumi.Output[str]],
        conditions: Conditions,
    ) -> Statement:
        return Statement(
            sid=sid, effect="Deny", principals="*", actions=actions, resources=list(resources), conditions=conditions
        )

    # A negated operator also matches a request without the header, to which the bucket's own key applies:
    # the Null condition lets those through.
    return [
        # It could not be read when its event comes. GLACIER_IR can.
        deny(
            "DenyArchivedUploads",
            ["s3:PutObject"],
            objects,
            {"StringEquals": {"s3:x-amz-storage-class": ARCHIVE_CLASSES}},
        ),
        deny("DenyOldTls", ["s3:*"], everything, {"NumericLessThan": {"s3:TlsVersion": MIN_TLS_VERSION}}),
        deny(
            "DenyOtherEncryption",
            ["s3:PutObject"],
            objects,
            {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: "false"}},
        ),
        # aws:kms without a key would mean the account's own aws/s3 key, not the bucket's default.
        deny(
            "DenyUnnamedKey",
            ["s3:PutObject"],
            objects,
            {"Null": {algorithm: "false", key_id: "true"}},
        ),
        deny(
            "DenyOtherKey",
            ["s3:PutObject"],
            objects,
            {"StringNotEquals": {key_id: encryption.key.arn}, "Null": {key_id: "false"}},
        ),
    ]


def _lifecycle(settings: Settings) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs
    filtered = aws.s3.BucketLifecycleConfigurationRuleFilterArgs
    rules = [
        rule(
            id="end-unfinished-uploads",
            status="Enabled",
            filter=filtered(prefix=""),
            abort_incomplete_multipart_upload=_abort_after_days(settings.multipart_upload_days),
        )
    ]
    retention = (
        ("uploads", UPLOADS_PREFIX, settings.upload_retention_days),
        ("processed", PROCESSED_PREFIX, settings.processed_retention_days),
        ("rejected", REJECTED_PREFIX, settings.rejected_days),
    )
    rules += [
        rule(id=f"expire-{name}", status="Enabled", filter=filtered(prefix=prefix), expiration=_after_days(days))
        for name, prefix, days in retention
        if days
    ]
    if settings.old_version_retention_days:
        rules.append(
            rule(
                id="expire-old-versions",
                status="Enabled",
                filter=filtered(prefix=""),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
                noncurrent_version_expiration=_old_after_days(settings.old_version_retention_days),
            )
        )
    if settings.intelligent_tiering:
        # For what others upload: results and uploads through our form are stored in this class at once.
        transition = aws.s3.BucketLifecycleConfigurationRuleTransitionArgs
        rules.append(
            rule(
                id="store-in-intelligent-tiering",
                status="Enabled",
                filter=filtered(prefix=""),
                transitions=[transition(days=0, storage_class="INTELLIGENT_TIERING")],
            )
        )
    return rules


def _after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleExpirationArgs:
    return aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days)


def _old_after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs:
    return aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=days)


def _abort_after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    return aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=days)

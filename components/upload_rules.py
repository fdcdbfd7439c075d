"""What nobody may do who uploads, whatever else they may."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.iam import Conditions, Statement

MIN_TLS_VERSION = "1.2"
ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read until they are restored."""


def upload_rules(bucket: aws.s3.Bucket, kms_key_arn: pulumi.Input[str]) -> list[Statement]:
    """Return what a bucket's policy denies to whoever uploads: old TLS, another key, a class that cannot be read."""
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
            {"StringNotEquals": {key_id: kms_key_arn}, "Null": {key_id: "false"}},
        ),
    ]

"""When objects of a bucket expire, and when they change their storage class."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_aws as aws


def lifecycle_rules(
    retention: Mapping[str, int], *, old_version_days: int, multipart_upload_days: int, intelligent_tiering: bool
) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """Return the rules of a versioned bucket.

    Parameters
    ----------
    retention
        Key prefix, with its slash → days after which what is under it expires. 0: never.
    old_version_days
        Days after which an old version expires. 0: never.
    multipart_upload_days
        Days after which an unfinished multipart upload ends.
    intelligent_tiering
        Whether objects are moved to S3 Intelligent-Tiering.
    """
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs
    filtered = aws.s3.BucketLifecycleConfigurationRuleFilterArgs
    rules = [
        rule(
            id="end-unfinished-uploads",
            status="Enabled",
            filter=filtered(prefix=""),
            abort_incomplete_multipart_upload=abort_after_days(multipart_upload_days),
        )
    ]
    rules += [
        rule(
            id=f"expire-{prefix.rstrip('/')}",
            status="Enabled",
            filter=filtered(prefix=prefix),
            expiration=after_days(days),
        )
        for prefix, days in retention.items()
        if days
    ]
    if old_version_days:
        rules.append(
            rule(
                id="expire-old-versions",
                status="Enabled",
                filter=filtered(prefix=""),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
                noncurrent_version_expiration=old_after_days(old_version_days),
            )
        )
    if intelligent_tiering:
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


def after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleExpirationArgs:
    """Return that objects expire after so many days."""
    return aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days)


def old_after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs:
    """Return that old versions expire after so many days."""
    return aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=days)


def abort_after_days(days: int) -> aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    """Return that unfinished multipart uploads end after so many days."""
    return aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=days)

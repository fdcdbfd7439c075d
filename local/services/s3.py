"""S3 on the emulator: a bucket, and the resources beside it that set it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from local.cloud import Cloud
from local.services.base import Creator, Inputs, Made

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import LifecycleRuleTypeDef


def _bucket(cloud: Cloud, inputs: Inputs) -> Made:
    name = inputs.physical_name("bucket")
    cloud.s3.create_bucket(Bucket=name)
    return Made(id=name, outputs={"bucket": name, "arn": f"arn:aws:s3:::{name}"})


def _versioning(cloud: Cloud, inputs: Inputs) -> Made:
    status = inputs.part("versioningConfiguration").text("status")
    cloud.s3.put_bucket_versioning(
        Bucket=inputs.text("bucket"),
        VersioningConfiguration={"Status": "Enabled" if status == "Enabled" else "Suspended"},
    )
    return _beside(inputs)


def _ownership(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_ownership_controls(
        Bucket=inputs.text("bucket"),
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    return _beside(inputs)


def _public_access(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_public_access_block(
        Bucket=inputs.text("bucket"),
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": inputs.flag("blockPublicAcls"),
            "IgnorePublicAcls": inputs.flag("ignorePublicAcls"),
            "BlockPublicPolicy": inputs.flag("blockPublicPolicy"),
            "RestrictPublicBuckets": inputs.flag("restrictPublicBuckets"),
        },
    )
    return _beside(inputs)


def _encryption(cloud: Cloud, inputs: Inputs) -> Made:
    rule = inputs.parts("rules")[0]
    default = rule.part("applyServerSideEncryptionByDefault")
    cloud.s3.put_bucket_encryption(
        Bucket=inputs.text("bucket"),
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": (
                        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": default.text("kmsMasterKeyId")}
                        if "kmsMasterKeyId" in default
                        else {"SSEAlgorithm": "AES256"}
                    ),
                    "BucketKeyEnabled": rule.flag("bucketKeyEnabled"),
                }
            ]
        },
    )
    return _beside(inputs)


def _policy(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_policy(Bucket=inputs.text("bucket"), Policy=inputs.text("policy"))
    return _beside(inputs)


def _logging(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_logging(
        Bucket=inputs.text("bucket"),
        BucketLoggingStatus={
            "LoggingEnabled": {
                "TargetBucket": inputs.text("targetBucket"),
                "TargetPrefix": inputs.text("targetPrefix"),
            }
        },
    )
    return _beside(inputs)


def _lifecycle(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_lifecycle_configuration(
        Bucket=inputs.text("bucket"),
        LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in inputs.parts("rules")]},
    )
    return _beside(inputs)


def _lifecycle_rule(rule: Inputs) -> LifecycleRuleTypeDef:
    declared: LifecycleRuleTypeDef = {
        "ID": rule.text("id"),
        "Status": "Enabled",
        "Filter": {"Prefix": rule.part("filter").text("prefix", "")},
    }
    if "expiration" in rule:
        expiration = rule.part("expiration")
        declared["Expiration"] = (
            {"Days": expiration.integer("days")} if "days" in expiration else {"ExpiredObjectDeleteMarker": True}
        )
    if "noncurrentVersionExpiration" in rule:
        days = rule.part("noncurrentVersionExpiration").integer("noncurrentDays")
        declared["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "abortIncompleteMultipartUpload" in rule:
        days = rule.part("abortIncompleteMultipartUpload").integer("daysAfterInitiation")
        declared["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    if "transitions" in rule:
        declared["Transitions"] = [
            {"Days": transition.integer("days"), "StorageClass": "INTELLIGENT_TIERING"}
            for transition in rule.parts("transitions")
        ]
    return declared


def _cors(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_cors(
        Bucket=inputs.text("bucket"),
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedMethods": rule.texts("allowedMethods"),
                    "AllowedOrigins": rule.texts("allowedOrigins"),
                    "AllowedHeaders": rule.texts("allowedHeaders"),
                    "ExposeHeaders": rule.texts("exposeHeaders"),
                    "MaxAgeSeconds": rule.integer("maxAgeSeconds"),
                }
                for rule in inputs.parts("corsRules")
            ]
        },
    )
    return _beside(inputs)


def _notification(cloud: Cloud, inputs: Inputs) -> Made:
    cloud.s3.put_bucket_notification_configuration(
        Bucket=inputs.text("bucket"),
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": queue.text("id"),
                    "QueueArn": queue.text("queueArn"),
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": queue.text("filterPrefix")}]}},
                }
                for queue in inputs.parts("queues")
            ],
            **({"EventBridgeConfiguration": {}} if inputs.flag("eventbridge") else {}),
        },
    )
    return _beside(inputs)


def _beside(inputs: Inputs) -> Made:
    """Answer for a resource beside a bucket: it goes by the bucket's name."""
    return Made(id=inputs.text("bucket"), outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle,
    "aws:s3/bucketLogging:BucketLogging": _logging,
    "aws:s3/bucketNotification:BucketNotification": _notification,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _ownership,
    "aws:s3/bucketPolicy:BucketPolicy": _policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _encryption,
    "aws:s3/bucketVersioning:BucketVersioning": _versioning,
}

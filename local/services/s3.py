"""S3 on the emulator: a bucket, and the resources that configure it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_s3.literals import EventType
    from types_boto3_s3.type_defs import (
        CORSRuleTypeDef,
        LifecycleRuleTypeDef,
        LoggingEnabledTypeDef,
        OwnershipControlsRuleTypeDef,
        PublicAccessBlockConfigurationTypeDef,
        ServerSideEncryptionRuleTypeDef,
        VersioningConfigurationTypeDef,
    )


def _bucket(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.physical_name("bucket")
    cloud.client("s3").create_bucket(Bucket=name)
    return Created(id=name, outputs={"bucket": name, "arn": f"arn:aws:s3:::{name}"})


def _versioning(cloud: Cloud, inputs: Inputs) -> Created:
    configuration = inputs.part("versioningConfiguration").as_api("status", "mfaDelete")
    cloud.client("s3").put_bucket_versioning(
        Bucket=inputs.text("bucket"), VersioningConfiguration=cast("VersioningConfigurationTypeDef", configuration)
    )
    return _of_bucket(inputs)


def _ownership(cloud: Cloud, inputs: Inputs) -> Created:
    rule = cast("OwnershipControlsRuleTypeDef", inputs.part("rule").as_api())
    cloud.client("s3").put_bucket_ownership_controls(Bucket=inputs.text("bucket"), OwnershipControls={"Rules": [rule]})
    return _of_bucket(inputs)


def _public_access(cloud: Cloud, inputs: Inputs) -> Created:
    block = inputs.as_api("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
    cloud.client("s3").put_public_access_block(
        Bucket=inputs.text("bucket"),
        PublicAccessBlockConfiguration=cast("PublicAccessBlockConfigurationTypeDef", block),
    )
    return _of_bucket(inputs)


def _encryption(cloud: Cloud, inputs: Inputs) -> Created:
    cloud.client("s3").put_bucket_encryption(
        Bucket=inputs.text("bucket"),
        ServerSideEncryptionConfiguration={"Rules": [_encryption_rule(rule) for rule in inputs.parts("rules")]},
    )
    return _of_bucket(inputs)


def _encryption_rule(rule: Inputs) -> ServerSideEncryptionRuleTypeDef:
    default = rule.part("applyServerSideEncryptionByDefault")
    key = {"KMSMasterKeyID": default.text("kmsMasterKeyId")} if "kmsMasterKeyId" in default else {}
    declared = rule.as_api("bucketKeyEnabled") | {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": default.text("sseAlgorithm"), **key},
        "BlockedEncryptionTypes": {"EncryptionType": rule.texts("blockedEncryptionTypes")},
    }
    return cast("ServerSideEncryptionRuleTypeDef", declared)


def _policy(cloud: Cloud, inputs: Inputs) -> Created:
    cloud.client("s3").put_bucket_policy(Bucket=inputs.text("bucket"), Policy=inputs.text("policy"))
    return _of_bucket(inputs)


def _logging(cloud: Cloud, inputs: Inputs) -> Created:
    enabled = cast("LoggingEnabledTypeDef", inputs.as_api("targetBucket", "targetPrefix"))
    cloud.client("s3").put_bucket_logging(Bucket=inputs.text("bucket"), BucketLoggingStatus={"LoggingEnabled": enabled})
    return _of_bucket(inputs)


def _lifecycle(cloud: Cloud, inputs: Inputs) -> Created:
    cloud.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs.text("bucket"),
        LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in inputs.parts("rules")]},
    )
    return _of_bucket(inputs)


def _lifecycle_rule(rule: Inputs) -> LifecycleRuleTypeDef:
    declared = rule.as_api(
        *("status", "expiration", "noncurrentVersionExpiration", "abortIncompleteMultipartUpload", "transitions")
    )
    declared |= {"ID": rule.text("id"), "Filter": {"Prefix": rule.part("filter").text("prefix", "")}}
    return cast("LifecycleRuleTypeDef", declared)


def _cors(cloud: Cloud, inputs: Inputs) -> Created:
    names = ("allowedMethods", "allowedOrigins", "allowedHeaders", "exposeHeaders", "maxAgeSeconds")
    rules = [cast("CORSRuleTypeDef", rule.as_api(*names)) for rule in inputs.parts("corsRules")]
    cloud.client("s3").put_bucket_cors(Bucket=inputs.text("bucket"), CORSConfiguration={"CORSRules": rules})
    return _of_bucket(inputs)


def _notification(cloud: Cloud, inputs: Inputs) -> Created:
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=inputs.text("bucket"),
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": queue.text("id"),
                    "QueueArn": queue.text("queueArn"),
                    "Events": cast("list[EventType]", queue.texts("events")),
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": queue.text("filterPrefix")}]}},
                }
                for queue in inputs.parts("queues")
            ],
            **({"EventBridgeConfiguration": {}} if inputs.flag("eventbridge") else {}),
        },
    )
    return _of_bucket(inputs)


def _of_bucket(inputs: Inputs) -> Created:
    """Return a resource that configures a bucket: its id is the bucket's name."""
    return Created(id=inputs.text("bucket"), outputs={})


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

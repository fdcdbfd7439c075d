"""What holds data: buckets, the table, and the key of everything."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target
from bootstrap.rights.targets import IN_REGION, KEY, KEY_GRANTS, KEY_THROUGH_SERVICES, NEW_HAS_TAGS, linked_role

_BUCKET: Final = Target(sid="Buckets", service="s3", arns=("arn:{partition}:s3:::{name}",))
_OBJECTS: Final = Target(sid="Objects", service="s3", arns=("arn:{partition}:s3:::{name}/*",))
_TABLE: Final = Target(
    sid="Tables", service="dynamodb", arns=("arn:{partition}:dynamodb:{region}:{account}:table/{name}",)
)
_SCALING: Final = Target(
    sid="Scaling",
    service="application-autoscaling",
    arns=("arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*",),
    conditions={"StringEquals": {"application-autoscaling:service-namespace": ("dynamodb",)}},
    why="its id is AWS's own, and no condition names the table",
)
_SCALING_LISTS: Final = Target(
    sid="ScalingLists",
    service="application-autoscaling",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for lists",
)
_SCALING_TAGS: Final = Target(
    sid="ScalingTags",
    service="application-autoscaling",
    arns=_SCALING.arns,
    why="its id is AWS's own, and the request names no service; nothing is decided by these tags",
)
_SCALING_ALARMS: Final = Target(
    sid="ScalingAlarms",
    service="cloudwatch",
    arns=("arn:{partition}:cloudwatch:{region}:{account}:alarm:TargetTracking-table/{name}",),
)
_SCALING_ROLE: Final = linked_role("ScalingRole", "dynamodb.application-autoscaling.amazonaws.com")
_NEW_KEY: Final = Target(
    sid="NewKeys",
    service="kms",
    arns=("*",),
    conditions=NEW_HAS_TAGS,
    why="a key that is made has no id yet: it gets the stage's tags",
)
_NEW_KEY_TAGS: Final = Target(
    sid="NewKeyTags",
    service="kms",
    arns=("*",),
    conditions={**NEW_HAS_TAGS, "Null": {"kms:ResourceAliases": ("true",)}},
    why="a key that is made has no id, no tags and no alias yet: it gets the stage's tags",
)
_ALIAS: Final = Target(sid="KeyAliases", service="kms", arns=("arn:{partition}:kms:{region}:{account}:alias/{prefix}",))
_ALIAS_LISTS: Final = Target(
    sid="KeyAliasLists",
    service="kms",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for lists",
)


def _of_bucket(put: str, get: str, delete: str = "") -> tuple[Rights]:
    """Return the rights on one of a bucket's side resources, which are changed and mostly deleted as they are made."""
    return (Rights(on=_BUCKET, create=put, read=get, delete=delete),)


STORAGE: Final[Table] = {
    "aws:s3/bucket:Bucket": (
        Rights(
            on=_BUCKET,
            create="CreateBucket PutBucketTagging TagResource",
            # The provider reads whatever a bucket may have, set or not.
            read="GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging "
            "GetBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment GetBucketTagging "
            "GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration "
            "GetReplicationConfiguration ListBucket ListTagsForResource",
            update="UntagResource",
            delete="DeleteBucket",
            empty="ListBucketVersions",
        ),
        Rights(on=_OBJECTS, empty="DeleteObject DeleteObjectVersion"),
    ),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _of_bucket("PutBucketCORS", "GetBucketCORS"),
    "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration": _of_bucket(
        "PutIntelligentTieringConfiguration", "GetIntelligentTieringConfiguration"
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(
        "PutLifecycleConfiguration", "GetLifecycleConfiguration"
    ),
    "aws:s3/bucketLogging:BucketLogging": _of_bucket("PutBucketLogging", "GetBucketLogging"),
    "aws:s3/bucketNotification:BucketNotification": _of_bucket("PutBucketNotification", "GetBucketNotification"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(
        "PutBucketOwnershipControls", "GetBucketOwnershipControls"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(
        "PutBucketPublicAccessBlock", "GetBucketPublicAccessBlock"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(
        "PutEncryptionConfiguration", "GetEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket("PutBucketVersioning", "GetBucketVersioning"),
    "aws:dynamodb/table:Table": (
        Rights(
            on=_TABLE,
            create="CreateTable TagResource UpdateContinuousBackups UpdateTimeToLive",
            read="DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource",
            update="UntagResource UpdateTable",
            delete="DeleteTable",
        ),
        # As AWS KMS's grants for DynamoDB ask of whoever makes the table.
        Rights(on=KEY_THROUGH_SERVICES, create="Decrypt DescribeKey Encrypt GenerateDataKey"),
        Rights(on=KEY_GRANTS, create="CreateGrant"),
    ),
    "aws:appautoscaling/target:Target": (
        Rights(on=_SCALING, create="RegisterScalableTarget", delete="DeregisterScalableTarget"),
        Rights(on=_SCALING_LISTS, read="DescribeScalableTargets"),
        Rights(on=_SCALING_TAGS, create="TagResource", read="ListTagsForResource", update="UntagResource"),
        Rights(on=_SCALING_ROLE, create="CreateServiceLinkedRole"),
    ),
    "aws:appautoscaling/policy:Policy": (
        Rights(on=_SCALING, create="PutScalingPolicy", delete="DeleteScalingPolicy"),
        Rights(on=_SCALING_LISTS, read="DescribeScalingPolicies"),
        # Those by which it tracks its target.
        Rights(on=_SCALING_ALARMS, create="PutMetricAlarm", delete="DeleteAlarms"),
    ),
    "aws:kms/key:Key": (
        Rights(on=_NEW_KEY, create="CreateKey"),
        Rights(on=_NEW_KEY_TAGS, create="TagResource"),
        Rights(
            on=KEY,
            create="EnableKeyRotation PutKeyPolicy",
            read="DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
            update="DisableKeyRotation EnableKey TagResource UntagResource UpdateKeyDescription",
            delete="ScheduleKeyDeletion",
        ),
    ),
    "aws:kms/alias:Alias": (
        Rights(on=_ALIAS, create="CreateAlias", update="UpdateAlias", delete="DeleteAlias"),
        Rights(on=KEY, create="CreateAlias", update="UpdateAlias", delete="DeleteAlias"),
        Rights(on=_ALIAS_LISTS, read="ListAliases"),
    ),
}

"""What the workflows run beside Pulumi: ``operate release`` and ``operate check`` (docs/operations.md)."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target
from bootstrap.rights.observation import ALARM_LISTS
from bootstrap.rights.targets import HAS_TAGS, IN_REGION, KEY

_FUNCTION: Final = Target(
    sid="Released", service="lambda", arns=("arn:{partition}:lambda:{region}:{account}:function:{name}",)
)
_GROUP: Final = Target(
    sid="Releases",
    service="codedeploy",
    arns=("arn:{partition}:codedeploy:{region}:{account}:deploymentgroup:{name}/*",),
)
_APPLICATION: Final = Target(
    sid="ReleaseRevisions",
    service="codedeploy",
    arns=("arn:{partition}:codedeploy:{region}:{account}:application:{name}",),
)
_SHIFT: Final = Target(
    sid="ReleaseShifts",
    service="codedeploy",
    arns=("arn:{partition}:codedeploy:{region}:{account}:deploymentconfig:CodeDeployDefault.*",),
    why="AWS's own",
)
_STOP: Final = Target(
    sid="ReleaseStops",
    service="codedeploy",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for it",
)

RELEASE: Final[Table] = {
    "operate release": (
        Rights(
            on=_FUNCTION,
            read="GetAlias ListAliases ListVersionsByFunction",
            update="DeleteFunction InvokeFunction UpdateAlias",
        ),
        Rights(on=_APPLICATION, read="GetApplicationRevision", update="RegisterApplicationRevision"),
        Rights(
            on=_GROUP,
            read="BatchGetDeployments GetDeployment GetDeploymentGroup ListDeployments",
            update="CreateDeployment",
        ),
        Rights(on=_SHIFT, read="GetDeploymentConfig"),
        Rights(on=_STOP, update="StopDeployment"),
    ),
}
"""What ends a deployment: aliases are moved, old versions deleted."""


def _named(sid: str, service: str, resource: str) -> Target:
    return Target(sid=sid, service=service, arns=(f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}",))


_CHECK_MAPPINGS: Final = Target(
    sid="CheckEventSourceMappings",
    service="lambda",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for lists",
)
_CHECK_KEY: Final = Target(
    sid="CheckKeys",
    service="kms",
    arns=KEY.arns,
    conditions={
        "StringEquals": {
            **HAS_TAGS["StringEquals"],
            "kms:ViaService": tuple(
                f"{service}.{{region}}.amazonaws.com" for service in ("dynamodb", "lambda", "s3", "sqs")
            ),
        }
    },
    why=KEY.why,
)
_CHECK_ITEMS: Final = Target(
    sid="CheckItems",
    service="dynamodb",
    arns=("arn:{partition}:dynamodb:{region}:{account}:table/{name}",),
    conditions={
        # An item's key begins with bucket and key; which version is a key's latest is in one partition for many keys.
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ("{name}/uploads/checks/*", "latest:{name}")},
        "Null": {"dynamodb:LeadingKeys": ("false",)},
    },
)
_CHECK_POOL: Final = Target(
    sid="CheckUserPools",
    service="cognito-idp",
    arns=("arn:{partition}:cognito-idp:{region}:{account}:userpool/*",),
    conditions=HAS_TAGS,
    why="a user pool's id is AWS's own: its tags are the stage's",
)

CHECK: Final[Table] = {
    "operate check": (
        Rights(
            on=Target(sid="CheckBuckets", service="s3", arns=("arn:{partition}:s3:::{name}",)),
            read="GetBucketNotification ListBucket ListBucketVersions",
        ),
        Rights(
            on=Target(sid="CheckUploads", service="s3", arns=("arn:{partition}:s3:::{name}/uploads/checks/*",)),
            update="DeleteObject DeleteObjectVersion PutObject",
        ),
        Rights(
            on=Target(
                sid="CheckResults",
                service="s3",
                arns=(
                    "arn:{partition}:s3:::{name}/processed/record_type=check/*",
                    "arn:{partition}:s3:::{name}/rejected/record_type=check/*",
                ),
            ),
            read="GetObject",
            update="DeleteObject DeleteObjectVersion",
        ),
        Rights(
            on=_named("CheckTables", "dynamodb", "table/{name}"),
            read="BatchGetItem DescribeTable GetItem Query",
        ),
        Rights(on=_CHECK_ITEMS, update="DeleteItem"),
        Rights(on=_named("CheckQueues", "sqs", "{name}"), read="GetQueueAttributes"),
        Rights(
            on=_named("CheckFunctions", "lambda", "function:{name}"),
            read="GetAlias GetFunctionConfiguration ListVersionsByFunction",
        ),
        Rights(on=_CHECK_MAPPINGS, read="ListEventSourceMappings"),
        Rights(on=_named("CheckSchedules", "scheduler", "schedule/default/{name}"), read="GetSchedule"),
        Rights(on=ALARM_LISTS, read="DescribeAlarms"),
        Rights(on=_named("CheckTopics", "sns", "{name}"), read="ListSubscriptionsByTopic"),
        Rights(on=_named("CheckSecrets", "secretsmanager", "secret:{name}"), read="DescribeSecret"),
        Rights(on=_named("CheckLogs", "logs", "log-group:/aws/lambda/{name}"), read="FilterLogEvents"),
        Rights(on=KEY, read="DescribeKey"),
        Rights(on=_CHECK_KEY, read="Decrypt", update="GenerateDataKey"),
        Rights(on=_CHECK_POOL, reveal="DescribeUserPoolClient"),
    ),
}
"""What follows a small file through the stage: it touches files and items of checks, and no others."""

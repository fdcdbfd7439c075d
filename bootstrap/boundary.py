"""The permissions boundary: the most that any role of a stage's functions, schedules and releases may do."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Place
from components.function_permissions import INSIGHTS_LOG_GROUP
from components.iam import Conditions, Statement

_DATA: Final = (
    # service, resources, actions
    (
        "s3",
        ("arn:{partition}:s3:::{name}",),
        "AbortMultipartUpload GetObject GetObjectVersion ListBucket ListBucketVersions PutObject",
    ),
    (
        "dynamodb",
        ("arn:{partition}:dynamodb:{region}:{account}:table/{name}",),
        "BatchGetItem DescribeStream GetItem GetRecords GetShardIterator ListStreams PutItem Query UpdateItem",
    ),
    (
        "sqs",
        ("arn:{partition}:sqs:{region}:{account}:{name}",),
        "ChangeMessageVisibility DeleteMessage GetQueueAttributes ReceiveMessage SendMessage",
    ),
    ("secretsmanager", ("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",), "GetSecretValue"),
    (
        "lambda",
        ("arn:{partition}:lambda:{region}:{account}:function:{name}",),
        "GetAlias GetProvisionedConcurrencyConfig InvokeFunction UpdateAlias",
    ),
    (
        "logs",
        (
            "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{name}",
            f"arn:{{partition}}:logs:{{region}}:{{account}}:log-group:{INSIGHTS_LOG_GROUP}*",
        ),
        "CreateLogGroup CreateLogStream PutLogEvents",
    ),
)

_UNNAMED: Final = (
    # No resource-level permission, or of what does not exist yet (Service Authorization Reference).
    ("cloudwatch", "DescribeAlarms GetMetricData"),
    ("xray", "PutTelemetryRecords PutTraceSegments"),
    (
        "ec2",
        (
            "AssignPrivateIpAddresses CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces "
            "DescribeSubnets UnassignPrivateIpAddresses"
        ),
    ),
)


def boundary_statements(place: Place) -> list[Statement]:
    """Return the most that a role of a stage may do: to its own things, by their names.

    A role gets what both its own policy and this one allow.
    """
    in_region: Conditions = {"StringEquals": {"aws:RequestedRegion": place.region}}
    return [
        *(
            Statement(
                sid=f"Own{service.title()}",
                actions=[f"{service}:{action}" for action in actions.split()],
                resources=[place.fill(arn) for arn in arns],
            )
            for service, arns, actions in _DATA
        ),
        Statement(
            sid="UnnamedInRegion",
            actions=[f"{service}:{action}" for service, actions in _UNNAMED for action in actions.split()],
            resources=["*"],
            conditions=in_region,
        ),
        # Through a service, which asks for its own permission on what is encrypted.
        Statement(
            sid="KeysThroughServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[f"arn:{place.partition}:kms:{place.region}:{place.account}:key/*"],
            conditions={"StringLike": {"kms:ViaService": f"*.{place.region}.amazonaws.com"}},
        ),
    ]

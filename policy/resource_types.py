"""Pulumi's names of the resource types that the rules know."""

from __future__ import annotations

from typing import Final

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
API: Final = "aws:apigatewayv2/api:Api"
API_AUTHORIZER: Final = "aws:apigatewayv2/authorizer:Authorizer"
API_ROUTE: Final = "aws:apigatewayv2/route:Route"
API_STAGE: Final = "aws:apigatewayv2/stage:Stage"
BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
BUCKET_OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_PUBLIC_ACCESS: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
EVENT_SOURCE: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
FUNCTION: Final = "aws:lambda/function:Function"
FUNCTION_PERMISSION: Final = "aws:lambda/permission:Permission"
FUNCTION_RECURSION: Final = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
KEY: Final = "aws:kms/key:Key"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type, not a secret
SECRET_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type, not a secret
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
TABLE: Final = "aws:dynamodb/table:Table"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
USER_POOL: Final = "aws:cognito/userPool:UserPool"
USER_POOL_CLIENT: Final = "aws:cognito/userPoolClient:UserPoolClient"

KNOWN: Final = frozenset(
    {
        ALARM,
        API,
        API_AUTHORIZER,
        API_ROUTE,
        API_STAGE,
        BUCKET,
        BUCKET_ENCRYPTION,
        BUCKET_LOGGING,
        BUCKET_OWNERSHIP,
        BUCKET_POLICY,
        BUCKET_PUBLIC_ACCESS,
        BUCKET_VERSIONING,
        EVENT_SOURCE,
        FUNCTION,
        FUNCTION_PERMISSION,
        FUNCTION_RECURSION,
        KEY,
        LOG_GROUP,
        QUEUE,
        QUEUE_POLICY,
        ROLE,
        ROLE_POLICY,
        SECRET,
        SECRET_POLICY,
        SUBSCRIPTION,
        TABLE,
        TOPIC,
        TOPIC_POLICY,
        USER_POOL,
        USER_POOL_CLIENT,
        # These hold no data of their own and let nobody in: no rule has to read them.
        "aws:apigatewayv2/integration:Integration",
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/target:Target",
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:cognito/riskConfiguration:RiskConfiguration",
        "aws:cognito/user:User",
        "aws:cognito/userGroup:UserGroup",
        "aws:cognito/userInGroup:UserInGroup",
        "aws:kms/alias:Alias",
        "aws:lambda/layerVersion:LayerVersion",
        "aws:scheduler/schedule:Schedule",
        "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
        "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketNotification:BucketNotification",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
    }
)
"""What the program declares. A rule that does not know a type cannot hold it to anything: others are refused."""

OUR_OWN: Final = ("pulumi:", "pipeline:")
"""Prefixes of what is no resource of a cloud: providers, the stack, the program's components."""

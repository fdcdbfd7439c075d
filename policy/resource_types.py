"""The resource types that the rules know, by Pulumi's names: those that the program declares."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Type(StrEnum):
    """A type that the program may declare. What no rule knows cannot be held to anything: other types are refused."""

    ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
    API = "aws:apigatewayv2/api:Api"
    API_AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
    API_ROUTE = "aws:apigatewayv2/route:Route"
    API_STAGE = "aws:apigatewayv2/stage:Stage"
    BUCKET = "aws:s3/bucket:Bucket"
    BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    BUCKET_LOGGING = "aws:s3/bucketLogging:BucketLogging"
    BUCKET_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
    BUCKET_PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
    COMPOSITE_ALARM = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    EVENT_SOURCE = "aws:lambda/eventSourceMapping:EventSourceMapping"
    FUNCTION = "aws:lambda/function:Function"
    FUNCTION_PERMISSION = "aws:lambda/permission:Permission"
    FUNCTION_RECURSION = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
    KEY = "aws:kms/key:Key"
    LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
    QUEUE = "aws:sqs/queue:Queue"
    QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
    ROLE = "aws:iam/role:Role"
    ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
    SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type, not a secret
    SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type, not a secret
    SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
    TABLE = "aws:dynamodb/table:Table"
    TOPIC = "aws:sns/topic:Topic"
    TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
    USER_POOL = "aws:cognito/userPool:UserPool"
    USER_POOL_CLIENT = "aws:cognito/userPoolClient:UserPoolClient"

    # These hold no data of their own and let nobody in: no rule has to read them.
    API_INTEGRATION = "aws:apigatewayv2/integration:Integration"
    SCALING_POLICY = "aws:appautoscaling/policy:Policy"
    SCALING_TARGET = "aws:appautoscaling/target:Target"
    DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
    SCOPES = "aws:cognito/resourceServer:ResourceServer"
    USER_POOL_DOMAIN = "aws:cognito/userPoolDomain:UserPoolDomain"
    USER_POOL_RISK = "aws:cognito/riskConfiguration:RiskConfiguration"
    USER = "aws:cognito/user:User"
    USER_GROUP = "aws:cognito/userGroup:UserGroup"
    USER_IN_GROUP = "aws:cognito/userInGroup:UserInGroup"
    FUNCTION_ALIAS = "aws:lambda/alias:Alias"
    FUNCTION_INVOCATION = "aws:lambda/invocation:Invocation"
    RELEASE_APPLICATION = "aws:codedeploy/application:Application"
    RELEASE_GROUP = "aws:codedeploy/deploymentGroup:DeploymentGroup"
    KEY_ALIAS = "aws:kms/alias:Alias"
    LAYER = "aws:lambda/layerVersion:LayerVersion"
    SCHEDULE = "aws:scheduler/schedule:Schedule"
    BUCKET_CORS = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    BUCKET_TIERING = "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration"
    BUCKET_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    BUCKET_NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
    SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105 - a type, not a secret
    QUEUE_REDRIVE_ALLOW_POLICY = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"


OUR_OWN: Final = ("pulumi:", "pipeline:")
"""Prefixes of what is no resource of a cloud: providers, the stack, the program's components."""

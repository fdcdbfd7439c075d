"""Pulumi's names of the resource types that the rules know."""

from __future__ import annotations

from typing import Final

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
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
FUNCTION_URL: Final = "aws:lambda/functionUrl:FunctionUrl"
KEY: Final = "aws:kms/key:Key"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
MANAGED_POLICY: Final = "aws:iam/policy:Policy"
QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ROLE_POLICY_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type, not a secret
SECRET_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type, not a secret
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
TABLE: Final = "aws:dynamodb/table:Table"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
USER_POOL: Final = "aws:cognito/userPool:UserPool"
USER_POOL_CLIENT: Final = "aws:cognito/userPoolClient:UserPoolClient"

"""Resources as the policies are given them, and how tests make more."""

from __future__ import annotations

import dataclasses
import json

from pulumi.output import Unknown

from policy.resource import PIPELINE
from policy.resource_types import Type
from tests.policy.conftest import Given

KEY = Given(type=Type.KEY, name="key", properties={"enableKeyRotation": True})
QUEUE = Given(type=Type.QUEUE, name="queue")
TOPIC = Given(type=Type.TOPIC, name="topic")
BUCKET = Given(type=Type.BUCKET, name="bucket")
LOGS = Given(type=Type.BUCKET, name="logs")
GROUP = Given(type=Type.LOG_GROUP, name="group")
OTHER_GROUP = Given(type=Type.LOG_GROUP, name="other-group")
ROLE = Given(type=Type.ROLE, name="role")
FUNCTION = Given(type=Type.FUNCTION, name="function", sources={"loggingConfig": [GROUP], "role": [ROLE]})
TLS = {"Bool": {"aws:SecureTransport": "false"}}
SOURCE = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:queue"
QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/queue"
TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:topic"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1"
UNKNOWN_VALUE: object = Unknown()  # type: ignore[no-untyped-call]  # Pulumi's is untyped


def statement(effect: str, principal: object, action: object, condition: object = None, **more: object) -> object:
    entry = {"Sid": "S", "Effect": effect, "Action": action, **more}
    return entry | ({"Principal": principal} if principal else {}) | ({"Condition": condition} if condition else {})


def document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def given_to_role(**entry: object) -> str:
    return document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", **entry})


def role_policy(**entry: object) -> tuple[Given, ...]:
    return one(Type.ROLE_POLICY, policy=given_to_role(**entry))


def inline_policy(**entry: object) -> tuple[Given, ...]:
    return one(Type.ROLE, inlinePolicies=[{"name": "extra", "policy": given_to_role(**entry)}])


def traces(condition: object) -> tuple[Given, ...]:
    return role_policy(Action=["xray:PutTraceSegments"], Resource="*", Condition=condition)


def key_use(condition: object) -> tuple[Given, ...]:
    return role_policy(Action=["kms:Decrypt"], Resource=KEY_ARN, Condition=condition)


def bucket_policy(*statements: object) -> tuple[Given, ...]:
    return one(Type.BUCKET_POLICY, bucket="bucket", policy=document(*statements))


def queue_policy(resource: str, url: str = QUEUE_URL) -> tuple[Given, ...]:
    return one(Type.QUEUE_POLICY, queueUrl=url, policy=document(deny("sqs:*", resource)))


def deny(action: str, *resources: str) -> object:
    return statement("Deny", "*", [action], TLS, Resource=list(resources))


def service(condition: object) -> tuple[Given, ...]:
    return bucket_policy(DENY, statement("Allow", SERVICE, "s3:PutObject", condition))


def trust(principal: object) -> tuple[Given, ...]:
    return one(Type.ROLE, assumeRolePolicy=document(statement("Allow", principal, "sts:AssumeRole")))


def root(account: str) -> object:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def pointing(kind: str, target: Given, name: str = "bucket", **properties: object) -> Given:
    return Given(type=kind, name=kind, properties=properties, sources={name: [target]})


def bringing(**brought: str) -> Given:
    """The pipeline, which says what was brought to it."""
    return Given(type=PIPELINE, properties=brought)


def encrypted(*keys: Given, algorithm: str = "aws:kms", bucket_key: bool = True, key_arn: str = "arn") -> Given:
    rule = {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, "kmsMasterKeyId": key_arn},
        "bucketKeyEnabled": bucket_key,
    }
    return Given(
        type=Type.BUCKET_ENCRYPTION, properties={"rules": [rule]}, sources={"bucket": [BUCKET], "rules": list(keys)}
    )


def event_source(feeds: Given, function: Given = FUNCTION, **properties: object) -> Given:
    return Given(
        type=Type.EVENT_SOURCE,
        name="source",
        properties={"functionResponseTypes": ["ReportBatchItemFailures"], **properties},
        sources={"eventSourceArn": [feeds], "functionName": [function]},
    )


def queue(**properties: object) -> Given:
    return dataclasses.replace(QUEUE, properties=properties)


def one(kind: str, **properties: object) -> tuple[Given, ...]:
    return (Given(type=kind, properties=properties),)


def permission(**properties: object) -> tuple[Given, ...]:
    return one(Type.FUNCTION_PERMISSION, **{"principal": "apigateway.amazonaws.com", **properties})


def subscription(protocol: str, endpoint: object, topic: str = TOPIC_ARN) -> tuple[Given, ...]:
    return one(Type.SUBSCRIPTION, topic=topic, protocol=protocol, endpoint=endpoint)


def api(origin: str) -> tuple[Given, ...]:
    return production(Type.API, corsConfiguration={"allowOrigins": ["https://app.example.com", origin]})


def authorizer(issuer: object, *pools: Given) -> Given:
    return Given(
        type=Type.API_AUTHORIZER,
        properties={"authorizerType": "JWT", "jwtConfiguration": {"issuer": issuer}},
        sources={"jwtConfiguration": list(pools)},
    )


def open_route(*settings: dict[str, object], api: str = "a1b2c3", key: str = "GET /health") -> tuple[Given, ...]:
    """A route without an authorizer, and a stage with the settings of some routes."""
    route = Given(type=Type.API_ROUTE, properties={"apiId": "a1b2c3", "routeKey": key, "authorizationType": "NONE"})
    return route, Given(type=Type.API_STAGE, properties={"apiId": api, "routeSettings": list(settings)})


def production(kind: str, *, protect: bool = True, **properties: object) -> tuple[Given, ...]:
    return (Given(type=kind, properties=properties, protect=protect, stage="prod"),)


def function(**properties: object) -> tuple[Given, ...]:
    good = {
        "tracingConfig": {"mode": "Active"},
        "architectures": ["arm64"],
        "loggingConfig": {"logFormat": "JSON"},
        "kmsKeyArn": "arn",
    }
    return one(Type.FUNCTION, **{**good, **properties})


def second(**sources: list[Given]) -> Given:
    return Given(type=Type.FUNCTION, name="second", sources=sources)


ALARM = Given(type=Type.ALARM, name="alarm")
STREAM_TABLE = Given(type=Type.TABLE, name="table")
BLOCKED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
LOGGING = Given(type=Type.BUCKET_LOGGING, sources={"bucket": [BUCKET], "targetBucket": [LOGS]})
DENY = deny("s3:*", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*")
ACCESS_LOGS = {"destinationArn": "arn", "format": "{}"}
LIMITS = {"throttlingBurstLimit": 100, "throttlingRateLimit": 50}
OTHER = "999999999999"
FOREIGN_TOPIC = f"arn:aws:sns:eu-central-1:{OTHER}:topic"
POOL_ENDPOINT = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abc123"
POOL = Given(type=Type.USER_POOL, properties={"endpoint": POOL_ENDPOINT})
NEW_POOL = Given(type=Type.USER_POOL, properties={"endpoint": UNKNOWN_VALUE})
ISSUER = f"https://{POOL_ENDPOINT}"
ROOT = root("123456789012")
SERVICE = {"Service": "s3.amazonaws.com"}
LEADING_KEYS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["api/*"]}}

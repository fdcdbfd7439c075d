"""Each rule passes what keeps its promise and stops what breaks it."""

from __future__ import annotations

import dataclasses
import json

import pytest
from pulumi.output import Unknown
from pulumi_policy import ResourceValidationPolicy

from policy import resource_types as types
from policy.guardrails import GUARDRAILS
from tests.policy.conftest import TAGS, Given, broken, violations

KEY = Given(type=types.KEY, name="key", properties={"enableKeyRotation": True})
QUEUE = Given(type=types.QUEUE, name="queue")
TOPIC = Given(type=types.TOPIC, name="topic")
BUCKET = Given(type=types.BUCKET, name="bucket")
LOGS = Given(type=types.BUCKET, name="logs")
GROUP = Given(type=types.LOG_GROUP, name="group")
OTHER_GROUP = Given(type=types.LOG_GROUP, name="other-group")
ROLE = Given(type=types.ROLE, name="role")
FUNCTION = Given(type=types.FUNCTION, name="function", sources={"loggingConfig": [GROUP], "role": [ROLE]})
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
    return one(types.ROLE_POLICY, policy=given_to_role(**entry))


def inline_policy(**entry: object) -> tuple[Given, ...]:
    return one(types.ROLE, inlinePolicies=[{"name": "extra", "policy": given_to_role(**entry)}])


def traces(condition: object) -> tuple[Given, ...]:
    return role_policy(Action=["xray:PutTraceSegments"], Resource="*", Condition=condition)


def bucket_policy(*statements: object) -> tuple[Given, ...]:
    return one(types.BUCKET_POLICY, bucket="bucket", policy=document(*statements))


def queue_policy(resource: str, url: str = QUEUE_URL) -> tuple[Given, ...]:
    return one(types.QUEUE_POLICY, queueUrl=url, policy=document(deny("sqs:*", resource)))


def deny(action: str, *resources: str) -> object:
    return statement("Deny", "*", [action], TLS, Resource=list(resources))


def service(condition: object) -> tuple[Given, ...]:
    return bucket_policy(DENY, statement("Allow", SERVICE, "s3:PutObject", condition))


def trust(principal: object) -> tuple[Given, ...]:
    return one(types.ROLE, assumeRolePolicy=document(statement("Allow", principal, "sts:AssumeRole")))


def root(account: str) -> object:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def pointing(kind: str, target: Given, name: str = "bucket", **properties: object) -> Given:
    return Given(type=kind, name=kind, properties=properties, sources={name: [target]})


def encrypted(*keys: Given, algorithm: str = "aws:kms", bucket_key: bool = True) -> Given:
    rule = {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, "kmsMasterKeyId": "arn"},
        "bucketKeyEnabled": bucket_key,
    }
    return Given(
        type=types.BUCKET_ENCRYPTION, properties={"rules": [rule]}, sources={"bucket": [BUCKET], "rules": list(keys)}
    )


def event_source(feeds: Given, function: Given = FUNCTION, **properties: object) -> Given:
    return Given(
        type=types.EVENT_SOURCE,
        name="source",
        properties={"functionResponseTypes": ["ReportBatchItemFailures"], **properties},
        sources={"eventSourceArn": [feeds], "functionName": [function]},
    )


def queue(**properties: object) -> Given:
    return dataclasses.replace(QUEUE, properties=properties)


def one(kind: str, **properties: object) -> tuple[Given, ...]:
    return (Given(type=kind, properties=properties),)


def permission(**properties: object) -> tuple[Given, ...]:
    return one(types.FUNCTION_PERMISSION, **{"principal": "apigateway.amazonaws.com", **properties})


def subscription(protocol: str, endpoint: object, topic: str = TOPIC_ARN) -> tuple[Given, ...]:
    return one(types.SUBSCRIPTION, topic=topic, protocol=protocol, endpoint=endpoint)


def api(origin: str) -> tuple[Given, ...]:
    return production(types.API, corsConfiguration={"allowOrigins": ["https://app.example.com", origin]})


def open_route(*settings: dict[str, object], api: str = "a1b2c3", key: str = "GET /health") -> tuple[Given, ...]:
    """A route without an authorizer, and a stage with the settings of some routes."""
    route = Given(type=types.API_ROUTE, properties={"apiId": "a1b2c3", "routeKey": key, "authorizationType": "NONE"})
    return route, Given(type=types.API_STAGE, properties={"apiId": api, "routeSettings": list(settings)})


def authorizer(issuer: object, *pools: Given) -> Given:
    return Given(
        type=types.API_AUTHORIZER,
        properties={"authorizerType": "JWT", "jwtConfiguration": {"issuer": issuer}},
        sources={"jwtConfiguration": list(pools)},
    )


def production(kind: str, *, protect: bool = True, **properties: object) -> tuple[Given, ...]:
    return (Given(type=kind, properties=properties, protect=protect, stage="prod"),)


def function(**properties: object) -> tuple[Given, ...]:
    good = {
        "tracingConfig": {"mode": "Active"},
        "architectures": ["arm64"],
        "loggingConfig": {"logFormat": "JSON"},
        "kmsKeyArn": "arn",
    }
    return one(types.FUNCTION, **{**good, **properties})


def second(**sources: list[Given]) -> Given:
    return Given(type=types.FUNCTION, name="second", sources=sources)


STREAM_TABLE = Given(type=types.TABLE, name="table")
BLOCKED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
LOGGING = Given(type=types.BUCKET_LOGGING, sources={"bucket": [BUCKET], "targetBucket": [LOGS]})
DENY = deny("s3:*", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*")
ACCESS_LOGS = {"destinationArn": "arn", "format": "{}"}
LIMITS = {"throttlingBurstLimit": 100, "throttlingRateLimit": 50}
OTHER = "999999999999"
FOREIGN_TOPIC = f"arn:aws:sns:eu-central-1:{OTHER}:topic"
POOL_ENDPOINT = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abc123"
POOL = Given(type=types.USER_POOL, properties={"endpoint": POOL_ENDPOINT})
NEW_POOL = Given(type=types.USER_POOL, properties={"endpoint": UNKNOWN_VALUE})
ISSUER = f"https://{POOL_ENDPOINT}"
ROOT = root("123456789012")
SERVICE = {"Service": "s3.amazonaws.com"}

KEEPS: list[tuple[str, tuple[Given, ...]]] = [
    ("encrypted-with-a-key", one(types.SECRET, kmsKeyId="arn")),
    ("encrypted-with-a-key", one(types.TABLE, serverSideEncryption={"enabled": True, "kmsKeyArn": "arn"})),
    ("encrypted-with-the-stack-key", (KEY, Given(type=types.QUEUE, properties={"kmsMasterKeyId": "arn"},
                                                 sources={"kmsMasterKeyId": [KEY]}))),
    ("buckets-encrypted", (BUCKET, KEY, encrypted(KEY))),
    ("buckets-encrypted", (BUCKET, LOGS, LOGGING, KEY, encrypted(KEY), dataclasses.replace(
        encrypted(algorithm="AES256"), name="of-logs", sources={"bucket": [LOGS]}))),
    ("keys-rotate", (KEY,)),
    ("documents-readable", bucket_policy(DENY)),
    ("tls-only", bucket_policy(DENY)),
    ("tls-only", bucket_policy(deny("s3:*", "arn:aws:s3:::bucket"), deny("s3:*", "arn:aws:s3:::bucket/*"))),
    ("tls-only", one(types.BUCKET_POLICY, bucket=UNKNOWN_VALUE, policy=document(DENY))),
    ("tls-only", queue_policy(QUEUE_ARN)),
    ("tls-only", queue_policy(QUEUE_ARN, url="http://127.0.0.1:4566/123456789012/queue")),
    ("tls-only", one(types.TOPIC_POLICY, arn=TOPIC_ARN, policy=document(deny("sns:Publish", TOPIC_ARN)))),
    ("tls-everywhere", (QUEUE, pointing(types.QUEUE_POLICY, QUEUE, "queueUrl"))),
    ("nothing-public", bucket_policy(DENY, statement("Allow", SERVICE, "s3:PutObject", SOURCE))),
    ("nothing-public", one(types.KEY, policy=document(statement(
        "Allow", {"Service": "logs.eu-central-1.amazonaws.com"}, "kms:Encrypt",
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:123456789012:log-group:*"}})))),
    ("nothing-public", service({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::other"}})),
    ("nothing-public", service({"StringLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}})),
    ("nothing-public", bucket_policy(DENY, statement("Allow", {"AWS": "123456789012"}, "s3:GetObject"))),
    ("one-account-in-a-policy", service(SOURCE)),
    ("one-account-in-a-policy", queue_policy(QUEUE_ARN)),
    ("one-account-in-a-policy", subscription("sqs", QUEUE_ARN)),
    ("one-account-in-a-policy", subscription("https", f"https://example.com/{OTHER}/hook")),
    ("one-account-in-a-policy", permission(sourceArn="arn:aws:s3:::bucket", sourceAccount="123456789012")),
    ("one-account-in-a-policy", role_policy(Resource=[QUEUE_ARN, "arn:aws:s3:::bucket/*", TOPIC_ARN])),
    ("one-account-in-a-stack", (*role_policy(Resource=QUEUE_ARN), *one(types.KEY, arn=KEY_ARN))),
    ("one-account-in-a-stack", (*permission(sourceAccount="123456789012"), *one(types.KEY, arn=KEY_ARN))),
    ("one-account-in-a-stack", (*service(SOURCE), *one(types.KEY, arn=KEY_ARN))),
    ("one-account-in-a-stack", (*service(SOURCE), *one(types.TOPIC_POLICY, arn=TOPIC_ARN))),
    ("known-types", (QUEUE, Given(type="pulumi:providers:aws"), Given(type="pipeline:index:Api"))),
    ("nothing-inline", (QUEUE, ROLE, BUCKET, *one(types.ROLE, managedPolicyArns=[]))),
    ("sources-read", one(types.EVENT_SOURCE)),
    ("sources-read", one(types.EVENT_SOURCE, enabled=True)),
    ("nothing-public", one(types.ROLE, assumeRolePolicy=document(
        statement("Allow", {"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")))),
    ("buckets-private", (BUCKET, pointing(types.BUCKET_PUBLIC_ACCESS, BUCKET),
                         pointing(types.BUCKET_OWNERSHIP, BUCKET))),
    ("public-access-blocked", one(types.BUCKET_PUBLIC_ACCESS, **BLOCKED)),
    ("owner-enforced", one(types.BUCKET_OWNERSHIP, rule={"objectOwnership": "BucketOwnerEnforced"})),
    ("functions-not-public", permission(sourceArn="arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/*")),
    ("functions-not-public", permission(sourceArn="arn:aws:s3:::bucket")),
    ("functions-not-public", permission(sourceArn="arn:aws:s3:::*", sourceAccount="123456789012")),
    ("functions-not-public", permission(sourceArn=UNKNOWN_VALUE)),
    ("subscriptions-over-tls", subscription("https", "https://example.com/hook")),
    ("subscriptions-over-tls", subscription("email", "ops@example.com")),
    ("least-privilege", role_policy()),
    ("least-privilege", traces({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}})),
    ("least-privilege", inline_policy()),
    ("least-privilege", role_policy(Resource="arn:aws:dynamodb:eu-central-1:123456789012:table/catalog/index/*")),
    ("least-privilege", one(types.KEY, policy=document(statement("Allow", ROOT, "kms:*", Resource="*")))),
    ("dead-letters-kept", (queue(redrivePolicy="{}"), event_source(QUEUE))),
    ("dead-letters-kept", (STREAM_TABLE, event_source(
        STREAM_TABLE, destinationConfig={"onFailure": {"destinationArn": "arn"}}))),
    ("visibility-outlasts-timeout", (queue(visibilityTimeoutSeconds=360.0), event_source(QUEUE),
                                     dataclasses.replace(FUNCTION, properties={"timeout": 60.0}))),
    ("partial-batches", one(types.EVENT_SOURCE, functionResponseTypes=["ReportBatchItemFailures"])),
    ("production-retained", production(types.TABLE, deletionProtectionEnabled=True)),
    ("production-retained", production(types.USER_POOL, deletionProtection="ACTIVE")),
    ("production-retained", production(types.BUCKET, forceDestroy=False)),
    ("production-retained", one(types.TABLE)),
    ("tables-restorable", one(types.TABLE, pointInTimeRecovery={"enabled": True})),
    ("buckets-versioned", (BUCKET, pointing(
        types.BUCKET_VERSIONING, BUCKET, versioningConfiguration={"status": "Enabled"}))),
    ("functions-as-agreed", function()),
    ("functions-own-role-and-logs", (FUNCTION, GROUP, ROLE, OTHER_GROUP, second(loggingConfig=[OTHER_GROUP]))),
    ("functions-guarded-from-loops", (FUNCTION, pointing(
        types.FUNCTION_RECURSION, FUNCTION, "functionName", recursiveLoop="Terminate"))),
    ("api-logged-and-throttled", one(types.API_STAGE, accessLogSettings=ACCESS_LOGS, defaultRouteSettings=LIMITS)),
    ("api-open-routes-throttled", open_route({"routeKey": "GET /health", **LIMITS})),
    ("api-open-routes-throttled", open_route(api="another")),
    ("api-open-routes-throttled", (open_route()[0],)),
    ("api-open-routes-throttled", (Given(
        type=types.API_ROUTE, properties={"routeKey": "GET /files", "authorizationType": "JWT"}), open_route()[1])),
    ("api-authorized", one(types.API_ROUTE, routeKey="POST /validate", authorizationType="JWT")),
    ("api-authorized", one(types.API_ROUTE, routeKey="GET /health")),
    ("nothing-inline", one(types.API, protocolType="HTTP", corsConfiguration={"allowOrigins": ["*"]})),
    ("api-origins-named", api("https://www.example.com")),
    ("api-origins-named", one(types.API, corsConfiguration={"allowOrigins": ["*"]})),
    ("api-origins-named", production(types.API, corsConfiguration={"allowOrigins": [UNKNOWN_VALUE]})),
    ("api-tokens-of-a-pool", (authorizer(ISSUER),)),
    ("api-tokens-of-a-pool", (authorizer(UNKNOWN_VALUE),)),
    ("api-tokens-of-the-stack", (POOL, authorizer(ISSUER, POOL))),
    ("api-tokens-of-the-stack", (POOL, authorizer(UNKNOWN_VALUE, POOL))),
    ("api-tokens-of-the-stack", (NEW_POOL, authorizer(ISSUER, NEW_POOL))),
    ("api-clients-without-secret", one(types.USER_POOL_CLIENT, generateSecret=False)),
    ("logs-expire", one(types.LOG_GROUP, retentionInDays=7.0)),
    ("alarms-heard", one(types.ALARM, alarmActions=["arn"], treatMissingData="notBreaching")),
    ("topics-heard", (dataclasses.replace(TOPIC, stage="prod"),
                      pointing(types.SUBSCRIPTION, dataclasses.replace(TOPIC, stage="prod"), "topic"))),
    ("buckets-logged", (BUCKET, LOGS, LOGGING)),
    ("tagged", (QUEUE,)),
    ("tagged", (Given(type=types.QUEUE, provider={}, properties={"tagsAll": TAGS}),)),
]  # fmt: skip

BREAKS: list[tuple[str, tuple[Given, ...], str]] = [
    ("encrypted-with-a-key", one(types.SECRET), "kmsKeyId is not set"),
    ("encrypted-with-a-key", one(types.LOG_GROUP, kmsKeyId=""), "kmsKeyId is not set"),
    ("encrypted-with-a-key", one(types.TOPIC, kmsMasterKeyId="alias/aws/sns"), "not AWS's own"),
    ("encrypted-with-a-key", one(types.TABLE, serverSideEncryption={"kmsKeyArn": "arn"}), "the key is not used"),
    ("encrypted-with-a-key", function(kmsKeyArn=None), "kmsKeyArn is not set"),
    ("encrypted-with-the-stack-key", (KEY, queue(kmsMasterKeyId="arn:of:another")), "not a key of this stack"),
    ("buckets-encrypted", (BUCKET,), "has no BucketServerSideEncryptionConfiguration"),
    ("buckets-encrypted", (BUCKET, KEY, encrypted(KEY, algorithm="AES256")), "not encrypted with aws:kms"),
    ("buckets-encrypted", (BUCKET, KEY, encrypted(algorithm="AES256"), Given(
        type=types.BUCKET_LOGGING, sources={"bucket": [BUCKET], "targetBucket": [BUCKET]})),
     "not encrypted with aws:kms"),
    ("buckets-encrypted", (BUCKET, LOGS, KEY, encrypted(algorithm="AES256"), LOGGING), "not encrypted with aws:kms"),
    ("buckets-encrypted", (BUCKET, LOGS, KEY, encrypted(algorithm="AES256"), pointing(
        types.BUCKET_LOGGING, BUCKET, "targetBucket", bucket="bucket")), "not encrypted with aws:kms"),
    ("buckets-encrypted", (BUCKET, KEY, encrypted()), "not encrypted with a key of this stack"),
    ("buckets-encrypted", (BUCKET, KEY, encrypted(KEY, bucket_key=False)), "has no bucket key"),
    ("keys-rotate", one(types.KEY), "enableKeyRotation"),
    ("documents-readable", one(types.ROLE_POLICY, policy="{"), "policy is not JSON"),
    ("documents-readable", one(types.ROLE_POLICY, policy="{}"), "policy has no Statement"),
    ("documents-readable", one(types.ROLE_POLICY, policy=document({"Action": "s3:*"})), "0 whose Effect is None"),
    ("documents-readable", bucket_policy(DENY, statement("allow", "*", "s3:GetObject")), "S whose Effect is allow"),
    ("documents-readable", inline_policy(Effect=["Allow"]), "Effect is ['Allow']"),
    ("tls-only", bucket_policy(statement("Allow", ROOT, "s3:GetObject")), "does not deny s3:*"),
    ("tls-only", bucket_policy(statement("Deny", ROOT, ["s3:*"], TLS)), "does not deny s3:*"),
    ("tls-only", bucket_policy(statement("Deny", "*", ["s3:GetObject"], TLS)), "does not deny s3:*"),
    ("tls-only", bucket_policy(statement("Deny", "*", ["s3:*"], TLS | SOURCE)), "does not deny s3:*"),
    ("tls-only", bucket_policy(deny("s3:*", "arn:aws:s3:::bucket")), "leaves out"),
    ("tls-only", bucket_policy(deny("s3:*", "arn:aws:s3:::bucket/*")), "leaves out"),
    ("tls-only", bucket_policy(deny("s3:*", "arn:aws:s3:::other", "arn:aws:s3:::other/*")), "leaves out"),
    ("tls-only", queue_policy(f"{QUEUE_ARN}-2"), "leaves out"),
    ("tls-only", queue_policy(QUEUE_ARN.replace("central", "west")), "leaves out"),
    ("tls-only", queue_policy(f"{QUEUE_ARN}-2", url="http://127.0.0.1:4566/123456789012/queue"), "leaves out"),
    ("tls-only", one(types.TOPIC_POLICY, arn=TOPIC_ARN, policy=document(deny("sns:Publish", QUEUE_ARN))), "leaves out"),
    ("tls-everywhere", (QUEUE,), "has no policy"),
    *(
        ("known-types", (Given(type=kind),), complaint)
        for kind, complaint in (
            ("aws:iam/policy:Policy", "a Role and its RolePolicy alone"),
            ("aws:iam/policyAttachment:PolicyAttachment", "a Role and its RolePolicy alone"),
            ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a Role and its RolePolicy alone"),
            ("aws:iam/userPolicy:UserPolicy", "a Role and its RolePolicy alone"),
            ("aws:s3/bucketV2:BucketV2", "no rule reads"),
            ("aws:s3/bucketAcl:BucketAcl", "no rule reads"),
            ("aws:kms/keyPolicy:KeyPolicy", "no rule reads"),
            ("aws:dynamodb/resourcePolicy:ResourcePolicy", "no rule reads"),
            ("aws:lambda/functionUrl:FunctionUrl", "no rule reads"),
            ("aws-native:iam:Role", "no rule reads"),
        )
    ),
    ("nothing-inline", one(types.ROLE, managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
     "managedPolicyArns"),
    ("nothing-inline", one(types.BUCKET, acl="public-read"), "acl is set inline"),
    ("nothing-inline", one(types.QUEUE, policy=document()), "policy is set inline"),
    ("nothing-inline", one(types.SECRET, policy=document()), "policy is set inline"),
    ("nothing-inline", one(types.TOPIC, policy=document()), "policy is set inline"),
    *(("nothing-inline", one(types.API, **{name: "arn"}), f"{name} is set inline") for name in (
        "body", "credentialsArn", "routeKey", "target")),
    ("documents-readable", one(types.ROLE, inlinePolicies=[{"policy": "{"}]), "inlinePolicies[0].policy is not JSON"),
    ("nothing-public", service({"StringNotEquals": {"aws:SourceAccount": "999999999999"}}), "anybody's behalf"),
    ("nothing-public", service({"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}), "anybody's behalf"),
    ("nothing-public", service({"StringLike": {"aws:SourceAccount": "*"}}), "anybody's behalf"),
    ("nothing-public", service({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}), "anybody's behalf"),
    ("nothing-public", service({"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::b", "*"]}}), "anybody's behalf"),
    ("nothing-public", service({"StringEquals": {"aws:SourceAccount": []}}), "anybody's behalf"),
    ("nothing-public", service({"StringEquals": {"aws:SourceOrgID": "o-1"}}), "anybody's behalf"),
    ("nothing-public", bucket_policy(statement("Allow", {"AWS": "arn:aws:iam::123456789012:role/x"}, "s3:GetObject")),
     "by its root"),
    ("nothing-public", bucket_policy(statement("Allow", {"CanonicalUser": "79a5"}, "s3:GetObject")), "by its root"),
    ("nothing-public", trust(ROOT), "only services may"),
    ("nothing-public", trust({"Federated": "accounts.example.com"}), "only services may"),
    ("one-account-in-a-policy", bucket_policy(statement("Allow", root("999999999999"), "s3:GetObject"),
                                              statement("Allow", SERVICE, "s3:PutObject", SOURCE)), "999999999999"),
    ("one-account-in-a-policy", one(types.QUEUE_POLICY, queueUrl=QUEUE_URL, policy=document(
        statement("Allow", root("999999999999"), "sqs:SendMessage"))), "999999999999"),
    ("one-account-in-a-stack", (*bucket_policy(statement("Allow", root("999999999999"), "s3:GetObject")),
                                *one(types.KEY, arn=KEY_ARN)), "999999999999"),
    ("one-account-in-a-stack", (*bucket_policy(statement("Allow", root("999999999999"), "s3:GetObject")),
                                *one(types.KEY, policy=document(statement("Allow", ROOT, "kms:*")))), "999999999999"),
    ("one-account-in-a-stack", (*one(types.TOPIC_POLICY, arn=TOPIC_ARN.replace("123456789012", "999999999999")),
                                *one(types.KEY, arn=KEY_ARN)), "999999999999"),
    ("one-account-in-a-policy", permission(sourceArn=TOPIC_ARN, sourceAccount=OTHER), OTHER),
    ("one-account-in-a-policy", permission(
        sourceArn=TOPIC_ARN, function=f"arn:aws:lambda:eu-central-1:{OTHER}:function:f"), OTHER),
    ("one-account-in-a-policy", one(
        types.SUBSCRIPTION, topic=TOPIC_ARN, subscriptionRoleArn=f"arn:aws:iam::{OTHER}:role/r"), OTHER),
    *(("one-account-in-a-policy", subscription(protocol, QUEUE_ARN.replace("123456789012", OTHER)), OTHER)
      for protocol in ("sqs", "lambda", "firehose")),
    ("one-account-in-a-policy", role_policy(Resource=[QUEUE_ARN, f"arn:aws:iam::{OTHER}:role/Admin"]), OTHER),
    ("one-account-in-a-policy", inline_policy(Resource=[QUEUE_ARN, f"arn:aws:iam::{OTHER}:role/Admin"]), OTHER),
    *(("one-account-in-a-stack", (*resources, *one(types.KEY, arn=KEY_ARN)), OTHER) for resources in (
        permission(sourceAccount=OTHER, sourceArn="arn:aws:s3:::bucket"),
        permission(sourceArn=f"arn:aws:execute-api:eu-central-1:{OTHER}:a1b2c3/*"),
        subscription("sqs", UNKNOWN_VALUE, topic=FOREIGN_TOPIC),
        role_policy(Action="sts:AssumeRole", Resource=f"arn:aws:iam::{OTHER}:role/Admin"),
        inline_policy(Action="sts:AssumeRole", Resource=f"arn:aws:iam::{OTHER}:role/Admin"),
        one(types.SUBSCRIPTION, arn=f"{FOREIGN_TOPIC}:1", topic=FOREIGN_TOPIC))),
    ("one-account-in-a-stack", (*role_policy(Resource=f"arn:aws:iam::{OTHER}:role/Admin"),
                                *one(types.KEY, policy=document(statement("Allow", ROOT, "kms:*")))), OTHER),
    ("subscriptions-over-tls", subscription("http", "http://example.com/hook"), "protocol = http"),
    ("sources-read", one(types.EVENT_SOURCE, enabled=False), "enabled is false"),
    ("alarms-heard", one(types.ALARM, alarmActions=["arn"], treatMissingData="missing", actionsEnabled=False),
     "actionsEnabled"),
    ("least-privilege", inline_policy(Action="s3:*"), "allows s3:*"),
    ("least-privilege", role_policy(Action="s3:GetObjec?"), "allows s3:GetObjec?"),
    ("least-privilege", bucket_policy(statement("Allow", ROOT, "s3:Get*")), "allows s3:Get*"),
    ("least-privilege", bucket_policy(statement("Allow", ROOT, "s3:?etObject")), "allows s3:?etObject"),
    ("least-privilege", one(types.KEY, policy=document(statement("Allow", SERVICE, "kms:De*", SOURCE))), "kms:De*"),
    ("least-privilege", bucket_policy(statement("Allow", ROOT, "kms:ReEncrypt*")), "allows kms:ReEncrypt*"),
    ("least-privilege", role_policy(Resource="*", Condition=SOURCE), "name the resource"),
    *(("least-privilege", role_policy(Resource=name), "name the resource") for name in (
        "?*", "arn:*", "arn:aws:s3:::*", "arn:aws:s3:::???*", "arn:aws:s3:::b*", "arn:aws:s3:*:*:bucket/*",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/*", "arn:aws:sqs:eu-central-1:?:queue")),
    ("least-privilege", traces({"StringLike": {"aws:RequestedRegion": "*"}}), "a condition that binds"),
    ("least-privilege", traces({"StringLike": {"aws:RequestedRegion": ["eu-central-1", "?*"]}}), "that binds"),
    ("least-privilege", traces({"StringNotEquals": {"aws:RequestedRegion": "x"}}), "a condition that binds"),
    ("least-privilege", traces({"Null": {"aws:RequestedRegion": "false"}}), "a condition that binds"),
    ("least-privilege", traces({}), "a condition that binds"),
    ("tls-everywhere", (TOPIC,), "has no policy"),
    ("tls-everywhere", (BUCKET,), "has no policy"),
    ("nothing-public", bucket_policy(statement("Allow", "*", "s3:GetObject", SOURCE)), "allows everybody"),
    ("nothing-public", bucket_policy(statement("Allow", {"AWS": ["*"]}, "s3:GetObject")), "allows everybody"),
    ("nothing-public", bucket_policy(statement("Allow", SERVICE, "s3:PutObject")), "aws:SourceAccount"),
    ("nothing-public", one(types.ROLE, assumeRolePolicy=document(statement("Allow", "*", "sts:AssumeRole"))),
     "allows everybody"),
    ("buckets-private", (BUCKET, pointing(types.BUCKET_OWNERSHIP, BUCKET)), "has no BucketPublicAccessBlock"),
    ("buckets-private", (BUCKET, pointing(types.BUCKET_PUBLIC_ACCESS, BUCKET)), "has no BucketOwnershipControls"),
    ("public-access-blocked", one(types.BUCKET_PUBLIC_ACCESS, **{**BLOCKED, "blockPublicPolicy": False}),
     "blockPublicPolicy"),
    ("owner-enforced", one(types.BUCKET_OWNERSHIP, rule={"objectOwnership": "ObjectWriter"}), "ObjectWriter"),
    ("functions-not-public", permission(principal="*", sourceArn=TOPIC_ARN), "allows * to call"),
    ("functions-not-public", permission(principal=OTHER, sourceArn=TOPIC_ARN), OTHER),
    ("functions-not-public", permission(), "set sourceArn"),
    *(("functions-not-public", permission(sourceArn=arn), f"sourceArn = {arn}") for arn in (
        "*", "arn:*", "arn:aws:s3:::*", "arn:aws:execute-api:eu-central-1:*:a1b2c3/*", "bucket")),
    ("functions-not-public", permission(sourceAccount="*"), "sourceAccount = *"),
    ("functions-not-public", permission(sourceArn=TOPIC_ARN, functionUrlAuthType="NONE"), "functionUrlAuthType = NONE"),
    ("least-privilege", role_policy(Action="s3:*"), "allows s3:*"),
    ("least-privilege", role_policy(Action=["s3:GetObject", "s3:Put*"]), "allows s3:Put*"),
    ("least-privilege", role_policy(Resource="*"), "on *: name the resource"),
    ("least-privilege", role_policy(NotAction="s3:GetObject"), "has NotAction"),
    ("least-privilege", role_policy(NotResource="arn"), "has NotResource"),
    ("least-privilege", bucket_policy(statement("Allow", ROOT, "s3:*")), "allows s3:*"),
    ("least-privilege", one(types.KEY, policy=document(
        statement("Allow", {"AWS": "arn:aws:iam::1:role/x"}, "kms:*"))), "allows kms:*"),
    ("dead-letters-kept", (QUEUE, event_source(QUEUE)), "has no redrivePolicy"),
    ("dead-letters-kept", (STREAM_TABLE, event_source(STREAM_TABLE)), "has no destinationConfig.onFailure"),
    ("visibility-outlasts-timeout", (queue(visibilityTimeoutSeconds=359.0), event_source(QUEUE),
                                     dataclasses.replace(FUNCTION, properties={"timeout": 60.0})), "at least 360"),
    ("partial-batches", one(types.EVENT_SOURCE), "ReportBatchItemFailures"),
    ("production-retained", production(types.KEY, protect=False), "is not protected"),
    ("production-retained", production(types.BUCKET, forceDestroy=True), "forceDestroy"),
    ("production-retained", production(types.TABLE), "deletionProtectionEnabled"),
    ("production-retained", production(types.USER_POOL, deletionProtection="INACTIVE"), "not ACTIVE"),
    ("tables-restorable", one(types.TABLE), "pointInTimeRecovery"),
    ("buckets-versioned", (BUCKET,), "is not versioned"),
    ("buckets-versioned", (BUCKET, pointing(
        types.BUCKET_VERSIONING, BUCKET, versioningConfiguration={"status": "Suspended"})), "is not versioned"),
    ("functions-as-agreed", function(tracingConfig={"mode": "PassThrough"}), "tracingConfig"),
    ("functions-as-agreed", function(architectures=["x86_64"]), "arm64"),
    ("functions-as-agreed", function(architectures=None), "arm64"),
    ("functions-as-agreed", function(loggingConfig={"logFormat": "Text"}), "logFormat"),
    ("functions-own-role-and-logs", (FUNCTION,), "logs to no group of this stack"),
    ("functions-own-role-and-logs", (FUNCTION, GROUP, ROLE, second(loggingConfig=[GROUP])), "shares its log group"),
    ("functions-own-role-and-logs", (FUNCTION, GROUP, ROLE, OTHER_GROUP,
                                     second(loggingConfig=[OTHER_GROUP], role=[ROLE])), "shares its role"),
    ("functions-guarded-from-loops", (FUNCTION,), "has no FunctionRecursionConfig"),
    ("functions-guarded-from-loops", (FUNCTION, pointing(
        types.FUNCTION_RECURSION, FUNCTION, "functionName", recursiveLoop="Allow")), "has no FunctionRecursionConfig"),
    ("api-logged-and-throttled", one(types.API_STAGE, defaultRouteSettings=LIMITS), "accessLogSettings.destinationArn"),
    ("api-logged-and-throttled", one(types.API_STAGE, accessLogSettings=ACCESS_LOGS), "throttlingBurstLimit"),
    ("api-open-routes-throttled", open_route(), "routeSettings lack limits of GET /health"),
    ("api-open-routes-throttled", open_route({"routeKey": "GET /files", **LIMITS}), "limits of GET /health"),
    ("api-open-routes-throttled", open_route({"routeKey": "GET /health", "throttlingRateLimit": 5.0}), "limits of"),
    ("api-authorized", one(types.API_ROUTE, routeKey="POST /validate", authorizationType="NONE"), "POST /validate"),
    ("api-authorized", one(types.API_ROUTE, routeKey="$default"), "$default"),
    ("api-origins-named", api("*"), "allowOrigins has *"),
    ("api-origins-named", api("https://*"), "allowOrigins has https://*"),
    ("api-tokens-of-a-pool", one(types.API_AUTHORIZER, authorizerType="REQUEST"), "issuer = None"),
    *(("api-tokens-of-a-pool", (authorizer(issuer),), f"issuer = {issuer}") for issuer in (
        None, "https://example.com", f"{ISSUER}/x", "https://cognito-idp.eu-central-1.amazonaws.com.example.com/pool",
        f"https://example.com/{POOL_ENDPOINT}")),
    ("api-tokens-of-the-stack", (POOL, authorizer(ISSUER)), "not a user pool of this stack"),
    ("api-tokens-of-the-stack", (POOL, authorizer(f"{ISSUER}9", POOL)), "not a user pool of this stack"),
    ("api-clients-without-secret", one(types.USER_POOL_CLIENT, generateSecret=True), "generateSecret"),
    ("logs-expire", one(types.LOG_GROUP), "retentionInDays"),
    ("logs-expire", one(types.LOG_GROUP, retentionInDays=0.0), "retentionInDays"),
    ("alarms-heard", one(types.ALARM, treatMissingData="missing"), "alarmActions"),
    ("alarms-heard", one(types.ALARM, alarmActions=["arn"]), "treatMissingData"),
    ("topics-heard", (dataclasses.replace(TOPIC, stage="prod"),), "has no subscription"),
    ("buckets-logged", (BUCKET,), "has no BucketLogging"),
    ("tagged", (Given(type=types.QUEUE, provider={}),), "lacks the tags Environment"),
    ("tagged", (Given(type=types.QUEUE, properties={"tags": {"Owner": ""}}),), "lacks the tags Owner"),
    ("tagged", (Given(type=types.QUEUE, stage="prod"),), "tag Environment = dev: should be prod"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "resources"), KEEPS)
def test_what_keeps_the_promise_passes(rule: str, resources: tuple[Given, ...]) -> None:
    assert not {found for found in violations(*resources) if found.startswith(f"{rule}: ")}


@pytest.mark.parametrize(("rule", "resources", "complaint"), BREAKS)
def test_what_breaks_the_promise_is_named(rule: str, resources: tuple[Given, ...], complaint: str) -> None:
    assert [found for found in violations(*resources) if found.startswith(f"{rule}: ") and complaint in found]


def test_every_rule_is_shown_to_pass_and_to_stop() -> None:
    rules = {policy.name for policy in GUARDRAILS}

    assert {rule for rule, _ in KEEPS} == rules
    assert {rule for rule, _, _ in BREAKS} == rules


@pytest.mark.parametrize("kind", sorted({resource.type for _, resources in KEEPS for resource in resources}))
def test_a_value_that_is_not_known_yet_is_not_held_against_a_resource(kind: str) -> None:
    """In a preview: every property that any rule reads."""
    cases = [*(resources for _, resources in KEEPS), *(resources for _, resources, _ in BREAKS)]
    names = {name for resources in cases for given in resources for name in given.properties}
    resource = Given(type=kind, properties=dict.fromkeys(names, UNKNOWN_VALUE), protect=True, stage="prod")
    of_one_resource = {policy.name for policy in GUARDRAILS if isinstance(policy, ResourceValidationPolicy)}

    assert not broken(resource) & of_one_resource


@pytest.mark.parametrize("stage", ["prod", "production", "live", "Prod", "prod-eu", "eu_live"])
def test_production_is_known_by_its_name(stage: str) -> None:
    assert "production-retained" in broken(Given(type=types.KEY, stage=stage))


@pytest.mark.parametrize("stage", ["dev", "local", "product", "delivery", "olive"])
def test_a_name_that_only_looks_like_production_is_not(stage: str) -> None:
    assert "production-retained" not in broken(Given(type=types.KEY, stage=stage))


def test_tags_that_are_not_known_yet_are_not_held_against_a_resource() -> None:
    assert "tagged" not in broken(Given(type=types.QUEUE, provider={"defaultTags": UNKNOWN_VALUE}))
    assert "tagged" not in broken(Given(type=types.QUEUE, provider={}, properties={"tagsAll": UNKNOWN_VALUE}))

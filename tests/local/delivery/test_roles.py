"""What the delivery's roles may do on the local cloud, and where its secret stands: nowhere else."""

from __future__ import annotations

import json

import pytest

from delivery.signature import key_bytes
from tests.local.conftest import Probe, make_probe
from tests.local.delivery.conftest import Delivered

DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.fixture(scope="module")
def probe(delivering: Delivered) -> Probe:
    return make_probe(delivering, "delivery")


def test_the_delivery_role_may_do_its_work_and_nothing_else(delivered: Delivered, probe: Probe) -> None:
    out = delivered.stack.outputs
    key = {"object_id": {"S": "a"}, "version_id": {"S": "b"}}
    letter: dict[str, object] = {"MessageBody": "{}", "MessageGroupId": "a", "MessageDeduplicationId": "a"}

    assert probe("secretsmanager", "get_secret_value", {"SecretId": out["secretArn"]}) == "allowed"
    assert probe("sqs", "send_message", {**letter, "QueueUrl": out["deliveryDeadLetterQueueUrl"]}) == "allowed"
    delivered.stack.cloud.client("sqs").purge_queue(QueueUrl=out["deliveryDeadLetterQueueUrl"])

    denied: list[tuple[str, str, dict[str, object]]] = [
        ("secretsmanager", "put_secret_value", {"SecretId": out["secretArn"], "SecretString": "{}"}),
        ("secretsmanager", "delete_secret", {"SecretId": out["secretArn"]}),
        ("secretsmanager", "list_secrets", {}),
        ("dynamodb", "get_item", {"TableName": out["tableName"], "Key": key}),
        ("dynamodb", "put_item", {"TableName": out["tableName"], "Item": key}),
        ("dynamodb", "scan", {"TableName": out["tableName"]}),
        ("s3", "get_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("s3", "put_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("sqs", "receive_message", {"QueueUrl": out["deliveryDeadLetterQueueUrl"]}),
        ("sqs", "purge_queue", {"QueueUrl": out["deliveryDeadLetterQueueUrl"]}),
        ("sqs", "send_message", {**letter, "QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "send_message", {"QueueUrl": out["queueUrl"], "MessageBody": "x"}),
        ("sqs", "send_message", {"QueueUrl": out["deadLetterQueueUrl"], "MessageBody": "x"}),
        ("lambda", "invoke", {"FunctionName": out["ingestFunctionName"]}),
        ("kms", "schedule_key_deletion", {"KeyId": out["keyId"]}),
        ("iam", "list_roles", {}),
        ("sns", "publish", {"TopicArn": out["topicArn"], "Message": "false alarm"}),
    ]
    for service, operation, parameters in denied:
        answer = probe(service, operation, parameters)
        assert answer in DENIED, (operation, answer)


def test_the_forwarding_role_may_do_its_work_and_nothing_else(delivered: Delivered) -> None:
    out, probe = delivered.stack.outputs, make_probe(delivered, "forward")
    letter: dict[str, object] = {"MessageBody": "{}", "MessageGroupId": "a", "MessageDeduplicationId": "b"}

    assert probe("sqs", "send_message", {**letter, "QueueUrl": out["deliveryDeadLetterQueueUrl"]}) == "allowed"
    delivered.stack.cloud.client("sqs").purge_queue(QueueUrl=out["deliveryDeadLetterQueueUrl"])

    denied: list[tuple[str, str, dict[str, object]]] = [
        ("secretsmanager", "get_secret_value", {"SecretId": out["secretArn"]}),
        ("dynamodb", "scan", {"TableName": out["tableName"]}),
        ("s3", "get_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("sqs", "receive_message", {"QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "purge_queue", {"QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "send_message", {"QueueUrl": out["queueUrl"], "MessageBody": "x"}),
        ("lambda", "invoke", {"FunctionName": out["deliveryFunctionName"]}),
    ]
    for service, operation, parameters in denied:
        answer = probe(service, operation, parameters)
        assert answer in DENIED, (operation, answer)


def test_the_ingest_role_may_not_read_the_secret(delivered: Delivered) -> None:
    probe = make_probe(delivered, "ingest")

    answer = probe("secretsmanager", "get_secret_value", {"SecretId": delivered.stack.outputs["secretArn"]})

    assert answer == "AccessDeniedException"


def test_the_denial_of_plain_http_stands_on_the_secret(delivered: Delivered) -> None:
    policy = delivered.stack.cloud.client("secretsmanager").get_resource_policy(
        SecretId=delivered.stack.outputs["secretArn"]
    )

    assert "aws:SecureTransport" in policy["ResourcePolicy"]


def test_the_first_secret_is_as_it_should_be(delivered: Delivered) -> None:
    """What the program made: 32 letters and digits, kept under its own label after rotations."""
    value = delivered.stack.cloud.client("secretsmanager").get_secret_value(
        SecretId=delivered.stack.outputs["secretArn"], VersionStage="DECLARED"
    )
    secret = json.loads(value["SecretString"])

    assert secret["username"] == "admin"
    assert len(secret["password"]) == 32
    assert secret["password"].isalnum()
    assert len(key_bytes(secret["signing_key"])) == 32
    assert secret["password"].encode() != key_bytes(secret["signing_key"])


def test_no_secret_stands_in_a_log(delivered: Delivered) -> None:
    delivered.told(*delivered.final(delivered.drop("uploads/logged.csv")))
    secret = delivered.stack.cloud.client("secretsmanager").get_secret_value(
        SecretId=delivered.stack.outputs["secretArn"]
    )
    value = json.loads(secret["SecretString"])
    logs = delivered.stack.cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]

    text = "".join(
        event["message"] for group in groups for event in logs.filter_log_events(logGroupName=group)["events"]
    )

    assert "uploads/logged.csv" in text, "the function's log was read"
    assert value["password"] not in text
    assert value["signing_key"] not in text

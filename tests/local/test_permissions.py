"""IAM, enforced: the function's role is enough for its work, and for nothing beyond; faults that can pass do pass."""

from __future__ import annotations

import pytest

from local.waiting import wait_until
from tests.local.conftest import LocalPipeline, Probe, statuses

KEY = {"object_id": {"S": "a"}, "version_id": {"S": "b"}}
QUERY: dict[str, object] = {
    "TableName": "{table}",
    "KeyConditionExpression": "object_id = :id",
    "ExpressionAttributeValues": {":id": {"S": "a"}},
}
DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.fixture
def names(pipeline: LocalPipeline) -> dict[str, str]:
    file = pipeline.drop("uploads/readable.csv")
    pipeline.drop("processed/secret.csv")
    pipeline.final(file)
    return {
        "bucket": pipeline.bucket,
        "table": pipeline.table,
        "queue": pipeline.queue_url,
        "dead": pipeline.dead_letter_url,
        "key": pipeline.stack.outputs["keyId"],
        "topic": pipeline.stack.outputs["topicArn"],
    }


def fill(parameters: dict[str, object], names: dict[str, str]) -> dict[str, object]:
    return {name: value.format(**names) if isinstance(value, str) else value for name, value in parameters.items()}


def test_the_role_may_read_uploads_and_publish(probe: Probe, names: dict[str, str]) -> None:
    allowed = {"Bucket": names["bucket"], "Key": "uploads/readable.csv"}
    for key in ("processed/probe", "rejected/probe"):
        assert probe("s3", "put_object", {"Bucket": names["bucket"], "Key": key}) == "allowed"

    assert probe("s3", "get_object", {**allowed}) == "allowed"
    assert probe("s3", "head_object", {**allowed}) == "allowed"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "get_object", {"Bucket": "{bucket}", "Key": "processed/secret.csv"}),
        ("s3", "head_object", {"Bucket": "{bucket}", "Key": "processed/secret.csv"}),
        ("s3", "delete_object", {"Bucket": "{bucket}", "Key": "uploads/readable.csv"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "uploads/loop.csv"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "elsewhere/x.csv"}),
        ("s3", "put_bucket_policy", {"Bucket": "{bucket}", "Policy": "{{}}"}),
        ("s3", "list_buckets", {}),
        ("dynamodb", "scan", {"TableName": "{table}"}),
        (
            "dynamodb",
            "delete_item",
            {"TableName": "{table}", "Key": KEY},
        ),
        ("dynamodb", "query", QUERY),
        ("dynamodb", "get_item", {"TableName": "other-table", "Key": KEY}),
        ("dynamodb", "put_item", {"TableName": "other-table", "Item": KEY}),
        ("dynamodb", "delete_table", {"TableName": "{table}"}),
        ("sqs", "send_message", {"QueueUrl": "{queue}", "MessageBody": "loop"}),
        ("sqs", "purge_queue", {"QueueUrl": "{queue}"}),
        ("sqs", "receive_message", {"QueueUrl": "{dead}"}),
        ("sqs", "delete_queue", {"QueueUrl": "{dead}"}),
        ("sns", "publish", {"TopicArn": "{topic}", "Message": "false alarm"}),
        ("kms", "schedule_key_deletion", {"KeyId": "{key}"}),
        # The key is used through S3, DynamoDB and SQS, and not by the function itself.
        ("kms", "generate_data_key", {"KeyId": "{key}", "KeySpec": "AES_256"}),
        ("kms", "encrypt", {"KeyId": "{key}", "Plaintext": "text", "EncryptionContext": {"for": "files"}}),
        ("kms", "put_key_policy", {"KeyId": "{key}", "PolicyName": "default", "Policy": "{{}}"}),
        ("iam", "list_roles", {}),
        ("lambda", "list_functions", {}),
        ("secretsmanager", "list_secrets", {}),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::000000000000:role/other", "RoleSessionName": "xx"}),
    ],
)
def test_the_role_may_do_nothing_else(
    probe: Probe, names: dict[str, str], service: str, operation: str, parameters: dict[str, object]
) -> None:
    assert probe(service, operation, fill(parameters, names)) in DENIED


def test_reads_denied_for_a_while(pipeline: LocalPipeline) -> None:
    """FAILED with its reason while it lasts; COMPLETED by the retry when it is over."""
    with pipeline.retried_after(1):
        with pipeline.denied("s3:GetObject", "s3:GetObjectVersion"):
            file = pipeline.drop("uploads/denied.csv")
            wait_until(lambda: (pipeline.item(file) or {}).get("status") == "FAILED", "never failed")
            assert "403" in str((pipeline.item(file) or {})["reason"])
        wait_until(lambda: (pipeline.item(file) or {})["status"] == "COMPLETED", "never retried")

    pipeline.drained()
    assert pipeline.dead_letters() == 0
    assert "reason" not in (pipeline.item(file) or {})


def test_reads_denied_for_good_and_the_dead_letter_sent_again(pipeline: LocalPipeline) -> None:
    """After five receives the message lies whole in the dead-letter queue; sent again, it completes the file."""
    with pipeline.retried_after(1), pipeline.denied("s3:GetObject", "s3:GetObjectVersion"):
        file = pipeline.drop("uploads/dead.csv")
        wait_until(lambda: pipeline.dead_letters() == 1, "no dead-letter message")
    item = pipeline.item(file) or {}
    assert (item["status"], item["attempt"]) == ("FAILED", 5)
    ((body, _),) = pipeline.take_dead_letters()

    pipeline.send(body)

    wait_until(lambda: (pipeline.item(file) or {})["status"] == "COMPLETED", "the dead-letter message was not whole")


def test_a_catalog_that_cannot_be_written_loses_nothing(pipeline: LocalPipeline) -> None:
    with pipeline.retried_after(1):
        with pipeline.denied("dynamodb:PutItem", "dynamodb:UpdateItem"):
            file = pipeline.drop("uploads/uncataloged.csv")
            wait_until(lambda: in_flight(pipeline), "never received")
            assert pipeline.item(file) is None
        assert statuses(pipeline.final(file)) == ["COMPLETED"]
    pipeline.drained()


def in_flight(pipeline: LocalPipeline) -> bool:
    attributes = pipeline.stack.cloud.client("sqs").get_queue_attributes(
        QueueUrl=pipeline.queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return attributes["ApproximateNumberOfMessagesNotVisible"] != "0"

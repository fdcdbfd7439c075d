"""The delivery: queues, functions, permissions; without an endpoint, there is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pulumi
import pytest

from components import delivery as component
from components.delivery import DELIVERED_STATUSES
from delivery.endpoint import CONNECT_SECONDS
from forward.changes import DELIVERED
from shared.catalog.model import Status
from tests.conftest import ACCOUNT, PASSWORD, REGION, declare
from tests.declared_stack import Declared, DeclaredStack, dig, texts

ENDPOINT = "https://receiver.example.com/files"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


@pytest.fixture(scope="module", params=["dev", "prod"])
def delivering(request: pytest.FixtureRequest) -> DeclaredStack:
    return declare(request.param, overrides={"deliveryEndpoint": ENDPOINT})


def stream_of(stack: DeclaredStack) -> Declared:
    return stack.one("EventSourceMapping", "-forward-source")


def granted(stack: DeclaredStack, purpose: str) -> dict[str, set[str]]:
    """Resource → actions of a function's role; a statement for each."""
    statements = stack.one("RolePolicy", f"-{purpose}-policy").statements().values()
    found = {" ".join(texts(s["Resource"])): set(texts(s["Action"])) for s in statements}
    assert len(found) == len(statements)
    return found


def key_services(stack: DeclaredStack, purpose: str) -> object:
    return dig(
        stack.one("RolePolicy", f"-{purpose}-policy").statements()["UseKey"],
        "Condition",
        "StringEquals",
        "kms:ViaService",
    )


def via(*services: str) -> list[str]:
    return [f"{service}.{REGION}.amazonaws.com" for service in services]


def test_the_password_stands_nowhere_else(delivering: DeclaredStack) -> None:
    """In no input that is not marked as secret, in no output: marked ones are encrypted in the state."""
    key = base64.b64encode(PASSWORD.encode()).decode()
    for resource in delivering.resources:
        clear = {key: value for key, value in resource.inputs.items() if not pulumi.runtime.rpc.is_rpc_secret(value)}
        assert PASSWORD not in repr(clear), resource.name
        assert key not in repr(clear), resource.name
    assert PASSWORD not in repr(delivering.outputs)
    assert key not in repr(delivering.outputs)


def test_without_an_endpoint_nothing_delivers(stack: DeclaredStack) -> None:
    assert not [resource.name for resource in stack.resources if "-delivery" in resource.name]
    assert not [name for name in stack.outputs if name.startswith("delivery")]
    for policy in stack.all("RolePolicy"):
        assert "secretsmanager" not in policy.text("policy")
        assert "/stream" not in policy.text("policy")


def test_outputs_of_a_delivery(delivering: DeclaredStack) -> None:
    outputs = delivering.outputs
    for purpose in ("forward", "delivery"):
        name = delivering.one("Function", f"-{purpose}").name
        assert (outputs[f"{purpose}FunctionName"], outputs[f"{purpose}FunctionArn"]) == (name, arn("lambda", name))
    assert outputs["deliveryQueueArn"] == arn("sqs", delivering.one("Queue", "-delivery-queue").name)
    assert str(outputs["deliveryQueueUrl"]).endswith("-delivery-queue")
    assert str(outputs["deliveryDeadLetterQueueUrl"]).endswith("-delivery-dead-letters")


@pytest.mark.parametrize("purpose", ["forward", "delivery"])
def test_each_role_may_do_exactly_this(delivering: DeclaredStack, purpose: str) -> None:
    prefix = f"file-pipeline-{delivering.stage}"
    own = {
        "forward": {
            arn("dynamodb", f"{prefix}-catalog-table/stream"): {
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            },
            arn("sqs", f"{prefix}-delivery-queue"): {"sqs:SendMessage"},
        },
        "delivery": {
            arn("secretsmanager", f"{prefix}-secret"): {"secretsmanager:GetSecretValue"},
            arn("sqs", f"{prefix}-delivery-queue"): {
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility",
            },
        },
    }

    assert granted(delivering, purpose) == {
        **own[purpose],
        arn("sqs", f"{prefix}-delivery-dead-letters"): {"sqs:SendMessage"},
        arn("kms", f"{prefix}-encryption-key"): {"kms:Decrypt", "kms:GenerateDataKey"},
        arn("cloudwatch", f"/aws/lambda/{prefix}-{purpose}:log-stream:*"): {
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        },
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    }
    service = {"forward": "dynamodb", "delivery": "secretsmanager"}[purpose]
    assert key_services(delivering, purpose) == via(*sorted((service, "lambda", "sqs")))


def test_nobody_else_may_read_the_secret(delivering: DeclaredStack) -> None:
    readers = [p.name for p in delivering.all("RolePolicy") if "secretsmanager" in p.text("policy")]

    assert readers == [delivering.one("RolePolicy", "-delivery-policy").name]


def test_the_function_knows_the_secret_by_its_arn_alone(delivering: DeclaredStack) -> None:
    variables = dig(delivering.one("Function", "-delivery").inputs, "environment", "variables")

    assert isinstance(variables, dict)
    assert variables["SECRET_ARN"] == arn("secretsmanager", f"file-pipeline-{delivering.stage}-secret")
    assert variables["ENDPOINT_URL"] == ENDPOINT
    assert variables["RETRY_SECONDS"] == "21600"


def test_only_the_local_stage_delivers_to_this_machine() -> None:
    def forbidden(stack: DeclaredStack) -> object:
        return dig(stack.one("Function", "-delivery").inputs, "environment", "variables", "FORBIDDEN_NETWORKS")

    assert forbidden(declare("local", overrides={"deliveryEndpoint": "http://127.0.0.1:8000/"})) == "[]"
    assert "127.0.0.0/8" in str(forbidden(declare("dev", overrides={"deliveryEndpoint": ENDPOINT})))


def test_the_stream_is_read_in_order_and_what_is_not_queued_comes_again(delivering: DeclaredStack) -> None:
    source = stream_of(delivering)

    assert source.text("startingPosition") == "TRIM_HORIZON"
    assert source.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source.number("batchSize"), source.number("parallelizationFactor")) == (100, 4)
    assert source.text("functionName") == arn("lambda", f"{delivering.one('Function', '-forward').name}:live")
    assert delivering.one("RolePolicy", "-forward-policy").urn in source.dependencies
    assert not {"maximumRetryAttempts", "maximumRecordAgeInSeconds", "destinationConfig"} & set(source.inputs)


def test_the_queue_is_read_a_message_at_a_time_up_to_the_cap(delivering: DeclaredStack) -> None:
    source = delivering.one("EventSourceMapping", "-delivery-source")

    assert source.text("eventSourceArn") == arn("sqs", delivering.one("Queue", "-delivery-queue").name)
    assert source.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source.number("batchSize"), source.part("scalingConfig")) == (1, {"maximumConcurrency": 5})
    assert delivering.one("RolePolicy", "-delivery-policy").urn in source.dependencies


def test_the_queue_keeps_the_order_of_each_file_at_high_throughput(delivering: DeclaredStack) -> None:
    for name in ("-delivery-queue", "-delivery-dead-letters"):
        queue = delivering.one("Queue", name)
        assert queue.inputs["fifoQueue"] is True, "a FIFO queue's dead-letter queue must be one too"
        assert queue.text("deduplicationScope") == "messageGroup"
        assert queue.text("fifoThroughputLimit") == "perMessageGroupId"
        assert "contentBasedDeduplication" not in queue.inputs, "a message that is sent again has the same content"


def test_the_queue_outlasts_its_function_and_its_retries(delivering: DeclaredStack) -> None:
    queue, function = delivering.one("Queue", "-delivery-queue"), delivering.one("Function", "-delivery")
    redrive = json.loads(queue.text("redrivePolicy"))

    assert function.number("timeout") == 2 * (3 + 10) + 3 * 10
    assert queue.number("visibilityTimeoutSeconds") == 6 * function.number("timeout")
    assert redrive["maxReceiveCount"] == component.receives(21_600) == 81
    assert redrive["deadLetterTargetArn"] == arn("sqs", delivering.one("Queue", "-delivery-dead-letters").name)
    assert queue.number("messageRetentionSeconds") == 14 * 86400
    allow = json.loads(delivering.one("RedriveAllowPolicy", "-delivery-redrive-allow").text("redriveAllowPolicy"))
    assert allow == {"redrivePermission": "byQueue", "sourceQueueArns": [arn("sqs", queue.name)]}


def test_a_longer_time_to_retry_is_more_receives() -> None:
    declared = declare("dev", overrides={"deliveryEndpoint": ENDPOINT, "deliveryRetrySeconds": 86_400})

    redrive = json.loads(declared.one("Queue", "-delivery-queue").text("redrivePolicy"))
    assert redrive["maxReceiveCount"] == component.receives(86_400) > 280


@pytest.mark.parametrize("seconds", [1, 60])
def test_no_function_runs_longer_than_lambda_lets_it(seconds: int) -> None:
    overrides = {"deliveryEndpoint": ENDPOINT, "deliveryTimeoutSeconds": seconds}
    slow = {"functionTimeoutSeconds": 900, "timeReserveSeconds": 400}

    assert declare("dev", overrides={**overrides, **slow}).one("Function", "-delivery").number("timeout") == 900


def test_messages_are_encrypted_and_kept(delivering: DeclaredStack) -> None:
    for name in ("-delivery-queue", "-delivery-dead-letters"):
        queue, policy = delivering.one("Queue", name), delivering.one("QueuePolicy", f"{name}-policy").statements()
        assert queue.text("kmsMasterKeyId") == arn("kms", f"file-pipeline-{delivering.stage}-encryption-key")
        assert queue.number("messageRetentionSeconds") == 14 * 86400
        assert set(policy) == {"DenyInsecureTransport"}


def passes(stack: DeclaredStack, new: str | None, old: str | None) -> bool:
    """Whether a change of status passes the source's filter, by the rules of Lambda's event patterns."""
    event: dict[str, object] = {
        "eventName": "INSERT" if old is None and new else "MODIFY" if new else "REMOVE",
        "dynamodb": {
            name: {"object_id": {"S": "a"}, **({"status": {"S": status}} if status != "none" else {})}
            for name, status in (("NewImage", new), ("OldImage", old))
            if status is not None
        },
    }
    filters = stream_of(stack).part("filterCriteria")["filters"]
    assert isinstance(filters, list)
    assert len(filters) <= 5, "Lambda takes no more"
    return any(matches(json.loads(str(dig(entry, "pattern"))), event) for entry in filters)


def fits(rule: object, value: object) -> bool:
    if not isinstance(rule, dict):
        return value == rule
    return value is not None and (rule == {"exists": True} or value not in rule.get("anything-but", ()))


def matches(pattern: Mapping[str, object], event: Mapping[str, object]) -> bool:
    for key, expected in pattern.items():
        value = event.get(key)
        if isinstance(expected, dict):
            if not isinstance(value, dict) or not matches(expected, value):
                return False
        else:
            assert isinstance(expected, list)
            wanted = [fits(rule, value) for rule in expected]
            if not any(wanted):
                return False
    return True


@pytest.mark.parametrize("new", [*Status, None, "none"])
@pytest.mark.parametrize("old", [*Status, None, "none"])
def test_only_a_change_to_a_final_status_invokes(delivering: DeclaredStack, new: str | None, old: str | None) -> None:
    """``none`` is an item without a status: the pointer to a key's latest version."""
    if new is None and old is None:
        return
    expected = new in DELIVERED and old not in {new, "none"}

    assert passes(delivering, new, old) is expected


def test_a_file_put_through_again_invokes_though_its_status_stays(delivering: DeclaredStack) -> None:
    failed = {"status": {"S": "FAILED"}}
    event = {
        "eventName": "MODIFY",
        "dynamodb": {"NewImage": failed, "OldImage": {**failed, "reopened_by": {"S": "an operator"}}},
    }

    filters = stream_of(delivering).part("filterCriteria")["filters"]
    assert isinstance(filters, list)
    assert any(matches(json.loads(str(dig(entry, "pattern"))), event) for entry in filters)


def test_both_sides_agree() -> None:
    assert set(DELIVERED_STATUSES) == DELIVERED
    assert component.CONNECT_SECONDS == CONNECT_SECONDS


def test_a_preview_of_a_delivery_declares_the_same() -> None:
    overrides = {"deliveryEndpoint": ENDPOINT}
    real, preview = declare("prod", overrides=overrides), declare("prod", preview=True, overrides=overrides)

    assert {resource.urn for resource in preview.resources} == {resource.urn for resource in real.resources}

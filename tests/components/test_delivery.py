"""The secret and the delivery: what each is made of, and that without an endpoint the secret is alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pytest

from components.delivery import DELIVERED_STATUSES
from components.settings import delivery as settings
from delivery.credentials import FIELDS
from delivery.endpoint import CONNECT_SECONDS
from delivery.events import DELIVERED
from shared.catalog.model import Status
from tests.conftest import ACCOUNT, PASSWORD, REGION, Declared, DeclaredStack, declare, dig, texts

ENDPOINT = "https://receiver.example.com/files"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


@pytest.fixture(scope="module", params=["dev", "prod"])
def delivering(request: pytest.FixtureRequest) -> DeclaredStack:
    return declare(request.param, overrides={"deliveryEndpoint": ENDPOINT})


def source_of(stack: DeclaredStack) -> Declared:
    return stack.one("EventSourceMapping", "-delivery-source")


def test_the_secret_stands_under_the_stacks_key(stack: DeclaredStack) -> None:
    secret = stack.one("Secret")

    assert secret.text("kmsKeyId") == arn("kms", f"file-pipeline-{stack.stage}-encryption-key")
    assert secret.number("recoveryWindowInDays") == {"dev": 0, "prod": 30}[stack.stage]
    assert stack.outputs["secretArn"] == arn("secretsmanager", secret.name)


def test_plain_http_reaches_no_secret(stack: DeclaredStack) -> None:
    policy = stack.one("SecretPolicy")
    deny = policy.statements()["DenyInsecureTransport"]

    assert policy.inputs["blockPublicPolicy"] is True
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["secretsmanager:*"])
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_value_is_generated_and_secret_from_the_start(stack: DeclaredStack) -> None:
    value = stack.one("SecretVersion").inputs["secretString"]

    assert pulumi.runtime.rpc.is_rpc_secret(value), "in clear in the state"
    told = json.loads(str(pulumi.runtime.rpc.unwrap_rpc_secret(value)))
    assert told == {"username": "admin", "password": PASSWORD, "signing_key": PASSWORD}
    assert set(told) == set(FIELDS)


def test_the_password_stands_nowhere_else(delivering: DeclaredStack) -> None:
    """In no input that is not marked as secret, in no output: marked ones are encrypted in the state."""
    for resource in delivering.resources:
        clear = {key: value for key, value in resource.inputs.items() if not pulumi.runtime.rpc.is_rpc_secret(value)}
        assert PASSWORD not in repr(clear), resource.name
    assert PASSWORD not in repr(delivering.outputs)


def test_an_update_rotates_nothing_and_a_rotation_is_no_drift(stack: DeclaredStack) -> None:
    version = stack.one("SecretVersion")

    assert version.ignore_changes == ["secretString", "versionStages"]
    assert version.inputs["versionStages"] == ["AWSCURRENT", "DECLARED"]


def test_without_an_endpoint_nothing_delivers(stack: DeclaredStack) -> None:
    assert not [resource.name for resource in stack.resources if "-delivery" in resource.name]
    assert not [name for name in stack.outputs if name.startswith("delivery")]
    for policy in stack.all("RolePolicy"):
        assert "secretsmanager" not in policy.text("policy")
        assert "/stream" not in policy.text("policy")


def test_outputs_of_a_delivery(delivering: DeclaredStack) -> None:
    assert delivering.outputs["deliveryFunctionName"] == delivering.one("Function", "-delivery").name
    assert delivering.outputs["deliveryFunctionArn"] == arn("lambda", delivering.one("Function", "-delivery").name)
    assert str(delivering.outputs["deliveryDeadLetterQueueUrl"]).endswith("-delivery-dead-letters")


def test_the_delivery_role_may_do_exactly_this(delivering: DeclaredStack) -> None:
    prefix = f"file-pipeline-{delivering.stage}"
    statements = delivering.one("RolePolicy", "-delivery-policy").statements().values()

    granted = {" ".join(texts(s["Resource"])): set(texts(s["Action"])) for s in statements}

    assert granted == {
        arn("dynamodb", f"{prefix}-catalog-table/stream"): {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        arn("secretsmanager", f"{prefix}-secret"): {"secretsmanager:GetSecretValue"},
        arn("sqs", f"{prefix}-delivery-dead-letters"): {"sqs:SendMessage"},
        arn("kms", f"{prefix}-encryption-key"): {"kms:Decrypt", "kms:GenerateDataKey"},
        arn("cloudwatch", f"/aws/lambda/{prefix}-delivery:log-stream:*"): {
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        },
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    }
    assert len(granted) == len(statements)
    via = [f"{service}.{REGION}.amazonaws.com" for service in ("dynamodb", "lambda", "secretsmanager", "sqs")]
    use = delivering.one("RolePolicy", "-delivery-policy").statements()["UseKey"]
    assert use["Condition"] == {"StringEquals": {"kms:ViaService": via}}


def test_nobody_else_may_read_the_secret(delivering: DeclaredStack) -> None:
    readers = [p.name for p in delivering.all("RolePolicy") if "secretsmanager" in p.text("policy")]

    assert readers == [delivering.one("RolePolicy", "-delivery-policy").name]


def test_the_function_knows_the_secret_by_its_arn_alone(delivering: DeclaredStack) -> None:
    variables = dig(delivering.one("Function", "-delivery").inputs, "environment", "variables")

    assert isinstance(variables, dict)
    assert variables["SECRET_ARN"] == arn("secretsmanager", f"file-pipeline-{delivering.stage}-secret")
    assert variables["ENDPOINT_URL"] == ENDPOINT
    assert variables["PATIENCE_SECONDS"] == {"dev": "15", "prod": "30"}[delivering.stage]


def test_only_the_local_stage_delivers_to_this_machine() -> None:
    def forbidden(stack: DeclaredStack) -> object:
        return dig(stack.one("Function", "-delivery").inputs, "environment", "variables", "FORBIDDEN_NETWORKS")

    assert forbidden(declare("local", overrides={"deliveryEndpoint": "http://127.0.0.1:8000/"})) == "[]"
    assert "127.0.0.0/8" in str(forbidden(declare("dev", overrides={"deliveryEndpoint": ENDPOINT})))


def test_the_source_keeps_order_reports_records_and_ends_in_the_dead_letters(delivering: DeclaredStack) -> None:
    source = source_of(delivering)

    assert source.text("startingPosition") == "TRIM_HORIZON"
    assert source.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source.inputs["bisectBatchOnFunctionError"] is True
    assert source.number("maximumRetryAttempts") == 2000
    assert source.number("batchSize") == 25
    assert source.number("parallelizationFactor") == 5
    queue = arn("sqs", f"file-pipeline-{delivering.stage}-delivery-dead-letters")
    assert source.part("destinationConfig") == {"onFailure": {"destinationArn": queue}}
    assert delivering.one("RolePolicy", "-delivery-policy").urn in source.dependencies


def test_the_function_gives_up_before_the_source_and_the_source_before_the_stream(delivering: DeclaredStack) -> None:
    """Only the function can put a delivery aside whole; what has merely waited must reach it."""
    own = dig(delivering.one("Function", "-delivery").inputs, "environment", "variables", "MAX_AGE_SECONDS")

    assert int(str(own)) < source_of(delivering).number("maximumRecordAgeInSeconds") == 82_800


def test_dead_letters_are_encrypted_and_kept(delivering: DeclaredStack) -> None:
    queue = delivering.one("Queue", "-delivery-dead-letters")
    policy = delivering.one("QueuePolicy", "-delivery-dead-letters-policy").statements()

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
    filters = source_of(stack).part("filterCriteria")["filters"]
    assert isinstance(filters, list)
    assert len(filters) <= 5, "Lambda takes no more"
    return any(matches(json.loads(str(dig(entry, "pattern"))), event) for entry in filters)


def matches(pattern: Mapping[str, object], event: Mapping[str, object]) -> bool:
    for key, expected in pattern.items():
        value = event.get(key)
        if isinstance(expected, dict):
            if not isinstance(value, dict) or not matches(expected, value):
                return False
        else:
            assert isinstance(expected, list)
            wanted = [
                value is not None and value not in rule["anything-but"] if isinstance(rule, dict) else value == rule
                for rule in expected
            ]
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


def test_both_sides_agree() -> None:
    assert set(DELIVERED_STATUSES) == DELIVERED
    assert settings.CONNECT_SECONDS == CONNECT_SECONDS


def test_a_preview_of_a_delivery_declares_the_same() -> None:
    overrides = {"deliveryEndpoint": ENDPOINT}
    real, preview = declare("prod", overrides=overrides), declare("prod", preview=True, overrides=overrides)

    assert {resource.urn for resource in preview.resources} == {resource.urn for resource in real.resources}

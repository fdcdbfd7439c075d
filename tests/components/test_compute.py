"""The intake queue and the functions: limits, retries, roles, logs."""

from __future__ import annotations

import json

import pytest

from components.landing import UPLOADS_PREFIX
from tests.conftest import ACCOUNT, REGION, declare
from tests.declared_stack import DeclaredStack, Json, dig, texts

TIMEOUT = {"dev": 60, "prod": 120}


def test_visibility_follows_the_timeout(stack: DeclaredStack) -> None:
    assert stack.one("Queue", "-queue").number("visibilityTimeoutSeconds") == 6 * TIMEOUT[stack.stage]


def test_visibility_follows_a_changed_timeout() -> None:
    changed = declare("dev", overrides={"functionTimeoutSeconds": 100})

    assert changed.one("Queue", "-queue").number("visibilityTimeoutSeconds") == 600
    assert changed.one("Function", "-ingest").number("timeout") == 100


def test_dead_letters_are_kept_after_five_receives(stack: DeclaredStack) -> None:
    dead = stack.one("Queue", "-dead-letters")
    redrive = json.loads(stack.one("Queue", "-queue").text("redrivePolicy"))
    allow = json.loads(stack.one("RedriveAllowPolicy").text("redriveAllowPolicy"))

    assert redrive == {"deadLetterTargetArn": arn("sqs", dead.name), "maxReceiveCount": 5}
    assert dead.number("messageRetentionSeconds") == 14 * 86400
    assert stack.one("Queue", "-queue").number("messageRetentionSeconds") == 4 * 86400
    assert dead.number("visibilityTimeoutSeconds") == 300
    assert allow == {"redrivePermission": "byQueue", "sourceQueueArns": [arn("sqs", stack.one("Queue", "-queue").name)]}


def test_receives_are_configurable() -> None:
    changed = declare("dev", overrides={"maxReceiveCount": 3})

    assert json.loads(changed.one("Queue", "-queue").text("redrivePolicy"))["maxReceiveCount"] == 3


def test_only_the_landing_bucket_may_send_and_only_over_tls(stack: DeclaredStack) -> None:
    policy = stack.one("QueuePolicy", "-queue-policy").statements()
    send = policy["LandingBucketSends"]

    assert set(policy) == {"DenyInsecureTransport", "LandingBucketSends"}
    assert send["Principal"] == {"Service": "s3.amazonaws.com"}
    assert send["Action"] == ["sqs:SendMessage"]
    assert send["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::file-pipeline-{stack.stage}-landing"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }
    for queue_policy in stack.all("QueuePolicy"):
        deny = queue_policy.statements()["DenyInsecureTransport"]
        assert (deny["Effect"], deny["Action"]) == ("Deny", ["sqs:*"])
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(stack.all("QueuePolicy")) == len(stack.all("Queue"))


def test_the_function_reports_each_message_and_is_capped_at_the_source(stack: DeclaredStack) -> None:
    source = stack.one("EventSourceMapping")

    assert source.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source.part("scalingConfig") == {"maximumConcurrency": {"dev": 10, "prod": 100}[stack.stage]}
    assert source.number("batchSize") == 1, "one message is one invocation's work"
    assert source.text("eventSourceArn") == arn("sqs", stack.one("Queue", "-queue").name)
    assert stack.one("RolePolicy", "-ingest-policy").urn in source.dependencies


def test_the_function_runs_as_its_stage_says(stack: DeclaredStack) -> None:
    function = stack.one("Function", "-ingest")

    assert (function.text("runtime"), function.inputs["architectures"]) == ("python3.13", ["arm64"])
    assert function.number("memorySize") == {"dev": 512, "prod": 1024}[stack.stage]
    assert function.number("timeout") == TIMEOUT[stack.stage]
    assert function.part("tracingConfig") == {"mode": "Active"}
    level = dig(function.inputs, "environment", "variables", "POWERTOOLS_LOG_LEVEL")
    assert level == {"dev": "DEBUG", "prod": "INFO"}[stack.stage]
    assert function.inputs["layers"] == [stack_layer_arn(stack)]


def test_recursion_is_terminated(stack: DeclaredStack) -> None:
    guard = stack.one("FunctionRecursionConfig", "-ingest-recursion")

    assert (guard.text("functionName"), guard.text("recursiveLoop")) == (
        stack.one("Function", "-ingest").name,
        "Terminate",
    )


def test_the_log_group_is_there_first_with_key_and_retention(stack: DeclaredStack) -> None:
    group, function = stack.one("LogGroup", "-ingest-logs"), stack.one("Function", "-ingest")

    assert group.text("name") == f"/aws/lambda/file-pipeline-{stack.stage}-ingest"
    assert group.number("retentionInDays") == {"dev": 7, "prod": 365}[stack.stage]
    assert function.part("loggingConfig")["logGroup"] == group.text("name")
    assert function.part("loggingConfig")["logFormat"] == "JSON"
    assert {group.urn, stack.one("RolePolicy", "-ingest-policy").urn} <= set(function.dependencies)


def test_metrics_survive_a_high_log_level() -> None:
    """Lambda takes a metric, a log line without a level, for INFO: its own filter must let that pass."""
    logging = declare("dev", overrides={"logLevel": "ERROR"}).one("Function", "-ingest").part("loggingConfig")

    assert logging["applicationLogLevel"] == "INFO"


@pytest.mark.parametrize(("level", "logged"), [("DEBUG", "INFO"), ("INFO", "WARN"), ("ERROR", "WARN")])
def test_lambda_logs_each_invocation_only_where_everything_is_logged(level: str, logged: str) -> None:
    stack = declare("prod", overrides={"logLevel": level})

    assert {function.part("loggingConfig")["systemLogLevel"] for function in stack.all("Function")} == {logged}


def test_the_ingest_role_may_do_exactly_this(stack: DeclaredStack) -> None:
    prefix = f"file-pipeline-{stack.stage}"
    bucket, logs = f"arn:aws:s3:::{prefix}-landing", f"/aws/lambda/{prefix}-ingest"
    queue, dead = arn("sqs", f"{prefix}-intake-queue"), arn("sqs", f"{prefix}-intake-dead-letters")
    table, key = arn("dynamodb", f"{prefix}-catalog-table"), arn("kms", f"{prefix}-encryption-key")
    statements = stack.one("RolePolicy", "-ingest-policy").statements().values()

    granted: dict[str, set[str]] = {}
    for statement in statements:
        granted.setdefault(" ".join(sorted(texts(statement["Resource"]))), set()).update(texts(statement["Action"]))

    assert granted == {
        queue: {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        dead: {"sqs:SendMessage"},
        f"{bucket}/{UPLOADS_PREFIX}*": {"s3:GetObject", "s3:GetObjectVersion"},
        bucket: {"s3:ListBucket"},
        f"{bucket}/processed/* {bucket}/rejected/*": {"s3:PutObject", "s3:AbortMultipartUpload"},
        table: {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem"},
        key: {"kms:Decrypt", "kms:GenerateDataKey"},
        arn("cloudwatch", logs) + ":log-stream:*": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    }
    read_latest = stack.one("RolePolicy", "-ingest-policy").statements()["ReadLatest"]
    assert read_latest["Condition"] == leading_keys("latest:*")


def test_the_reconcile_role_may_do_exactly_this(stack: DeclaredStack) -> None:
    prefix = f"file-pipeline-{stack.stage}"
    table, queue = arn("dynamodb", f"{prefix}-catalog-table"), arn("sqs", f"{prefix}-intake-queue")
    statements = stack.one("RolePolicy", "-reconcile-policy").statements()

    granted = {
        sid: (set(texts(statement["Action"])), texts(statement["Resource"]), statement.get("Condition"))
        for sid, statement in statements.items()
        if sid not in {"UseKey", "WriteLogs", "SendTraces"}
    }

    assert granted == {
        "ListUploads": (
            {"s3:ListBucketVersions"},
            [f"arn:aws:s3:::{prefix}-landing"],
            {"StringEquals": {"s3:prefix": UPLOADS_PREFIX}},
        ),
        "LookUpItems": ({"dynamodb:BatchGetItem", "dynamodb:PutItem"}, [table], None),
        "KeepPlace": ({"dynamodb:UpdateItem"}, [table], leading_keys("reconciliation:*")),
        "FindByStatus": ({"dynamodb:Query"}, [f"{table}/index/by-status"], None),
        "EndItems": ({"dynamodb:UpdateItem"}, [table], leading_keys("api/*")),
        "SendEvents": ({"sqs:SendMessage"}, [queue], None),
        "CountMessages": ({"sqs:GetQueueAttributes"}, [queue], None),
        "ReadMetrics": (
            {"cloudwatch:GetMetricData"},
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": REGION}},
        ),
    }


def test_the_search_is_scheduled_every_hour(stack: DeclaredStack) -> None:
    schedule, function = stack.one("Schedule"), arn("lambda", f"file-pipeline-{stack.stage}-reconcile:live")

    assert schedule.text("scheduleExpression") == "rate(1 hour)"
    assert dig(schedule.inputs, "target", "arn") == function
    invoke = stack.one("RolePolicy", "-reconcile-schedule-policy").statements()["Invoke"]
    assert (invoke["Action"], invoke["Resource"]) == (["lambda:InvokeFunction"], [function])
    trust = stack.one("Role", "-reconcile-schedule-role").statements("assumeRolePolicy")["SchedulerAssumes"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_without_an_interval_nothing_is_searched() -> None:
    stack = declare("dev", overrides={"reconciliationHours": 0})

    assert stack.all("Schedule") == []
    assert not [function.name for function in stack.all("Function") if function.name.endswith("reconcile")]
    assert "reconcileFunctionName" not in stack.outputs


def leading_keys(pattern: str) -> dict[str, Json]:
    """The conditions of a right on items whose id fits a pattern."""
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [pattern]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_the_key_is_used_through_the_services_that_keep_our_data_alone(stack: DeclaredStack) -> None:
    services = {"ingest": ("dynamodb", "lambda", "s3", "sqs"), "api": ("dynamodb", "lambda", "s3")}
    for purpose, through in services.items():
        use = stack.one("RolePolicy", f"-{purpose}-policy").statements()["UseKey"]

        via = [f"{service}.{REGION}.amazonaws.com" for service in through]
        assert use["Condition"] == {"StringEquals": {"kms:ViaService": via}}


def test_insights_are_a_setting(dev: DeclaredStack) -> None:
    layer = f"arn:aws:lambda:{REGION}:580247275435:layer:LambdaInsightsExtension-Arm64:20"
    with_insights = declare("dev", overrides={"lambdaInsightsLayerArn": layer})

    assert with_insights.one("Function", "-ingest").inputs["layers"] == [stack_layer_arn(dev), layer]
    assert "MakeInsights" in with_insights.one("RolePolicy", "-ingest-policy").statements()
    assert "WriteInsights" in with_insights.one("RolePolicy", "-ingest-policy").statements()
    assert "WriteInsights" not in dev.one("RolePolicy", "-ingest-policy").statements()


def stack_layer_arn(stack: DeclaredStack) -> str:
    return arn("lambda", f"file-pipeline-{stack.stage}-layer")


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"

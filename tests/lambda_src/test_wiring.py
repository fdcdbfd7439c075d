"""What the handlers put together: how long items are kept, how often AWS is asked again, what is traced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from local.stack_config import ROOT
from shared import clients
from tests.conftest import declare
from tests.declared_stack import DeclaredStack
from tests.lambda_src.api.conftest import HandlerClient, api  # noqa: F401 - the fixture
from tests.lambda_src.conftest import (
    EVENTS,
    FAKE_ENVIRONMENT,
    Aws,
    Handler,
    LambdaContext,
    batch,
    declared_environment,
    message,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

DAY_SECONDS = 86400


def assert_kept_for(days: int, ttl: object) -> None:
    assert abs(int(str(ttl)) - (time.time() + days * DAY_SECONDS)) < DAY_SECONDS / 2


def test_the_catalog_forgets_a_file_after_its_days(handler: Handler, aws: Aws, dev: DeclaredStack) -> None:
    days = int(declared_environment(dev)["CATALOG_RETENTION_DAYS"])
    assert days == 365

    handler(batch(message(aws.put("uploads/a.csv"))), LambdaContext())

    items = aws.dynamodb.scan(TableName=aws.table)["Items"]
    assert {item["object_id"]["S"].startswith("latest:") for item in items} == {True, False}, (
        "the file, and its latest version"
    )
    for item in items:
        assert_kept_for(days, item["ttl"]["N"])


def test_the_catalog_forgets_a_request_after_its_days(api: HandlerClient, aws: Aws) -> None:  # noqa: F811 - the fixture
    record = {"shipment_id": "S1", "status": "created", "timestamp": "2026-11-20T08:15:00Z"}
    for path in ("/validate", "/process"):
        assert api.post(path, {"data": record}).status == 200

    items = aws.dynamodb.scan(TableName=aws.table)["Items"]
    assert len(items) == 2
    for item in items:
        assert_kept_for(365, item["ttl"]["N"])


@pytest.mark.parametrize(
    ("make", "operation", "parameters"),
    [
        (clients.s3, "get_object", {"Bucket": "b", "Key": "k"}),
        (clients.dynamodb, "query", {"TableName": "t", "KeyConditionExpression": "a = :a"}),
        (clients.sqs, "send_message", {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q", "MessageBody": "m"}),
        (clients.secretsmanager, "get_secret_value", {"SecretId": "s"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_that_can_pass_is_tried_three_times(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], BaseClient],
    operation: str,
    parameters: dict[str, object],
    status: int,
) -> None:
    for name, value in FAKE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    asked: list[object] = []

    def answer(request: object, **_: object) -> AWSResponse:
        asked.append(request)
        return AWSResponse("", status, HTTPHeaders(), _Raw())

    make.cache_clear()  # type: ignore[attr-defined]  # it is cached
    client = make()
    client.meta.events.register("before-send", answer)  # type: ignore[arg-type]  # it may answer itself
    try:
        with pytest.raises(client.exceptions.ClientError):
            getattr(client, operation)(**parameters)
    finally:
        make.cache_clear()  # type: ignore[attr-defined]  # it is cached

    assert len(asked) == 3


class _Raw:
    """An answer without a body."""

    def stream(self, **_: object) -> list[bytes]:
        return []


@pytest.mark.parametrize(
    ("purpose", "event"),
    [
        ("ingest", json.dumps(batch(message(body=(EVENTS / "s3_test_event.json").read_text())))),
        ("forward", '{"Records": []}'),
        ("delivery", json.dumps(batch(message(body="{")))),
        ("api", (EVENTS / "http_api_request.json").read_text()),
    ],
    ids=["ingest", "forward", "delivery", "api"],
)
@pytest.mark.parametrize("detailed", [False, True])
def test_the_tracing_sdk_is_loaded_only_where_the_stage_asks_for_it(purpose: str, event: str, detailed: bool) -> None:
    """In a process of its own: the tracer changes the SDK for as long as the process lasts."""
    overrides = {"deliveryEndpoint": "https://receiver.example.com/files", "detailedTracing": detailed}
    declared = declare("dev", overrides=overrides)
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    environment = {**declared_environment(declared, purpose), **FAKE_ENVIRONMENT, **nowhere}

    done = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-W", "ignore", "-c", _TRACE, purpose, event],
        cwd=ROOT / "lambda_src",
        env={**environment, "PATH": os.environ["PATH"], "POWERTOOLS_LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == (["## handler", "botocore"] if detailed else ["", "not loaded"])


_TRACE = """
import importlib, json, os, sys
from types import SimpleNamespace

sent = []
if os.environ["DETAILED_TRACING"] == "true":  # before it takes this process for a function
    from aws_xray_sdk.core import patcher, xray_recorder
    xray_recorder.emitter = SimpleNamespace(send_entity=sent.append)
os.environ["LAMBDA_TASK_ROOT"] = "/var/task"  # where it is missing, Powertools does not trace
handler = importlib.import_module(sys.argv[1] + ".handler").handler
loaded = "aws_xray_sdk" in sys.modules
if loaded:
    xray_recorder.begin_segment("invocation", sampling=1)
context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1",
    get_remaining_time_in_millis=lambda: 30_000,
)
try:
    handler(json.loads(sys.argv[2]), context)
finally:
    print()
    print(*(part.name for part in sent if part.name == "## handler"))
    print(*(patcher._PATCHED_MODULES if loaded else ["not loaded"]))
"""

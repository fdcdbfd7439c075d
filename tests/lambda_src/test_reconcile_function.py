"""The reconciliation's function, with what the program gives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.catalog.model import Status
from shared.catalog.requests import LAPSED, RequestWriter
from shared.settings import WrongEnvironmentError
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    LambdaContext,
    declared_environment,
    import_function,
)
from tests.lambda_src.upload_search import Search
from tests.metrics import read_of, start_cold, written
from tests.operate.conftest import api_result


def test_the_function_runs_with_what_the_program_gives_it(
    aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = function(aws, dev, monkeypatch)
    Search(aws, now=datetime.now(UTC)).oldest_waits(timedelta(0))
    aws.put("uploads/lost.txt")

    assert run({}, LambdaContext()) == {"searched": True, "whole": True, "listed": 1, "missed": 1}
    assert run({"detail": "schedule"}, LambdaContext()) == {
        "searched": False,
        "whole": False,
        "listed": 0,
        "missed": 0,
    }
    assert run({"at_once": True}, LambdaContext()) == {"searched": True, "whole": True, "listed": 1, "missed": 0}
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "UploadsMissed" in line]
    assert [line["UploadsMissed"] for line in emitted] == [[1.0], [0.0], [0.0]]


def test_a_request_whose_worker_died_is_ended_and_one_at_work_is_not(
    aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = function(aws, dev, monkeypatch)
    now = datetime.now(UTC)
    for name, deadline in (("dead", now - timedelta(minutes=1)), ("alive", now + timedelta(minutes=1))):
        RequestWriter(Search(aws).table()).store(api_result(f"api/process/{name}", Status.PROCESSING, deadline))

    run({}, LambdaContext())

    found = {
        name: aws.dynamodb.get_item(
            TableName=aws.table, Key={"object_id": {"S": f"api/process/{name}"}, "version_id": {"S": "api"}}
        )["Item"]
        for name in ("dead", "alive")
    }
    assert found["alive"]["status"] == {"S": "PROCESSING"}
    assert (found["dead"]["status"], found["dead"]["ended_by"]) == ({"S": "FAILED"}, {"S": "reconciliation"})
    assert found["dead"]["reason"]["S"] == LAPSED
    assert "ttl" in found["dead"]


def test_what_is_written_is_looked_at_and_what_is_looked_at_is_written(
    aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = function(aws, dev, monkeypatch)
    start_cold()
    capsys.readouterr()

    run({}, LambdaContext(function_name="file-pipeline-dev-reconcile"))

    assert written(capsys.readouterr().out) == read_of(dev, "reconcile")


def test_what_the_stack_sets_on_the_function_is_checked_when_it_starts(
    aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    function(aws, dev, monkeypatch)  # with all of it the function starts
    for name in declared_environment(dev, "reconcile"):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(WrongEnvironmentError, match=f"environment variable {name} is missing"):
                import_function("reconcile")


def function(
    aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, object], LambdaContext], dict[str, object]]:
    """The real handler, which takes an upload that is a second old for one whose event never came."""
    here = {
        "BUCKET_NAME": BUCKET,
        "CATALOG_TABLE_NAME": aws.table,
        "QUEUE_URL": aws.queue_url,
        "QUEUE_NAME": "intake",
        "DELAY_SECONDS": "-60",
    }
    for name, value in {**declared_environment(dev, "reconcile"), **here}.items():
        monkeypatch.setenv(name, value)
    run: Callable[[dict[str, object], LambdaContext], dict[str, object]] = import_function("reconcile").handler
    return run

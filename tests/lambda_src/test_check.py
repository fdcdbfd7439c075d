"""The check event: a version answers it when it could start, and does nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from components.function import CHECK_EVENT
from local.stack_config import ROOT
from shared.check import answers_check
from tests.conftest import declare
from tests.lambda_src.conftest import FAKE_ENVIRONMENT, declared_environment

PURPOSES = ("ingest", "api", "reconcile", "forward", "delivery")

_CHECK = """
import importlib, json, sys
handler = importlib.import_module(sys.argv[1] + ".handler").handler
print(json.dumps(handler(json.loads(sys.argv[2]), None)))
"""


def answer_of(
    purpose: str, changes: Mapping[str, str | None], source: Path = ROOT / "lambda_src"
) -> subprocess.CompletedProcess[str]:
    """Invoke a handler in a process of its own, where AWS cannot be reached."""
    declared = declare("prod-delivery")
    environment: dict[str, str | None] = {
        **declared_environment(declared, purpose),
        **FAKE_ENVIRONMENT,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "PATH": os.environ["PATH"],
        **changes,
    }
    return subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-W", "ignore", "-c", _CHECK, purpose, json.dumps(CHECK_EVENT)],
        cwd=source,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_function_answers_and_does_nothing_else(purpose: str) -> None:
    """It has no context, can reach nothing, and prints no metric."""
    done = answer_of(purpose, {})

    assert done.stdout == '{"check": "passed", "version": "7"}\n', done.stderr


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_wrong_environment_is_found(purpose: str) -> None:
    done = answer_of(purpose, {"STAGE": None})

    assert done.returncode != 0
    assert "environment variable STAGE is missing" in done.stderr


@pytest.mark.parametrize("purpose", ["ingest", "api"])
def test_a_schema_that_cannot_be_loaded_is_found(purpose: str) -> None:
    """The API's function loads its schemas with the first request: the check does it before."""
    done = answer_of(purpose, {"RECORD_TYPES": '["uploads/shipments/=gone"]'})

    assert done.returncode != 0
    assert "shared.records.schemas.gone" in done.stderr


@pytest.mark.parametrize("module", ["records", "uploads", "files", "strict_json"])
def test_a_module_that_only_one_route_needs_is_found_too(tmp_path: Path, module: str) -> None:
    """Each is imported by a route's first request, and by the check."""
    (tmp_path / "api").mkdir()
    for path in (ROOT / "lambda_src" / "api").glob("*.py"):
        text = "raise ImportError('cut off')" if path.stem == module else path.read_text()
        (tmp_path / "api" / path.name).write_text(text)
    (tmp_path / "shared").symlink_to(ROOT / "lambda_src" / "shared")

    done = answer_of("api", {}, tmp_path)

    assert done.returncode != 0
    assert "cut off" in done.stderr


def test_what_only_has_such_a_key_is_an_event_like_others() -> None:
    """Its own key stands alone in a check event."""

    def handle(event: Mapping[str, object], context: LambdaContext) -> Mapping[str, object]:
        del context
        return {"handled": event}

    event: dict[str, object] = {**CHECK_EVENT, "Records": []}

    assert answers_check()(handle)(event, LambdaContext()) == {"handled": event}

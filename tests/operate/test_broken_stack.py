"""Commands on a stack whose live version is broken, or that has none: they say which, and what puts it right."""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3
import pytest

from operate.session import LIVE
from operate.stack_outputs import read_outputs
from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate

FUNCTION = "file-pipeline-dev-ingest"
COMMANDS = [("status",), ("limits", "--rate", "1"), ("show", "a.csv"), ("reprocess", "a.csv")]


@pytest.mark.parametrize("variables", [{}, {"LEFT": "alone"}])
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_live_version_that_lacks_its_environment(
    operate: Operate, calls: Calls, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    environment = {"Environment": {"Variables": variables}} if variables else {}
    calls.answers["GetFunctionConfiguration"] = {"MemorySize": 512, **environment}

    ran = operate(*arguments)

    assert ran.status == 1
    assert FUNCTION in ran.err
    assert "`rollback ingest` goes back to the one before" in ran.err


@pytest.mark.parametrize("arguments", [*COMMANDS, ("release",), ("rollback", "ingest", "--yes")])
def test_an_alias_that_is_gone(operate: Operate, arguments: tuple[str, ...]) -> None:
    boto3.client("lambda").delete_alias(FunctionName=FUNCTION, Name=LIVE)
    file = Path(os.environ["PIPELINE_OUTPUTS"])
    outputs = json.loads(file.read_text())
    del outputs["apiFunctionName"]
    file.write_text(json.dumps(outputs))

    ran = operate(*arguments)

    assert ran.status == 1
    assert "alias live of ingest is gone: `pulumi up --refresh --stack NAME` puts it back" in ran.err


@pytest.mark.parametrize(
    ("stack", "command"), [("prod", "pulumi up --refresh --stack prod"), (None, "pulumi up --refresh")]
)
def test_what_puts_back_what_is_gone_names_the_stack_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stack: str | None, command: str
) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\necho '{}'\n")
    pulumi.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("PIPELINE_OUTPUTS", raising=False)

    assert read_outputs(stack=stack).refresh == command

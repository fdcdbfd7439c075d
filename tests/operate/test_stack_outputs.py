"""Where the stack's outputs come from, and what is said when they do not."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest

from operate.stack_outputs import FILE_VARIABLE, OutputsError, StackOutputs, read_outputs
from tests.declared_stack import DeclaredStack


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE_VARIABLE, raising=False)


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a pulumi on the path that does what `script` says."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_pulumi_is_asked_for_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, """echo "{\\"bucketName\\": \\"$*\\"}" """)

    assert read_outputs(stack="prod").bucket == "stack output --json --stack prod"
    assert read_outputs().bucket == "stack output --json"


def test_what_pulumi_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "echo 'no stack named prod' >&2; exit 255")

    with pytest.raises(OutputsError, match="no stack named prod"):
        read_outputs(stack="prod")


def test_without_pulumi_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(OutputsError, match="--outputs FILE"):
        read_outputs()


def test_a_file_comes_from_the_argument_or_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("argument", "variable"):
        (tmp_path / name).write_text(json.dumps({"tableName": name}))
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "variable"))

    assert read_outputs().table == "variable"
    assert read_outputs(tmp_path / "argument").table == "argument"
    pulumi(tmp_path, monkeypatch, """echo '{"tableName": "pulumi"}'""")
    assert read_outputs(stack="prod").table == "pulumi", "a stack that is named is meant"


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"tableName": "piped"}'))

    assert read_outputs(Path("-")).table == "piped"


@pytest.mark.parametrize("text", ["", "[]", "no JSON"])
def test_what_is_no_outputs_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "outputs").write_text(text)

    with pytest.raises(OutputsError, match="pulumi stack output --json"):
        read_outputs(tmp_path / "outputs")


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(OutputsError, match="deadLetterQueueUrl"):
        _ = StackOutputs({}).dead_letter_queue_url


def test_an_arn_that_is_none_is_named() -> None:
    with pytest.raises(OutputsError, match="queueArn is 'intake'"):
        _ = StackOutputs({"queueArn": "intake"}).region


def test_the_program_exports_all_that_is_asked_for(stack: DeclaredStack) -> None:
    outputs = StackOutputs({name: str(value) for name, value in stack.outputs.items()})

    for name in ("bucket", "table", "ingest_function", "queue_url", "queue_arn", "dead_letter_queue_url"):
        assert getattr(outputs, name)

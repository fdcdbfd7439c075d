"""Where the commands take a stack's outputs from, and what they say when they cannot."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from operate import __main__ as program
from operate.stack_outputs import OutputsError, read_outputs


def pulumi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named pulumi where it is found."""
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_pulumi_is_asked_for_the_named_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, """echo "{\\"arguments\\": \\"$*\\", \\"count\\": 1}" """, monkeypatch)

    assert read_outputs().get("arguments", "x") == "stack output --json"
    assert read_outputs(stack="prod").get("arguments", "x") == "stack output --json --stack prod"


def test_outputs_from_a_file_and_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "outputs.json"
    file.write_text('{"secretArn": "arn"}')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"secretArn": "other"}'))

    assert read_outputs(file).get("secretArn", "x") == "arn"
    assert read_outputs(Path("-")).get("secretArn", "x") == "other"


def test_pulumi_that_is_not_there_or_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputsError, match="pulumi is not installed; give its outputs with --outputs FILE"):
        read_outputs()

    pulumi(tmp_path, "echo 'no stack selected' >&2; exit 1", monkeypatch)
    with pytest.raises(OutputsError, match="no stack selected"):
        read_outputs()


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"'])
def test_what_is_no_outputs_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(text)

    with pytest.raises(OutputsError, match="use what `pulumi stack output --json` prints"):
        read_outputs(file)


@pytest.mark.parametrize("command", ["redeliver", "rotate-secret"])
def test_a_command_that_cannot_run_says_why_and_ends_with_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.json").write_text("{}")

    assert program.main([command, "--outputs", str(tmp_path / "none.json")]) == 2
    assert f"{command}: " in capsys.readouterr().err
    assert program.main([command, "--outputs", str(tmp_path / "empty.json")]) == 2
    assert "the stack has no output" in capsys.readouterr().err

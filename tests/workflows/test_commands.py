"""pulumi.yml, which the others call: what each of its commands does, under whose rights, and in which order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, cast

import pytest

from tests.declared_stack import dig
from tests.workflows.files import WORKFLOWS, load, steps, steps_of

ROLES: Final = {"preview": "preview-", "drift": "drift-", "check": "check-", "up": ""}
"""What a call of pulumi.yml may do, and how the environment begins that gives it the role for it."""

DOES: Final = {
    "preview": ["pulumi preview"],
    "drift": ["pulumi preview"],
    "check": ["operate check"],
    "up": ["gh api", "pulumi up", "operate release", "operate check"],
}
"""What each runs: no role but `up`'s may change the stage, and `check`'s may not even preview it."""


@pytest.mark.parametrize("command", DOES)
def test_a_command_runs_what_its_role_may_and_no_more(command: str) -> None:
    scripts = [step["run"] for step in steps_of(command) if "run" in step]

    found = [re.findall(r"pulumi (?:preview|up)|operate \w+|gh api", script) for script in scripts]
    assert [what for each in found for what in each] == DOES[command]


def test_a_call_asks_for_the_environment_and_the_role_of_its_command() -> None:
    calls = [
        dig(dict(job), "with")
        for path in WORKFLOWS
        for job in cast("dict[str, dict[str, object]]", load(path.name)["jobs"]).values()
        if job.get("uses") == "./.github/workflows/pulumi.yml"
    ]

    assert len(calls) == 7
    for call in cast("list[dict[str, str]]", calls):
        command, stage = call["command"], call["stage"]
        assert call["environment"] == f"{ROLES[command]}{stage}"
        if "matrix" not in stage:
            name = "DEPLOY" if command == "up" else command.upper()
            assert call["role"] == f"${{{{ vars.AWS_{name}_ROLE_{stage.upper()} }}}}"


@pytest.mark.parametrize(("newest", "status"), [("a1", 0), ("b2", 1)])
def test_a_run_that_is_overtaken_deploys_nothing(newest: str, status: int, tmp_path: Path) -> None:
    """Updates of a stage wait for each other, but checks before them end in any order."""
    before = next(step for step in steps_of("up") if "run" in step)
    assert "gh api" in before["run"], "before anything is installed or changed"
    asked = tmp_path / "asked"
    (tmp_path / "gh").write_text(f'#!/bin/sh\necho "$@" > {asked}\necho {newest}\n')
    (tmp_path / "gh").chmod(0o755)

    run = subprocess.run(  # noqa: S603 - our own script
        [str(shutil.which("bash")), "-eo", "pipefail", "-c", before["run"]],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "acme/files",
            "GITHUB_REF_NAME": "main",
            "GITHUB_SHA": "a1",
            "STAGE": "prod",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == status, run.stderr
    assert asked.read_text() == "api repos/acme/files/commits/heads/main --jq .sha\n"
    assert ("main is at b2 by now" in run.stdout) == bool(status)


def test_an_update_is_never_cut_off_nor_beside_another() -> None:
    assert dig(load("pulumi.yml"), "jobs", "run", "concurrency") == {
        "group": "pulumi-${{ inputs.stage }}-${{ inputs.command == 'preview' && github.ref || inputs.command }}",
        "cancel-in-progress": False,
    }


def test_a_preview_fails_when_pulumi_does_and_stands_on_the_page_of_the_run() -> None:
    run = load("pulumi.yml")
    preview, summary = (step for step in steps() if "preview.txt" in step.get("run", ""))

    assert dig(run, "jobs", "run", "defaults", "run", "shell") == "bash", "GitHub gives this one pipefail"
    assert "tee preview.txt" in preview["run"]
    assert "$GITHUB_STEP_SUMMARY" in summary["run"]
    assert summary["if"] == "!cancelled() && steps.preview.outcome != 'skipped'"
    assert preview["id"] == "preview"
    assert preview["if"] == "inputs.command == 'preview' || inputs.command == 'drift'", (
        "no update and no check previews"
    )


def test_what_is_deployed_is_released_after_the_update() -> None:
    """Both kinds of release: it shifts, or says that the update did not move the alias."""
    ran = [step for step in steps() if "pulumi up" in step.get("run", "") or "operate release" in step.get("run", "")]

    assert [step["run"].split(" --")[0] for step in ran] == ["pulumi up", ".venv/bin/python -m operate release"]
    assert all(step["if"] == "inputs.command == 'up'" for step in ran), "and not after an update that failed"


def test_a_deployment_ends_with_a_check_of_the_stack() -> None:
    assert steps()[-1] == {
        "if": "inputs.command == 'up' || inputs.command == 'check'",
        "run": '.venv/bin/python -m operate check --stack "$STAGE"',
    }


def test_what_differs_from_the_state_fails_the_run_and_is_on_its_page() -> None:
    preview, summary = (step for step in steps() if "preview.txt" in step.get("run", ""))

    assert 'if [ "$COMMAND" = drift ]; then set -- --refresh --expect-no-changes; fi' in preview["run"]
    assert '"$@" 2>&1' in preview["run"]
    assert "$COMMAND of $STAGE" in summary["run"]

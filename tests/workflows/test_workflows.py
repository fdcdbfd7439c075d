"""The workflows keep to the rules: least permissions, pinned actions, no stored keys, guardrails, one run a stage."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
import yaml

from local.stack_config import ROOT
from tests.declared_stack import dig
from tests.workflows.files import WORKFLOWS, load, steps


def test_actions_are_pinned() -> None:
    """To a commit, with the version that it is of; the same everywhere."""
    pinned: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, version in re.findall(r"uses: (\S+)(?: # (v[\d.]+))?$", path.read_text(), re.MULTILINE):
            if action == "./.github/workflows/pulumi.yml":
                continue
            found = re.fullmatch(r"([\w/-]+)@[0-9a-f]{40}", action)
            assert found, action
            assert version, f"{action} does not say which version it is"
            pinned.setdefault(found[1], set()).add(action)
    assert pinned
    assert all(len(commits) == 1 for commits in pinned.values()), pinned


def test_every_job_ends(job: tuple[str, dict[str, object]]) -> None:
    """GitHub's own limit is six hours. What a job calls has limits of its own."""
    name, steps = job
    assert "uses" in steps or 0 < int(str(steps["timeout-minutes"])) <= 120, name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_stored_and_nothing_more_is_permitted(path: Path) -> None:
    workflow, text = load(path.name), path.read_text()
    jobs = workflow["jobs"]
    assert isinstance(jobs, dict)

    assert "secrets." not in text
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in jobs.items():
        assert job.get("permissions", {}).items() <= {"contents": "read", "id-token": "write"}.items(), name


def test_packages_are_kept_from_run_to_run() -> None:
    found = [step for step in steps() if "actions/setup-python" in step.get("uses", "")]

    assert len(found) == 3
    for step in found:
        assert dig(dict(step), "with", "cache") == "pip"
        assert dig(dict(step), "with", "cache-dependency-path") == "**/requirements*.txt"


def test_the_cli_is_of_the_version_that_the_sdk_is_locked_to() -> None:
    (install,) = [step for step in steps() if "pulumi/actions" in step.get("uses", "")]
    locked = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert locked
    assert dig(dict(install), "with", "pulumi-version") == locked[1]


def test_both_ways_of_running_pulumi_hold_the_guardrails_against_it() -> None:
    runs = [step["run"] for step in steps() if "pulumi " in step.get("run", "")]

    assert len(runs) == 2
    assert all("--policy-pack policy" in run for run in runs)


def test_prod_follows_dev_and_a_preview_of_what_was_merged_behind_its_environment() -> None:
    deploy = load("deploy.yml")

    assert dig(deploy, "jobs", "dev", "needs") == "checks"
    assert dig(deploy, "jobs", "preview-prod", "needs") == "dev"
    assert dig(deploy, "jobs", "preview-prod", "with", "command") == "preview"
    assert dig(deploy, "jobs", "preview-prod", "with", "stage") == "prod"
    assert dig(deploy, "jobs", "prod", "needs") == "preview-prod"
    assert dig(deploy, "jobs", "prod", "with", "environment") == "prod"
    assert dig(load("pulumi.yml"), "jobs", "run", "environment") == "${{ inputs.environment }}"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_stages_are_checked_by_the_clock(stage: str) -> None:
    check = load("check.yml")
    role = f"AWS_CHECK_ROLE_{stage.upper()}"

    assert "if" not in dict(cast("dict[str, object]", dig(check, "jobs", stage))), "what is not set up says so"
    assert dig(check, "jobs", stage, "with") == {
        "command": "check",
        "stage": stage,
        "environment": f"check-{stage}",
        "role": f"${{{{ vars.{role} }}}}",
    }
    # YAML takes the word for true.
    triggers = cast("dict[object, dict[str, object]]", check)[True]
    assert triggers.keys() == {"schedule", "workflow_dispatch"}


def test_each_stage_is_previewed_and_deployed_by_a_role_of_its_own() -> None:
    """A preview reads its stage's state, and may decrypt what is secret there."""
    previews = dig(load("pull-request.yml"), "jobs", "preview")
    deploy = load("deploy.yml")

    assert dig(previews, "with", "role") == "${{ vars[matrix.role] }}"
    assert dig(previews, "with", "environment") == "preview-${{ matrix.stage }}"
    assert dig(previews, "strategy", "matrix", "include") == [
        {"stage": "dev", "role": "AWS_PREVIEW_ROLE_DEV"},
        {"stage": "prod", "role": "AWS_PREVIEW_ROLE_PROD"},
    ]
    roles = {job: dig(deploy, "jobs", job, "with", "role") for job in ("dev", "preview-prod", "prod")}
    assert roles == {
        "dev": "${{ vars.AWS_DEPLOY_ROLE_DEV }}",
        "preview-prod": "${{ vars.AWS_PREVIEW_ROLE_PROD }}",
        "prod": "${{ vars.AWS_DEPLOY_ROLE_PROD }}",
    }
    guide = (ROOT / "docs" / "deployment.md").read_text()
    used = set(re.findall(r"AWS_\w+_ROLE_\w+", "".join(path.read_text() for path in WORKFLOWS)))
    assert used == set(re.findall(r"AWS_\w+_ROLE_\w+", guide)), "the guide names the variables to set"


def test_drift_is_looked_for_each_week_on_main_by_a_role_of_its_own() -> None:
    """It reads the stage's secrets, as a preview of a branch may not."""
    workflow = load("drift.yml")
    # YAML reads `on` as true.
    assert dig({str(key): value for key, value in workflow.items()}, "True", "schedule", 0, "cron") == "17 4 * * 1"
    job = dig(workflow, "jobs", "drift")

    assert dig(job, "if") == "github.ref == 'refs/heads/main'"
    assert dig(job, "strategy", "matrix", "include") == [
        {"stage": "dev", "role": "AWS_DRIFT_ROLE_DEV"},
        {"stage": "prod", "role": "AWS_DRIFT_ROLE_PROD"},
    ]
    assert dig(job, "with") == {
        "command": "drift",
        "stage": "${{ matrix.stage }}",
        "environment": "drift-${{ matrix.stage }}",
        "role": "${{ vars[matrix.role] }}",
    }


def test_newer_actions_and_packages_are_proposed() -> None:
    updates: list[dict[str, object]] = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    found = {
        str(update["package-ecosystem"]): update.get("directories", [update.get("directory")]) for update in updates
    }

    assert found == {"github-actions": ["/"], "pip": ["/", "/lambda_src"]}
    assert all((ROOT / folder[1:] / "requirements.txt").is_file() for folder in ("/", "/lambda_src"))


@pytest.mark.parametrize("path", ["/nowhere", None], ids=["without any linter", "as it is"])
def test_the_workflows_are_checked_or_said_not_to_be(path: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "dirname", "mktemp", "rm"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    search = str(folder) if path else os.environ["PATH"]
    bad = tmp_path / "bad.yml"
    bad.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ nobody.knows }}\n"
    )

    good, wrong = (lint(search, *files) for files in ((), (str(bad),)))

    if "LEFT OUT" in good.stdout:
        assert "no complaints" not in good.stdout
        if path is None:
            # Not passed: without a linter on this machine nothing was checked.
            pytest.skip(good.stdout.strip())
        return
    assert path is None
    assert (good.returncode, good.stdout) == (0, "actionlint: no complaints\n")
    assert wrong.returncode != 0
    assert "nobody" in wrong.stdout


def lint(search: str, *files: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [str(ROOT / ".ci" / "actionlint"), *files],
        env={**os.environ, "PATH": search},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_input_is_pasted_into_a_script() -> None:
    """It could hold a command: it comes as a variable."""
    for step in steps():
        assert "${{" not in step.get("run", "")


@pytest.fixture(params=[(path.name, name) for path in WORKFLOWS for name in load(path.name)["jobs"]])  # type: ignore[attr-defined]  # a mapping
def job(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    workflow, name = request.param
    found = dig(load(workflow), "jobs", name)
    assert isinstance(found, dict)
    return name, found

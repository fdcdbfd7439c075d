"""The workflows keep to the rules: least permissions, pinned actions, no stored keys, guardrails, one run a stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from local.stack_config import ROOT
from tests.conftest import dig

WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(name: str) -> dict[str, object]:
    workflow: dict[str, object] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return workflow


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    uses = re.findall(r"uses: (\S+)", path.read_text())

    assert uses
    for action in uses:
        pinned = re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)
        assert pinned or action == "./.github/workflows/pulumi.yml", action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_stored_and_nothing_more_is_permitted(path: Path) -> None:
    workflow, text = load(path.name), path.read_text()
    jobs = workflow["jobs"]
    assert isinstance(jobs, dict)

    assert "secrets." not in text
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in jobs.items():
        assert job.get("permissions", {}).items() <= {"contents": "read", "id-token": "write"}.items(), name


def test_both_ways_of_running_pulumi_hold_the_guardrails_against_it() -> None:
    runs = [step["run"] for step in steps() if "pulumi " in step.get("run", "")]

    assert len(runs) == 2
    assert all("--policy-pack policy" in run for run in runs)


def test_an_update_is_never_cut_off_nor_beside_another() -> None:
    assert dig(load("pulumi.yml"), "jobs", "run", "concurrency") == {
        "group": "pulumi-${{ inputs.stage }}-${{ inputs.command == 'up' && 'up' || github.ref }}",
        "cancel-in-progress": False,
    }


def test_prod_follows_dev_behind_its_environment() -> None:
    deploy = load("deploy.yml")

    assert dig(deploy, "jobs", "prod", "needs") == "dev"
    assert dig(deploy, "jobs", "dev", "needs") == "checks"
    assert dig(deploy, "jobs", "prod", "with", "environment") == "prod"
    assert dig(load("pulumi.yml"), "jobs", "run", "environment") == "${{ inputs.environment }}"


def test_no_input_is_pasted_into_a_script() -> None:
    """It could hold a command: it comes as a variable."""
    for step in steps():
        assert "${{" not in step.get("run", "")


def steps() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in WORKFLOWS:
        jobs = load(path.name)["jobs"]
        assert isinstance(jobs, dict)
        found += [step for job in jobs.values() for step in job.get("steps", [])]
    return found

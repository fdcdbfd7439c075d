"""The workflows, and what they do step by step."""

from __future__ import annotations

import re
from typing import Final, cast

import yaml

from local.stack_config import ROOT
from tests.declared_stack import dig

WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(name: str) -> dict[str, object]:
    workflow: dict[str, object] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return workflow


def steps() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in WORKFLOWS:
        jobs = load(path.name)["jobs"]
        assert isinstance(jobs, dict)
        found += [step for job in jobs.values() for step in job.get("steps", [])]
    return found


def steps_of(command: str) -> list[dict[str, str]]:
    """The steps of pulumi.yml that a command runs when none before has failed, as their conditions say."""
    found = cast("list[dict[str, str]]", dig(load("pulumi.yml"), "jobs", "run", "steps"))
    runs = []
    for step in found:
        asked = re.findall(r"inputs\.command == '(\w+)'", step.get("if", ""))
        if "if" in step and not asked:
            assert step["if"] == "!cancelled() && steps.preview.outcome != 'skipped'"
            asked = re.findall(r"inputs\.command == '(\w+)'", next(x["if"] for x in found if x.get("id") == "preview"))
        if "if" not in step or command in asked:
            runs.append(step)
    return runs

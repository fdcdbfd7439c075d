"""What the bootstrap program declares for an account of the tests, and which policies its roles have."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from functools import cache
from typing import Final
from unittest.mock import patch

from bootstrap import settings
from local.stack_config import ROOT, StackConfig
from tests.conftest import ACCOUNT, REGION, run
from tests.declared_stack import DeclaredStack
from tests.stage_files import STAGES

PROJECT: Final = "file-pipeline"
OWN: Final = f"{PROJECT}-bootstrap"
SUBJECT: Final = "repo:acme@1001/files@2002"
REPOSITORY_ID: Final = "2002"
SETTINGS: Final[Mapping[str, object]] = {"stages": ["dev", "prod"], "subject": SUBJECT, "repositoryId": REPOSITORY_ID}


def boundary_arn(stage: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{OWN}-{stage}-boundary"


def config(values: Mapping[str, object], aws: Mapping[str, object] | None = None) -> StackConfig:
    """The config of an account, as Pulumi hands it over."""
    keys = {f"bootstrap:{key}": value for key, value in values.items()}
    keys |= {f"aws:{key}": value for key, value in (aws or {"region": REGION, "allowedAccountIds": [ACCOUNT]}).items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    return StackConfig(project="bootstrap", stage="main", values=texts)


def bootstrap(overrides: Mapping[str, object] | None = None) -> DeclaredStack:
    """What is declared for an account. It is not run twice for the same settings."""
    return _bootstrap(json.dumps({**SETTINGS, **(overrides or {})}, sort_keys=True))


@cache
def _bootstrap(values: str) -> DeclaredStack:
    return run(config(json.loads(values)), program=run_main)


def run_main() -> None:
    """Run the program, for the project of the tests: a team may rename its own."""
    with patch.object(settings, "PIPELINE", STAGES / "Pulumi.yaml"):
        runpy.run_path(str(ROOT / "bootstrap" / "__main__.py"), run_name="__main__")


def documents(stack: DeclaredStack, role: str) -> list[str]:
    """The policies that a role has, by what is attached to it."""
    by_name = {policy.text("name"): policy.text("policy") for policy in stack.all("Policy")}
    attached = [entry for entry in stack.all("RolePolicyAttachment") if entry.text("role") == f"{OWN}-{role}"]
    assert attached, role
    return [by_name[entry.text("policyArn").rpartition(":")[2]] for entry in attached]


def boundary(stack: DeclaredStack, stage: str) -> str:
    return stack.one("Policy", f"{stage}-boundary").text("policy")

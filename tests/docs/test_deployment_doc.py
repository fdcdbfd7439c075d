"""What docs/deployment.md and the first page tell somebody to paste does what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from bootstrap.settings import BootstrapSettings
from local.stack_config import ROOT
from tests.conftest import run
from tests.stage_files import stage_config

GUIDE: Final = (ROOT / "docs" / "deployment.md").read_text()
README: Final = (ROOT / "README.md").read_text()

_CLI: Final = """#!/bin/sh
echo "$(basename "$0") $*" >> "$ASKED"
case "$1" in
    -C) echo "<$5>" ;;
    api) case "$*" in *--input*) cat >> "$ASKED" ;; *users*) echo 42 ;; esac ;;
esac
"""
"""In the place of `gh` and `pulumi`: writes down what it is asked, and answers something."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the commands of From GitHub ask for, in their order."""
    section = GUIDE.partition("\n## From GitHub\n")[2].partition("\n## ")[0]
    folder = tmp_path_factory.mktemp("cli")
    for name in ("gh", "pulumi"):
        (folder / name).write_text(_CLI)
        (folder / name).chmod(0o755)
    log = folder / "asked"
    script = "".join(re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
    subprocess.run(  # noqa: S603 - our own paper
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", script],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(log)},
        check=True,
    )
    return log.read_text().splitlines()


def test_each_variable_of_the_table_gets_its_output(asked: list[str]) -> None:
    found = {
        match[1]: match[2] for line in asked if (match := re.match(r"gh variable set (\w+) .*--body <(.+)>$", line))
    }
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (.+) \|$", GUIDE, re.MULTILINE)
    named = {
        name: output
        for names, outputs in rows
        for name, output in zip(names.split(", "), outputs.split(", "), strict=True)
    }

    assert len(found) == len(named) == 10
    assert found.pop("AWS_REGION") == "aws:region"
    named.pop("`AWS_REGION`")
    assert {f"`{name}`": f"`{output}`" for name, output in found.items()} == named


def test_environments_are_protected_before_a_role_is_named(asked: list[str]) -> None:
    named = [number for number, line in enumerate(asked) if line.startswith("gh variable set")]
    protected = [number for number, line in enumerate(asked) if "deployment-branch-policies" in line]

    assert len(protected) == 6
    assert max(protected) < min(named)


def test_prod_and_no_other_gets_reviewers(asked: list[str]) -> None:
    bodies = {
        line.split()[4].rpartition("/")[2]: asked[number + 1]
        for number, line in enumerate(asked)
        if line.startswith("gh api -X PUT")
    }

    assert [name for name, body in bodies.items() if '"reviewers": [{"type": "User", "id": 42}]' in body] == ["prod"]
    assert all('"custom_branch_policies": true' in body for body in bodies.values())


def test_the_first_page_sets_what_the_bootstrap_has_no_default_for() -> None:
    needed = {str(field.alias) for field in BootstrapSettings.model_fields.values() if field.is_required()}
    set_there = set(re.findall(r"pulumi config set (?:--path ')?(\w+)", README))

    assert needed <= set_there
    assert re.findall(r"--path 'stages\[(\d)\]' (\w+)", README) == [("0", "dev"), ("1", "prod")]


def test_what_is_to_be_known_stands_before_what_is_pasted() -> None:
    before, _, rest = README.partition("# 1. build .venv")

    assert "repo:OWNER/REPOSITORY" in before
    assert "repo:OWNER/REPOSITORY" not in rest
    assert "trying out" in before


def test_the_bootstrap_s_exported_state_stays_out_of_git() -> None:
    (name,) = set(re.findall(r"--file (\S+)", README))

    assert name in Path(ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_first_page_says_how_large_a_stage_is(stage: str) -> None:
    (least,) = re.findall(r"over (\d+) resources", README)

    assert len(run(stage_config(stage)).resources) > int(least)

"""A team's stage files are its own: whatever is valid in them, written by hand or by the CLI, the tests pass."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml

from components.settings import SettingsError
from local.stack_config import ROOT, StackConfig
from tests.conftest import HOST_LAYER, run

COMMITTED: Final = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))

pytestmark = pytest.mark.stage_files

NAME: Final = str(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"])
LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".hypothesis", ".*_cache")

CHECKS: Final = (
    *("tests/docs", "tests/tools/docs", "tests/examples"),
    "tests/test_stage_files.py::test_the_committed_stages_are_right",
    "tests/test_stage_files.py::test_they_are_committed_as_the_cli_writes_them",
)
"""What looks at a stage file or at Pulumi.yaml, or at what is made of them. Others cannot open a stage file."""

CHANGES: Final[Mapping[str, Mapping[str, object]]] = {
    # The commands of docs/configuration.md, and what a team may set without a word to anybody.
    "prod": {
        "aws:region": "eu-west-1",
        "aws:allowedAccountIds": ["123456789012"],
        "alertEmails": ["ops@example.com"],
        "corsOrigins": ["https://app.example.com"],
        "deliveryEndpoint": "https://receiver.example.com/files",
        "functionMemoryMb": "768",
        "tableBillingMode": "PROVISIONED",
        "owner": "shipping",
    },
    "dev": {"functionMemoryMb": "3008", "logLevel": "WARNING", "testUser": "false", "corsOrigins": []},
    "local": {"indexShards": "3", "maxObjectBytes": "1000000"},
}


@pytest.mark.parametrize("stage", COMMITTED)
def test_the_committed_stages_are_right(stage: str) -> None:
    """Each is built, so that a wrong setting is found before it is deployed."""
    declared = run(StackConfig.load(stage, HOST_LAYER))

    assert len({resource.urn for resource in declared.resources}) == len(declared.resources)


@pytest.mark.parametrize("stage", COMMITTED)
def test_they_are_committed_as_the_cli_writes_them(stage: str) -> None:
    """Or the first `pulumi config set` would change every line that holds a number or a flag."""
    text = (ROOT / f"Pulumi.{stage}.yaml").read_text()

    assert as_the_cli_writes(text) == text


def test_numbers_and_flags_may_be_written_as_such(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nconfig: {a: {default: 1}, b: {default: false}, c: {default: []}}\n")
    stages = {
        "typed": "config: {p:a: 2, b: true, p:c: [x, 3], aws:region: here}",
        "text": 'config: {p:a: "2", p:b: "true", p:c: [x, 3], aws:region: here}\nencryptionsalt: v1:a=:v1:b:c==\n',
        "empty": "encryptionsalt: v1:a=:v1:b:c==\n",
        "none": "",
    }
    for stage, text in stages.items():
        (tmp_path / f"Pulumi.{stage}.yaml").write_text(text)
    read = {stage: StackConfig.load(stage, folder=tmp_path).values for stage in stages}

    assert read["typed"] == read["text"] == {"p:a": "2", "p:b": "true", "p:c": '["x", 3]', "aws:region": "here"}
    assert read["empty"] == read["none"] == {"p:a": "1", "p:b": "false", "p:c": "[]"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project whose team has renamed it and changed its stages, with the CLI and by hand."""
    folder = tmp_path_factory.mktemp("team") / "project"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    (folder / "build").symlink_to(ROOT / "build")
    rename(folder / "Pulumi.yaml")
    for stage, changes in CHANGES.items():
        path = folder / f"Pulumi.{stage}.yaml"
        config = yaml.safe_load(path.read_text().replace(f"  {NAME}:", "  shipments:"))["config"]
        config |= {key if ":" in key else f"shipments:{key}": value for key, value in changes.items()}
        text = as_the_cli_writes(yaml.safe_dump({"config": config}, sort_keys=False))
        path.write_text(text + "encryptionsalt: v1:2GqUmMrzOP4=:v1:kYUxm2/8Fn7BrZIZ:YmFzZTY0\n")
    return folder


@pytest.mark.slow
def test_the_tests_pass_whatever_the_stages_hold(project: Path) -> None:
    done = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]


def test_a_renamed_project_is_built_under_its_new_name(project: Path) -> None:
    declared = run(StackConfig.load("prod", HOST_LAYER, folder=project))

    assert all(resource.name.startswith("shipments-prod") for resource in declared.resources)
    assert declared.one("Function", "-ingest").number("memorySize") == 768


def test_a_project_that_is_renamed_by_half_is_told_how_to_go_on(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
    rename(tmp_path / "Pulumi.yaml")

    with pytest.raises(SettingsError, match=rf"replace {NAME}: by shipments: in Pulumi\.prod\.yaml"):
        run(StackConfig.load("prod", folder=tmp_path))


def rename(project_file: Path) -> None:
    project_file.write_text(re.sub(r"^name: .*$", "name: shipments", project_file.read_text(), flags=re.MULTILINE))


def as_the_cli_writes(text: str) -> str:
    """Every number and flag becomes text, as `pulumi config set` and `pulumi stack init` save a stage file."""
    return re.sub(r"^(  \S+: )(true|false|-?\d+(?:\.\d+)?)$", r'\1"\2"', text, flags=re.MULTILINE)

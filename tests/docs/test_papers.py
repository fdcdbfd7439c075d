"""The papers: links lead somewhere, printed commands and names exist, the first page stays short."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, get_args

import pytest

from bootstrap.settings import BootstrapSettings
from components.settings import AwsSettings
from components.settings.releases import Release
from local.stack_config import ROOT, StackConfig
from operate.__main__ import APP
from package.provider import TOKEN, schema
from tests.bootstrap.account import bootstrap
from tests.conftest import HOST_LAYER, run
from tests.stage_files import STAGES
from tools.docs.settings import settings

PAPERS: Final = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *ROOT.glob("docs/*.md")]
MAX_LINES, MAX_COLUMNS = 150, 120
OTHER_NAMES: Final = {"integrationError", "requestId", "issuedOn"}
"""Of fields of the API's access log, and of the example's records."""

ENDPOINT_NAMES: Final = {"cloudwatch": "monitoring"}
"""Where boto3 calls a service otherwise than its endpoint is called."""

MADE_BY_THE_READER: Final = ("lambda_src/shared/records/schemas/invoice.py", "package/.venv")

papers = pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)


def blocks(paper: Path) -> Iterator[str]:
    """What is printed to be run, line by line."""
    for block in re.findall(r"^```\n(.*?)^```", paper.read_text(), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def anchors(paper: Path) -> set[str]:
    """The headings of a paper, as GitHub names them in links."""
    headings = re.findall(r"^#+ (.+)$", paper.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_page_is_short() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()

    assert len(lines) <= MAX_LINES
    assert [line for line in lines if len(line) > MAX_COLUMNS] == []


@papers
def test_links_lead_somewhere(paper: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", paper.read_text()):
        name, _, anchor = target.partition("#")
        file = paper.parent / name if name else paper
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@papers
def test_named_files_exist(paper: Path) -> None:
    for name in re.findall(r"`((?:[\w.]+/)+[\w.*-]*)`", paper.read_text()):
        if name not in MADE_BY_THE_READER and (ROOT / name.split("/")[0]).exists():
            assert list(ROOT.glob(name.rstrip("/"))), name


@papers
def test_targets_of_make_exist(paper: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = paper.read_text()
    used = re.findall(r"`make ([a-z]+)", text) + re.findall(r"^make ([a-z]+)", text, re.MULTILINE)

    assert set(used) <= targets


@papers
def test_programs_that_are_run_exist(paper: Path) -> None:
    for module in re.findall(r"python -m ([\w.]+)", paper.read_text()):
        assert find_spec(module), module


@papers
def test_commands_of_the_operator_exist(paper: Path) -> None:
    used = re.findall(r"python -m operate ([a-z-]+)", paper.read_text())

    assert set(used) <= set(APP)


@papers
def test_commands_of_the_operator_are_understood(paper: Path) -> None:
    for line in blocks(paper):
        _, found, rest = line.partition("python -m operate ")
        if found:
            _, common, _ = APP.meta.parse_args(shlex.split(rest, comments=True), exit_on_error=False)
            command, _, _ = APP.parse_args(common.args, exit_on_error=False)
            assert callable(command), line


@papers
def test_tests_that_are_run_by_themselves_exist(paper: Path) -> None:
    for path, _, word in re.findall(r"-m pytest (\S+)( -k (\w+))?", paper.read_text()):
        assert word in (ROOT / path).read_text()


@papers
def test_settings_that_are_set_exist(paper: Path) -> None:
    used = re.findall(r"file-pipeline:(\w+)", paper.read_text())

    assert set(used) <= {setting.key for setting in settings()}


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper.name != "iam.md"], ids=lambda path: path.name)
def test_settings_and_outputs_that_are_named_exist(paper: Path) -> None:
    """They are the words of our papers that are written with a capital in their middle."""
    used = set(re.findall(r"`([a-z][a-z0-9]*[A-Z]\w*)(?:[:=][^`]*)?`", paper.read_text()))
    outputs = schema()["resources"][TOKEN]["properties"]
    provider = {str(field.alias) for field in AwsSettings.model_fields.values()}

    own = {setting.key for setting in settings(BootstrapSettings)} | set(bootstrap().outputs)

    named = {setting.key for setting in settings()} | set(get_args(Release))
    assert used <= named | set(outputs) | provider | own | OTHER_NAMES


def test_another_program_is_told_every_output_that_the_operator_needs() -> None:
    known = set(schema()["resources"][TOKEN]["properties"])
    code = "".join(file.read_text() for file in (ROOT / "operate").rglob("*.py"))
    guide = (ROOT / "docs" / "deployment.md").read_text().partition("The [operator's commands]")[2].partition("```")[0]

    named = set(re.findall(r"`(\w+)`", guide)) & known
    assert named == set(re.findall(r'"(\w+)"', code)) & known


def test_a_vpc_needs_an_endpoint_for_each_service_that_the_functions_call() -> None:
    clients = (ROOT / "lambda_src" / "shared" / "clients.py").read_text()
    called = {ENDPOINT_NAMES.get(name, name) for name in re.findall(r'boto3\.client\("([a-z0-9]+)"', clients)}
    section = (ROOT / "docs" / "configuration.md").read_text().partition("Functions in a VPC")[2].partition("\n\n")[0]

    assert set(re.findall(r"`([a-z0-9]+)`", section)) == called


def test_the_project_is_renamed_as_the_guide_says(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(STAGES / name, tmp_path)
    commands = [line for line in blocks(ROOT / "CONTRIBUTING.md") if line.startswith("sed ")]
    assert len(commands) == 2
    script = "\n".join(commands).replace("NEW", "shipments")
    subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, check=True)  # noqa: S603 - it is what the guide prints

    stack = run(StackConfig.load("dev", HOST_LAYER, folder=tmp_path))

    assert all(resource.name.startswith("shipments-dev") for resource in stack.resources)

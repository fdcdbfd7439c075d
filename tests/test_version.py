"""The version stands in one place, and everything that names it names that one."""

from __future__ import annotations

import json
import re
import runpy
import tomllib

import yaml

from local.stack_config import ROOT
from shared.version import VERSION


def test_the_project_takes_the_version_of_the_functions() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, name = document["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")

    assert document["project"]["dynamic"] == ["version"]
    assert "version" not in document["project"]
    assert runpy.run_path(str(file))[name] == VERSION


def test_the_changelog_begins_with_the_version() -> None:
    first = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert first is not None
    assert first[1].removesuffix(" (unreleased)") == VERSION


def test_the_documents_name_the_version() -> None:
    assert json.loads((ROOT / "docs" / "openapi.json").read_text())["info"]["version"] == VERSION
    assert yaml.safe_load((ROOT / "policy" / "PulumiPolicy.yaml").read_text())["version"] == VERSION

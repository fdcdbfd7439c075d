"""What documents take from the code is what the code says now."""

from __future__ import annotations

from pathlib import Path
from typing import get_origin

import pytest
import yaml

from bootstrap.settings import BootstrapSettings
from components.settings import Settings
from local.stack_config import ROOT
from tools.docs import generated as documents


@pytest.mark.parametrize("path", list(documents.generated()), ids=lambda path: path.name)
def test_documents_agree_with_the_code(path: Path) -> None:
    """`make docs` writes them anew."""
    assert path.read_text() == documents.generated()[path]


def test_pulumi_yaml_is_a_project_file_with_every_setting() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())

    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert set(project["config"]) == {str(field.alias) for field in Settings.model_fields.values()}
    for key, entry in project["config"].items():
        assert set(entry) <= {"type", "items", "description", "default"}, key
        assert entry["type"] in {"string", "integer", "boolean", "array"}, key
        expected = {"string": str, "integer": int, "boolean": bool, "array": list}[entry["type"]]
        assert type(entry["default"]) is expected, f"{key}: Pulumi wants a value from every stage without a default"
        assert entry["description"], key


def test_a_document_without_markers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Pulumi.yaml", "docs/configuration.md", "benchmarks/RESULTS.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no markers")
    monkeypatch.setattr(documents, "ROOT", tmp_path)

    with pytest.raises(ValueError, match="markers"):
        documents.generated()


def test_the_bootstraps_project_file_takes_what_its_settings_take() -> None:
    """Pulumi compares a value with the type that the file gives, before the program runs."""
    project = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.yaml").read_text())

    for field in BootstrapSettings.model_fields.values():
        entry = project["config"][str(field.alias)]
        assert (entry["type"] == "array") is (get_origin(field.annotation) is list), field.alias
        assert ("default" in entry) is not field.is_required(), field.alias

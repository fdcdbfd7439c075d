"""Config is put together as the Pulumi CLI does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.stack_config import StackConfig
from tests.conftest import declare
from tests.stage_files import STAGES, stage_config


def test_a_stage_replaces_defaults_and_an_override_both() -> None:
    assert stage_config("prod").values["file-pipeline:functionTimeoutSeconds"] == "120"
    assert stage_config("dev").values["file-pipeline:functionTimeoutSeconds"] == "60"
    changed = stage_config("dev", {"functionTimeoutSeconds": 5, "aws:region": "us-east-2"})
    assert changed.values["file-pipeline:functionTimeoutSeconds"] == "5"
    assert changed.values["aws:region"] == "us-east-2"


def test_values_are_handed_over_as_text() -> None:
    values = stage_config("dev").values

    assert values["file-pipeline:retainData"] == "false"
    assert json.loads(values["file-pipeline:corsOrigins"]) == ["*"]
    assert all(isinstance(value, str) for value in values.values())


def test_a_stage_without_a_file_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"Pulumi\.nosuch\.yaml"):
        StackConfig.load("nosuch", folder=STAGES)


def test_tests_cannot_read_a_teams_stage_file() -> None:
    with pytest.raises(AssertionError, match=r"Pulumi\.prod\.yaml is a team's own"):
        StackConfig.load("prod")


@pytest.mark.parametrize(
    ("written", "handed_over"),
    [("off", "off"), ("'off'", "off"), ("yes", "yes"), ("false", "false"), ("True", "true"), ("'true'", "true")],
)
def test_only_true_and_false_are_booleans(tmp_path: Path, written: str, handed_over: str) -> None:
    """To the Pulumi CLI `off` is a text, with quotes or without; to YAML 1.1, which PyYAML reads, it would be false."""
    (tmp_path / "Pulumi.yaml").write_text("name: file-pipeline\nconfig: {}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  file-pipeline:threatProtection: {written}\n")

    assert StackConfig.load("dev", folder=tmp_path).values == {"file-pipeline:threatProtection": handed_over}


# The services whose endpoint has another name than the module that declares their resources.
_ENDPOINTS = {"cognito": {"cognitoidp"}, "cloudwatch": {"cloudwatch", "logs"}}


def test_the_local_stage_reaches_every_service_on_this_machine() -> None:
    """`pulumi up -s local` would ask AWS itself for the rest."""
    (endpoints,) = json.loads(stage_config("local").values["aws:endpoints"])
    used = {resource.type.split("/")[0] for resource in declare("local").resources if resource.type.startswith("aws:")}

    needed = set[str]()
    for module in (name.removeprefix("aws:") for name in used):
        needed |= _ENDPOINTS.get(module, {module})
    assert needed - set(endpoints) - {"appautoscaling"} == set()


def test_what_is_taken_out_has_its_default_again(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nconfig: {a: {default: 1}}\n")
    (tmp_path / "Pulumi.s.yaml").write_text("config: {p:a: 2, p:b: 3}\n")

    assert StackConfig.load("s", {"a": None, "b": None}, folder=tmp_path).values == {"p:a": "1"}

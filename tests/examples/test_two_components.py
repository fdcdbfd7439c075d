"""The example is a program of its own: two components, from any folder, with a provider and an alarm of its own."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import yaml

from local.stack_config import ROOT, StackConfig
from tests.conftest import run

EXAMPLE = ROOT / "examples" / "two_components" / "__main__.py"


def test_it_runs_with_the_packages_of_this_project() -> None:
    project = yaml.safe_load(EXAMPLE.with_name("Pulumi.yaml").read_text())
    ours = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())

    environment = EXAMPLE.parent / project["runtime"]["options"]["virtualenv"]
    assert environment.resolve() == (ROOT / ours["runtime"]["options"]["virtualenv"]).resolve()


def test_two_components_work_in_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = StackConfig(project="two-components", stage="dev", values={})

    declared = run(config, program=lambda: runpy.run_path(str(EXAMPLE)))

    provider = declared.provider()
    assert provider.text("region") == "eu-west-1"
    assert {r.provider.split("::")[3] for r in declared.resources if r.type.startswith("aws:")} == {"ireland"}
    queue = declared.one("Queue", "orders-dev-intake-queue")
    assert declared.one("MetricAlarm").part("dimensions") == {"QueueName": queue.name}
    assert declared.one("BucketNotification").text("bucket") == "orders-dev-landing"
    assert declared.outputs == {"queueUrl": f"https://sqs.eu-central-1.amazonaws.com/123456789012/{queue.name}"}
    assert list(tmp_path.iterdir()) == [], "nothing is written where the program happens to run"

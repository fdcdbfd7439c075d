"""The whole program runs through the pack, and the pack runs as Pulumi's engine starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest
import yaml
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel

from local.stack_config import ROOT
from policy.guardrails import GUARDRAILS
from policy.resource_types import OUR_OWN, Type
from tests.conftest import declare
from tests.conftest import run as run_program
from tests.policy.conftest import broken, given, run, violations
from tests.stage_files import stages
from tools.docs import permissions


@pytest.mark.parametrize("stage", stages())
@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_the_program_keeps_every_promise(stage: str, *, preview: bool) -> None:
    """In a preview most values are not known yet: nothing is said against them, and nothing crashes."""
    declared = declare(stage, preview=preview)
    unheard = stage.startswith("prod") and not declared.all("TopicSubscription")

    assert broken(*given(declared.resources)) == ({"topics-heard"} if unheard else set())


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_the_program_with_every_part_keeps_every_promise(*, preview: bool) -> None:
    assert violations(*given(declare("prod", preview=preview, overrides=permissions.EVERY_PART).resources)) == set()


def test_production_without_a_subscriber_is_advised_not_stopped() -> None:
    found = run(*given(declare("prod").resources))

    assert {(rule, policy.enforcement_level) for rule, _, policy in found} == {
        ("topics-heard", EnforcementLevel.ADVISORY)
    }


def test_production_that_retains_nothing_is_stopped() -> None:
    found = run(*given(declare("prod", overrides={"retainData": False}).resources))

    assert {rule for rule, _, policy in found if policy.enforcement_level is EnforcementLevel.MANDATORY} == {
        "production-retained"
    }


def test_production_whose_api_is_open_to_every_origin_is_stopped() -> None:
    found = run(*given(declare("prod", overrides={"apiCorsOrigins": ["*"]}).resources))

    assert {rule for rule, _, policy in found if policy.enforcement_level is EnforcementLevel.MANDATORY} == {
        "api-origins-named"
    }


def test_the_known_types_are_those_that_the_program_declares() -> None:
    """One that nobody declares any more would be let in unread."""
    stacks = [*(declare(stage) for stage in stages()), run_program(permissions.CONFIG)]
    declared = {resource.type for stack in stacks for resource in stack.resources}

    assert {kind for kind in declared if not kind.startswith(OUR_OWN)} == set(Type)


def test_every_rule_has_a_name_of_its_own_and_a_description() -> None:
    assert len({policy.name for policy in GUARDRAILS}) == len(GUARDRAILS)
    assert all(policy.description.endswith(".") for policy in GUARDRAILS)


def test_the_pack_starts_from_its_folder_and_finds_a_violation(tmp_path: Path) -> None:
    """As the engine does it: the module pulumi.policy runs the folder, prints a port, and is asked over gRPC."""
    project = yaml.safe_load((ROOT / "policy" / "PulumiPolicy.yaml").read_text())
    assert project["runtime"]["name"] == "python"
    with subprocess.Popen(  # noqa: S603 - all of it is ours
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(ROOT / "policy")],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                analyzer = analyzer_pb2_grpc.AnalyzerStub(channel)
                info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=60)
                queue = analyzer_pb2.AnalyzeRequest(
                    type="aws:sqs/queue:Queue", urn="urn:pulumi:dev::file-pipeline::aws:sqs/queue:Queue::q", name="q"
                )
                answer = analyzer.Analyze(queue, timeout=60)
        finally:
            process.kill()

    assert {policy.name for policy in info.policies} == {policy.name for policy in GUARDRAILS}
    found = {diagnostic.policyName: diagnostic for diagnostic in answer.diagnostics}
    assert set(found) == {"encrypted-with-a-key", "tagged"}
    assert found["encrypted-with-a-key"].enforcementLevel == analyzer_pb2.MANDATORY
    assert "kmsMasterKeyId is not set" in found["encrypted-with-a-key"].message


@pytest.mark.parametrize("start", [["-m", "policy"], ["policy"]])
def test_a_python_without_the_package_is_told_so_and_what_to_do(start: list[str]) -> None:
    command = [sys.executable, "-S", *start]  # without site-packages
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is ours

    assert done.returncode == 1
    assert done.stderr.startswith(
        f"The policy pack needs the package pulumi_policy, which {sys.executable} does not have"
    )
    assert "`make setup`" in done.stderr
    assert "Traceback" not in done.stderr

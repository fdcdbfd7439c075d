"""The package: its schema, what it refuses, and that its component declares what the program does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

import pulumi
import pytest
import yaml
from pulumi.errors import InputPropertiesError

from components.settings import SettingsError
from local.stack_config import ROOT, StackConfig
from package.arguments import FilePipelineArgs
from package.file_pipeline import FilePipeline
from package.provider import TOKEN, PackageProvider, schema
from tests.conftest import declare, run
from tests.declared_stack import DeclaredStack
from tools.docs.package import TAGS
from tools.docs.settings import settings

SETTINGS: Final[Mapping[str, object]] = {
    "retainData": False,
    "functionMemoryMb": 512.0,  # as the engine hands whole numbers over
    "corsOrigins": ["https://app.example.com"],
    "layerPlatform": "host",
    "testUser": True,
    "programClient": True,
    "deliveryEndpoint": "https://receiver.example.com/files",
    "release": "canary10Percent5Minutes",
}
"""Everything that can be left out is there."""


def arguments(values: Mapping[str, object] = SETTINGS) -> FilePipelineArgs:
    names = {setting.key: setting.name for setting in settings()}
    return cast("FilePipelineArgs", {names.get(key, key): value for key, value in values.items()})


def build(values: Mapping[str, object] = SETTINGS, name: str = "uploads") -> tuple[FilePipeline, DeclaredStack]:
    """Another program, of its own project, that declares the component."""
    made: list[FilePipeline] = []
    config = StackConfig(project="consumer", stage="dev", values={})
    stack = run(config, program=lambda: made.append(FilePipeline(name, arguments(values))))
    return made[0], stack


def inputs_of(stack: DeclaredStack) -> dict[str, str]:
    """Each AWS resource's inputs, as text in which two archives of one path are the same."""
    return {
        resource.name: json.dumps(resource.inputs, sort_keys=True, default=lambda archive: archive.path)
        for resource in stack.resources
        if resource.type.startswith("aws:")
    }


def test_every_setting_but_the_tags_is_an_optional_plain_argument_with_a_description() -> None:
    resource = schema()["resources"][TOKEN]
    inputs = resource["inputProperties"]

    assert TOKEN == "file-pipeline:index:FilePipeline"
    assert set(inputs) == {setting.key for setting in settings() if setting.name not in TAGS}
    assert not resource.get("requiredInputs")
    for key, entry in inputs.items():
        assert entry["plain"] is True, key
        assert entry["description"], key
        assert entry["type"] in {"array", "boolean", "integer", "string"}, key


def test_it_is_a_source_based_plugin_of_python() -> None:
    plugin = yaml.safe_load((ROOT / "package" / "PulumiPlugin.yaml").read_text())
    requirements = (ROOT / "package" / "requirements.txt").read_text().split()

    assert plugin["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert requirements == ["-r", "../requirements.txt"]


def test_it_declares_what_the_program_declares() -> None:
    _, stack = build()
    values = {**SETTINGS, "functionMemoryMb": 512}
    main = run(
        StackConfig(
            project="uploads",
            stage="dev",
            values={"aws:region": "eu-central-1"}
            | {
                f"uploads:{key}": value if isinstance(value, str) else json.dumps(value)
                for key, value in values.items()
            },
        )
    )

    assert inputs_of(stack) == inputs_of(main)
    assert len(inputs_of(main)) > 90


def test_its_outputs_are_those_of_the_pipeline() -> None:
    component, stack = build()
    everything = declare("dev", overrides={**SETTINGS, "functionMemoryMb": 512})
    outputs = schema()["resources"][TOKEN]["properties"]

    assert set(outputs) == set(everything.outputs)
    assert all(entry["description"] for entry in outputs.values())
    assert all(isinstance(getattr(component, name), pulumi.Output) for name in FilePipeline.__annotations__)
    assert [r.type for r in stack.resources if r.name == "uploads"] == [TOKEN]


def test_what_is_left_out_has_no_output() -> None:
    left_out = {"reconciliationHours": 0, "api": False, "alarms": False, "dashboard": False}
    component, _ = build({"layerPlatform": "host", **left_out})
    there = {name for name in FilePipeline.__annotations__ if getattr(component, name) is not None}
    needed = {name for name, kind in FilePipeline.__annotations__.items() if kind == pulumi.Output[str]}

    assert there == needed


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"nosuch": 1}, "nosuch: is not an argument"),
        ({"owner": "data"}, "owner: is not an argument"),
        ({"function_memory_mb": 512}, "function_memory_mb: is not an argument"),
        ({"functionMemoryMb": 64.0}, "uploads:functionMemoryMb = 64: should be greater than or equal to 128"),
        ({"functionMemoryMb": 512.5}, r"uploads:functionMemoryMb = 512\.5: should be a valid integer"),
        ({"functionMemoryMb": "many"}, "uploads:functionMemoryMb = 'many': should be a valid integer"),
        ({"logLevel": "LOUD"}, "uploads:logLevel = 'LOUD': should be 'DEBUG'"),
        ({"deliveryEndpoint": "https://127.0.0.1"}, "uploads:deliveryEndpoint = 'https://127.0.0.1'"),
        ({"recordTypes": ["uploads/a/=nosuch"]}, r"uploads:recordTypes\[0\] = .* there is no file"),
        ({"testUser": True}, "testUser = true: only in a stage that keeps no data"),
    ],
)
def test_the_engine_is_told_what_is_wrong(values: Mapping[str, object], problem: str) -> None:
    """Unknown arguments too, which Pulumi's host of components would drop."""

    def construct() -> None:
        with pytest.raises(InputPropertiesError, match=problem):
            PackageProvider().construct("uploads", TOKEN, dict(values))

    stack = run(StackConfig(project="consumer", stage="dev", values={}), program=construct)

    assert stack.resources == []


@pytest.mark.parametrize("key", ["corsOrigins", "deliveryEndpoint"])
def test_what_is_not_known_yet_is_no_setting(key: str) -> None:
    def program() -> None:
        value = pulumi.Output.secret("https://receiver.example.com")
        with pytest.raises(SettingsError, match="should be a plain value, not an Output"):
            FilePipeline("uploads", arguments({key: [value] if key == "corsOrigins" else value}))

    run(StackConfig(project="consumer", stage="dev", values={}), program=program)


KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"kmsKeyArn": KEY},
            "uploads:kmsKeyArn = '.*': is in us-east-1; should be in the stack's region, eu-central-1",
        ),
        (
            {"kmsKeyArn": KEY.replace("us-east-1:123456789012", "eu-central-1:210987654321")},
            "is in the account 210987654321; should be in the stack's, 123456789012",
        ),
        (
            {"permissionsBoundaryArn": "arn:aws:iam::210987654321:policy/boundary"},
            "uploads:permissionsBoundaryArn = '.*': is in the account 210987654321; should be in the stack's",
        ),
    ],
)
def test_what_is_brought_must_be_where_the_callers_provider_is(values: Mapping[str, object], problem: str) -> None:
    """Whose region and account are known to AWS alone, so some resources are registered by then: none with data."""
    with pytest.raises(SettingsError, match=problem):
        build({"layerPlatform": "host", **values})


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"alarms": False, "silenceAlarmHours": 24.0}, "uploads:silenceAlarmHours = 24: does nothing with alarms"),
        (
            {"kmsKeyArn": KEY, "alarmTopicArns": ["arn:aws:sns:eu-central-1:123456789012:operators"]},
            "is in the region eu-central-1, and kmsKeyArn in us-east-1: both should be in the stack's",
        ),
        (
            {"kmsKeyArn": KEY, "permissionsBoundaryArn": "arn:aws:iam::210987654321:policy/boundary"},
            "is in the account 210987654321, and kmsKeyArn in 123456789012",
        ),
    ],
)
def test_arguments_that_contradict_each_other_are_refused_before_anything_is_declared(
    values: Mapping[str, object], problem: str
) -> None:
    def program() -> None:
        with pytest.raises(InputPropertiesError, match=problem):
            PackageProvider().construct("uploads", TOKEN, dict(values))

    assert run(StackConfig(project="consumer", stage="dev", values={}), program=program).resources == []


def test_a_name_that_aws_would_not_take_is_refused() -> None:
    with pytest.raises(SettingsError, match="'Uploads', stack 'dev': should be lower-case"):
        build(name="Uploads")


def test_two_pipelines_share_a_program() -> None:
    def program() -> None:
        for name in ("uploads", "invoices"):
            FilePipeline(name, arguments())

    stack = run(StackConfig(project="consumer", stage="dev", values={}), program=program)
    named = [resource.name for resource in stack.resources if resource.type.startswith("aws:")]

    assert len(set(named)) == len(named)
    assert {name.partition("-dev-")[0] for name in named} == {"uploads", "invoices"}
    for kind, key in (("Bucket", "bucket"), ("Function", "name"), ("Role", "name"), ("LogGroup", "name")):
        names = [resource.inputs.get(key) or resource.name for resource in stack.all(kind)]
        assert len(set(map(str, names))) == len(names), kind

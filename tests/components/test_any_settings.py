"""Whatever valid settings a stage has, the program builds and keeps its promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args, get_origin

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi_policy import EnforcementLevel
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from components.settings import Settings, SettingsError
from components.settings.files import MAX_LISTED_BYTES
from tests.conftest import HOST_LAYER, run
from tests.declared_stack import DeclaredStack, dig
from tests.policy import conftest as pack
from tests.stage_files import stage_config

FIELDS: Final = {str(field.alias): field for field in Settings.model_fields.values()}

# Texts have rules that no strategy can be made of: a few of each, next to the default.
TEXTS: Final[Mapping[str, list[str]]] = {
    "owner": ["R+D / Shipping @ 3", "x" * 256],
    "costCenter": ["4711", "Größe:=_.-"],
    "lambdaInsightsLayerArn": ["arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension-Arm64:20"],
    "kmsKeyArn": ["arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "permissionsBoundaryArn": ["arn:aws:iam::123456789012:policy/company/boundary", "arn:aws:iam::aws:policy/ReadOnly"],
    "iamPath": ["/pipelines/", "/a/b.c/"],
    "readersGroup": ["Files.Readers"],
    "writersGroup": ["Files.Writers"],
    "readScope": ["files/ask"],
    "writeScope": ["files/send"],
    "jwtIssuer": ["https://login.example.com/tenant/v2.0"],
    "jwtGroupsClaim": ["roles"],
    "jwtScopesClaim": ["scp"],
    "recordSchemas": ["tests/stages/schemas"],
    "deliveryEndpoint": ["https://receiver.example.com/files", "https://a.example:8443/?source=a&b"],
}
LISTS: Final[Mapping[str, list[list[str]]]] = {
    "corsOrigins": [["*"], ["https://app.example.com", "https://*.example.com:8443", "http://localhost:3000"]],
    "apiCorsOrigins": [["*"], ["https://app.example.com", "http://localhost"]],
    "allowedExtensions": [[".csv"], [f".x{number}" for number in range(64)]],
    "refusedPrefixes": [[], [f"folder {number}/" for number in range(32)]],
    "recordTypes": [[], ["uploads/=shipment"], ["uploads/a/=shipment", "uploads/a/b/=shipment"]],
    "threatProtectionSkippedRanges": [["10.0.0.0/8", "192.0.2.1/32"]],
    "tags": [["Team=orders"], [f"key {number}=" for number in range(44)]],
    "subnetIds": [["subnet-0123456789abcdef0", "subnet-01234567"]],
    "securityGroupIds": [["sg-0123456789abcdef0"]],
    "jwtAudiences": [["api://file-pipeline", "other"]],
    "alarmTopicArns": [["arn:aws:sns:eu-central-1:123456789012:operators"]],
    "alertEmails": [["ops@example.com"], ["ops@example.com", "night@example.com"]],
}

BROKEN_ON_PURPOSE: Final[Mapping[str, Callable[[Settings], bool]]] = {
    # What a team may want in a stage of its own, and production's guardrails refuse.
    "production-retained": lambda settings: not settings.retain_data,
    "api-origins-named": lambda settings: settings.api and "*" in settings.api_cors_origins,
}
"""Mandatory rules that a valid setting breaks in production: it is the pack that stops it, not the program."""

_DOES_NOTHING: Final = re.compile(r"(\w+) = [^\n]*: does nothing ")

LAMBDA_ENVIRONMENT_BYTES: Final = 4096
"""All variables of a function together (Lambda quotas)."""


def values(key: str, field: FieldInfo) -> st.SearchStrategy[object]:
    """What a setting may be, from its type and bounds; the bounds and the default more often than their share."""
    if key in TEXTS or key in LISTS:
        return st.sampled_from([field.default, *TEXTS.get(key, LISTS.get(key, []))])
    if field.annotation is bool:
        return st.booleans()
    if get_origin(field.annotation) is Literal:
        return st.sampled_from(get_args(field.annotation))
    assert field.annotation is int, f"{key}: say in TEXTS or LISTS what it may be"
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    least, most = bounds["ge"], bounds.get("le", 100 * max(field.default, 1))
    return st.sampled_from([least, most, field.default]) | st.integers(least, most)


@st.composite
def valid_settings(draw: st.DrawFn, stage: str) -> dict[str, object]:
    """Settings of which any number differ from the stage's; of those that contradict each other, the stage's.

    What the stage sets and would do nothing beside the others is taken out.
    """
    own = {key.partition(":")[2] for key in stage_config(stage).values}
    keys = draw(st.permutations(sorted(FIELDS.keys() - HOST_LAYER.keys())))
    drawn = {key: draw(values(key, FIELDS[key])) for key in keys[: draw(st.integers(1, len(keys)))]}
    while True:
        try:
            checked(stage, drawn)
        except ValidationError as error:
            wrong = error
        else:
            return drawn
        messages = [detail["msg"] for detail in wrong.errors()]
        idle = {key for message in messages for key in _DOES_NOTHING.findall(message)}
        named = {key for key in drawn if any(key in message for message in messages)}
        assert idle or named, f"the message names none of its settings: {wrong}"
        drawn = {key: value for key, value in drawn.items() if key not in (idle or named)}
        drawn |= dict.fromkeys(idle & own)


def checked(stage: str, changed: dict[str, object]) -> Settings:
    config = stage_config(stage)
    own = {key.partition(":")[2]: text for key, text in config.values.items() if key.startswith(config.project)}
    typed: dict[str, object] = {
        key: text if isinstance(FIELDS[key].default, str) else json.loads(text) for key, text in own.items()
    }
    return Settings.model_validate({key: value for key, value in (typed | changed).items() if value is not None})


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["dev", "prod"])
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_program_builds_and_keeps_its_promises(stage: str, data: st.DataObject) -> None:
    changed = data.draw(valid_settings(stage))

    declared = run(stage_config(stage, {**changed, **HOST_LAYER}))

    urns = [resource.urn for resource in declared.resources]
    assert len(set(urns)) == len(urns)
    assert broken(declared) == expected(stage, checked(stage, changed))
    assert environment_bytes(declared) <= LAMBDA_ENVIRONMENT_BYTES
    secrets = {key for key, value in declared.engine_outputs.items() if pulumi.runtime.rpc.is_rpc_secret(value)}
    assert secrets == {key for key in declared.engine_outputs if "Password" in key or "Secret" in key}


def broken(declared: DeclaredStack) -> set[str]:
    found = pack.run(*pack.given(declared.resources))
    return {rule for rule, _, policy in found if policy.enforcement_level is EnforcementLevel.MANDATORY}


def expected(stage: str, settings: Settings) -> set[str]:
    return {rule for rule, holds in BROKEN_ON_PURPOSE.items() if stage == "prod" and holds(settings)}


def environment_bytes(declared: DeclaredStack) -> int:
    """Bytes of the function that has the most."""
    environments = [dig(function.inputs, "environment", "variables") for function in declared.all("Function")]
    return max(
        sum(len(f"{name}{value}".encode()) for name, value in variables.items())
        for variables in environments
        if isinstance(variables, dict)
    )


LONGEST: Final = {
    "threatProtection": None,
    "deliveryEndpoint": "https://receiver.example.com/" + "x" * 2000,
    "jwtIssuer": "https://login.example.com/" + "x" * 2000,
    "jwtAudiences": ["x" * 1024],
    **{
        key: letter * 128
        for letter, key in zip(
            "abcdef",
            ("readersGroup", "writersGroup", "readScope", "writeScope", "jwtGroupsClaim", "jwtScopesClaim"),
            strict=True,
        )
    },
}
"""What else a function's environment holds, as long as it may be."""


def test_lists_may_be_as_long_as_a_functions_environment_takes() -> None:
    """At their limit, beside the longest of all else."""
    rest = {"refusedPrefixes": ["temp/"], "allowedExtensions": [".csv"], "recordTypes": ["uploads//=shipment"]}
    length = MAX_LISTED_BYTES - sum(len(json.dumps(value)) for value in rest.values())
    listed = {**rest, "recordTypes": [f"uploads/{'x' * length}/=shipment"]}

    declared = run(stage_config("prod", {**listed, **HOST_LAYER, **LONGEST}))

    assert environment_bytes(declared) <= LAMBDA_ENVIRONMENT_BYTES
    with pytest.raises(SettingsError, match="have 2501 bytes together; should have 2500 bytes at most"):
        run(stage_config("prod", {**listed, "refusedPrefixes": ["temps/"]}))

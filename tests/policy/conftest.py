"""The policies as Pulumi's engine runs them: on what the program declares, with no CLI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_policy import (
    Policy,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.guardrails import GUARDRAILS
from tests.declared_stack import Declared

TAGS = {
    "Environment": "dev",
    "Project": "file-pipeline",
    "ManagedBy": "Pulumi",
    "Owner": "data-platform",
    "CostCenter": "data-platform-dev",
    "Backup": "false",
}


@dataclass(frozen=True, kw_only=True)
class Given:
    """A resource that a test gives to the policies."""

    type: str
    name: str = "thing"
    properties: Mapping[str, object] = field(default_factory=dict)
    protect: bool = False
    stage: str = "dev"
    sources: Mapping[str, list[Given]] = field(default_factory=dict)
    provider: Mapping[str, object] = field(default_factory=lambda: {"defaultTags": json.dumps({"tags": TAGS})})
    declared_urn: str = ""

    @property
    def urn(self) -> str:
        return self.declared_urn or f"urn:pulumi:{self.stage}::file-pipeline::{self.type}::{self.name}"


def violations(*resources: Given) -> set[str]:
    """The rules that are broken: ``rule: complaint``."""
    found = {f"{rule}: {message}" for rule, message, _ in run(*resources)}
    return {entry for entry in found if entry}


def broken(*resources: Given) -> set[str]:
    """The names of the rules that are broken."""
    return {rule for rule, _, _ in run(*resources)}


def run(*resources: Given) -> list[tuple[str, str, Policy]]:
    """Hand every resource, and then all of them as a stack, to every policy."""
    found: list[tuple[str, str, Policy]] = []
    for policy in GUARDRAILS:

        def report(message: str, _urn: str | None = None, policy: Policy = policy) -> None:
            found.append((policy.name, message, policy))

        if isinstance(policy, ResourceValidationPolicy):
            for resource in resources:
                policy.validate(_args(resource), report)
        if isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs(_link(resources)), report)
    return found


def given(resources: list[Declared]) -> list[Given]:
    """What the program declared, for the policies."""
    providers = {r.urn: r.inputs for r in resources if r.type == "pulumi:providers:aws"}
    made = {
        resource.urn: Given(
            type=resource.type,
            name=resource.name,
            declared_urn=resource.urn,
            properties=resource.inputs,
            protect=resource.protect,
            provider=providers.get(resource.provider.rpartition("::")[0], {}),
        )
        for resource in resources
    }
    for resource in resources:
        sources = {name: [made[urn] for urn in urns if urn in made] for name, urns in resource.sources.items()}
        object.__setattr__(made[resource.urn], "sources", sources)
    return list(made.values())


def _args(resource: Given) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.type, _seen(resource.properties), resource.urn, resource.name, _options(resource), _provider(resource)
    )


def _link(resources: tuple[Given, ...]) -> list[PolicyResource]:
    """Link the resources of a stack to each other, as the engine does."""
    linked = {
        resource.urn: PolicyResource(
            resource.type,
            _seen(resource.properties),
            resource.urn,
            resource.name,
            _options(resource),
            _provider(resource),
            None,
            [],
            {},
        )
        for resource in resources
    }
    for resource in resources:
        for name, sources in resource.sources.items():
            linked[resource.urn].property_dependencies[name] = [
                linked[source.urn] for source in sources if source.urn in linked
            ]
    return list(linked.values())


def _seen(properties: Mapping[str, object]) -> Mapping[str, object]:
    """Properties as a policy sees them: one that is not known yet cannot be read."""
    seen: dict[str, object] = unknown_checking_proxy({name: _mark(value) for name, value in properties.items()})
    return seen


def _mark(value: object) -> object:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {name: _mark(entry) for name, entry in value.items()}
    return [_mark(entry) for entry in value] if isinstance(value, list) else value


def _options(resource: Given) -> PolicyResourceOptions:
    return PolicyResourceOptions(resource.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def _provider(resource: Given) -> PolicyProviderResource | None:
    if not resource.type.startswith("aws:"):
        return None
    return PolicyProviderResource("pulumi:providers:aws", _seen(resource.provider), "urn:provider", "aws")

"""What the program declares: resources, their inputs and options, and the stack's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    pass


Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"


PolicyStatement: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One declared resource: its inputs in camel case, and the options that matter."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Json]
    options: Mapping[str, Json]
    """All that the engine is told beside the inputs, by the engine's names, where it is not the default."""

    provider: str
    protect: bool
    retain_on_delete: bool
    ignore_changes: list[str]
    dependencies: list[str]
    sources: Mapping[str, list[str]]
    """Property → URNs of the resources that its value comes from."""

    def text(self, key: str) -> str:
        value = self.inputs[key]
        assert isinstance(value, str), (self.name, key, value)
        return value

    def number(self, key: str) -> float:
        value = self.inputs[key]
        assert isinstance(value, int | float), (self.name, key, value)
        return value

    def part(self, key: str) -> dict[str, Json]:
        value = self.inputs[key]
        assert isinstance(value, dict), (self.name, key, value)
        return value

    def parts(self, key: str) -> list[dict[str, Json]]:
        value = self.inputs[key]
        assert isinstance(value, list), (self.name, key, value)
        return [part for part in value if isinstance(part, dict)]

    def statements(self, key: str = "policy") -> dict[str, PolicyStatement]:
        """The statements of a policy document, by their Sid."""
        document = json.loads(self.text(key))
        assert document["Version"] == "2012-10-17"
        return {statement["Sid"]: statement for statement in document["Statement"]}


@dataclass(frozen=True, kw_only=True)
class DeclaredStack:
    """All that the program declares for a stage."""

    stage: str
    resources: list[Declared] = field(default_factory=list)
    outputs: dict[str, object] = field(default_factory=dict)
    engine_outputs: dict[str, Json] = field(default_factory=dict)
    """The stack's outputs as the engine gets them: secret ones bear its mark."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each function of a provider that the program called, and which provider."""

    def all(self, kind: str) -> list[Declared]:
        """Every AWS resource of a kind, such as Bucket."""
        return [r for r in self.resources if r.type.startswith("aws:") and r.type.endswith(f":{kind}")]

    def provider(self) -> Declared:
        """The stack's own AWS provider."""
        (provider,) = [r for r in self.resources if r.type == "pulumi:providers:aws"]
        return provider

    def one(self, kind: str, name: str = "") -> Declared:
        """The only resource of a kind, or the only one whose name ends in `name`."""
        found = [resource for resource in self.all(kind) if resource.name.endswith(name)]
        assert len(found) == 1, (kind, name, [resource.name for resource in found])
        return found[0]


def dig(value: object, *path: str | int) -> object:
    """What stands at `path` in nested inputs; None where the last step is missing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(str(step))
        else:
            assert isinstance(value, list), (path, value)
            value = value[int(step)]
    return value


def texts(value: object) -> list[str]:
    """A policy's one text or list of texts, as a list."""
    return [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []

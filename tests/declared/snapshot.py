"""What the program declares for a stage, as text that a person can review."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pulumi
import yaml
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from tests.conftest import declare
from tests.declared_stack import Declared, DeclaredStack

FOLDER: Final = Path(__file__).parent
COMMAND: Final = "make declared"

_HASH: Final = re.compile(r"-[0-9a-f]{16}(?=\.zip$)")


def path_of(stage: str) -> Path:
    return FOLDER / f"{stage}.yaml"


def snapshot(stage: str) -> str:
    """All that the program declares for a stage; for `prod-…`, all that is not as in `prod`."""
    base, departs, _ = stage.partition("-")
    declared, compared = _Snapshot(declare(stage)), _Snapshot(declare(base))
    head = f"# What the program declares for the stage {stage} of the tests. Written by `{COMMAND}`; to be reviewed.\n"
    if not departs:
        return head + _dump(declared.outputs, declared.resources)
    head += f"# Outputs and resources that are not here are as in {base}.yaml.\n"
    return head + _dump(
        _departing(declared.outputs, compared.outputs), _departing(declared.resources, compared.resources)
    )


def _departing(own: Mapping[str, object], base: Mapping[str, object]) -> dict[str, object]:
    gone = dict.fromkeys(base.keys() - own.keys(), "is not there")
    return {key: value for key, value in own.items() if base.get(key) != value} | gone


class _Snapshot:
    """A declared stack without what is the same in no two builds: names of the stage, hashes of archives."""

    def __init__(self, stack: DeclaredStack) -> None:
        self._stage = re.compile(rf"\b{re.escape(stack.stage)}\b")
        self._provider = stack.provider().urn
        self.outputs = {name: self._plain(value) for name, value in stack.engine_outputs.items()}
        self.resources = {self._key(resource.urn): self._resource(resource) for resource in stack.resources}
        assert len(self.resources) == len(stack.resources), "two resources have one URN"

    def _resource(self, resource: Declared) -> dict[str, object]:
        made_of = {urn for urns in resource.sources.values() for urn in urns}
        options: dict[str, object] = {
            **resource.options,
            # What a property's value comes from is seen in the property.
            "dependencies": sorted(self._key(urn) for urn in resource.dependencies if urn not in made_of),
        }
        for name in ("provider", "providers"):
            # Only another than the stack's own is worth a word.
            if self._provider in str(options.get(name)):
                del options[name]
        parent = self._text(str(options.pop("parent")).rpartition("::")[2])
        set_options = {name: value for name, value in options.items() if value}
        inputs = self._plain(dict(resource.inputs))
        if isinstance(inputs, dict) and "sourceCodeHash" in inputs:
            inputs["sourceCodeHash"] = "of the archive"
        parts = {"parent": parent, "options": self._plain(set_options), "inputs": inputs}
        return {name: part for name, part in parts.items() if part}

    def _key(self, urn: str) -> str:
        """The URN without what all have in common."""
        return self._text("::".join(urn.split("::")[2:]))

    def _plain(self, value: object) -> object:
        if is_rpc_secret(value):
            return {"secret": self._plain(unwrap_rpc_secret(value))}
        if isinstance(value, pulumi.FileArchive):
            return {"archive": _HASH.sub("", value.path)}
        if isinstance(value, dict):
            return {key: self._plain(entry) for key, entry in sorted(value.items())}
        if isinstance(value, list):
            return [self._plain(entry) for entry in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return self._document(value) if isinstance(value, str) else value

    def _document(self, text: str) -> object:
        """A policy or another document as what it says, any other text as it is."""
        try:
            document = json.loads(text)
        except ValueError:
            return self._text(text)
        return {"json": self._plain(document)} if isinstance(document, dict | list) else self._text(text)

    def _text(self, value: str) -> str:
        return self._stage.sub("STAGE", value)


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _dump(outputs: Mapping[str, object], resources: Mapping[str, object]) -> str:
    document = {
        "outputs": dict(sorted(outputs.items())),
        "resources": [
            {"resource": key, **value} if isinstance(value, dict) else {"resource": f"{key} {value}"}
            for key, value in sorted(resources.items())
        ],
    }
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, width=120, sort_keys=False)

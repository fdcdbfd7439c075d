"""The config of a stack, put together from its files as the Pulumi CLI does it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

ROOT = Path(__file__).resolve().parents[1]

_BOOLEAN_TAG: Final = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as the Pulumi CLI reads it: on, off, yes and no are text, and only true and false are booleans."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN_TAG]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_BOOLEAN_TAG, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(path: Path) -> dict[str, dict[str, object]]:
    """Read one of Pulumi's files, as the Pulumi CLI does."""
    loader = _Loader(path.read_text())
    try:
        document: dict[str, dict[str, object]] = loader.get_single_data()
    finally:
        loader.dispose()
    return document


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """What the Pulumi CLI would hand to the program.

    Parameters
    ----------
    project, stage
        The project and the stack.
    values
        ``namespace:key`` → text; lists and objects as JSON.
    """

    project: str
    stage: str
    values: Mapping[str, str]

    @classmethod
    def load(
        cls, stage: str, overrides: Mapping[str, object] | None = None, *, folder: Path | None = None
    ) -> StackConfig:
        """Read Pulumi.yaml's defaults and ``Pulumi.<stage>.yaml``.

        Parameters
        ----------
        stage
            The stack.
        overrides
            Values on top, by their key in the project's namespace or with another namespace in front. None: as if the
            stack's file did not set it.
        folder
            Where the files are; None: this project.
        """
        files = folder or ROOT
        project_file, stack_file = read_yaml(files / "Pulumi.yaml"), read_yaml(files / f"Pulumi.{stage}.yaml") or {}
        project, schema, settings = str(project_file["name"]), project_file.get("config"), stack_file.get("config")
        defaults = {key: entry["default"] for key, entry in _mapping(schema).items()}
        values: dict[str, str] = {}
        out = {_full(project, key) for key, value in (overrides or {}).items() if value is None}
        given = {key: value for key, value in (overrides or {}).items() if value is not None}
        own = {key: value for key, value in _mapping(settings).items() if _full(project, key) not in out}
        for layer in (defaults, own, given):
            values |= {_full(project, key): _text(value) for key, value in layer.items()}
        return cls(project=project, stage=stage, values=values)


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _mapping(block: object) -> dict[str, dict[str, object]]:
    if not isinstance(block, dict | None):
        raise TypeError(f"config = {block!r}: should be a mapping")
    return block or {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)

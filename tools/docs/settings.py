"""Every setting, as the documents describe it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from components.settings import Settings

Kind: TypeAlias = Literal["boolean", "integer", "array", "string"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    Attributes
    ----------
    key, name
        Its name in a stage's file, and in Python.
    kind
        The type of its value, by the names of Pulumi's config schema. An array is one of texts.
    description
        What it does, and which values are allowed.
    default
        Its value where a stage sets none.
    """

    key: str
    name: str
    kind: Kind
    description: str
    default: object


def settings() -> Iterator[Setting]:
    """Return every setting, in the order of the table."""
    for name, field in Settings.model_fields.items():
        default: object = field.default
        key, description = str(field.alias), _describe(field)
        yield Setting(key=key, name=name, kind=_kind(default), description=description, default=default)


def project_config() -> str:
    """Return the ``config`` block of Pulumi.yaml: every setting, typed, described and defaulted."""
    block = {
        setting.key: {
            "type": setting.kind,
            **({"items": {"type": "string"}} if setting.kind == "array" else {}),
            "description": setting.description,
            "default": setting.default,
        }
        for setting in settings()
    }
    return yaml.safe_dump({"config": block}, sort_keys=False, width=116, allow_unicode=True)


def settings_table() -> str:
    """Return the table of every setting."""
    lines = ["| setting | what it does | default |", "|---|---|---|"]
    lines += [f"| `{each.key}` | {each.description} | `{json.dumps(each.default)}` |" for each in settings()]
    return "\n".join(lines) + "\n"


def _kind(default: object) -> Kind:
    if isinstance(default, bool):
        return "boolean"
    if isinstance(default, int):
        return "integer"
    return "array" if isinstance(default, list) else "string"


def _describe(field: FieldInfo) -> str:
    """Return the description and, from the constraints, what is allowed."""
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if get_origin(field.annotation) is Literal:
        allowed = " Allowed: " + ", ".join(str(value) for value in get_args(field.annotation)) + "."
    elif bounds:
        allowed = f" Allowed: {bounds['ge']} to {bounds['le']}." if "le" in bounds else f" At least {bounds['ge']}."
    else:
        allowed = ""
    return f"{field.description}{allowed}"

"""Every setting, as the documents describe it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from bootstrap.settings import BootstrapSettings
from components.settings import Settings
from components.settings.needs import NEEDS
from components.settings.values import Group

Kind: TypeAlias = Literal["boolean", "integer", "array", "string"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    Attributes
    ----------
    key, name
        Its name in a stage's file, and in Python.
    group
        Those that it belongs to.
    kind
        The type of its value, by the names of Pulumi's config schema. An array is one of texts.
    description
        What it does, and which values are allowed.
    default
        Its value where a stage sets none. None: each must set one.
    """

    key: str
    name: str
    group: type[Group]
    kind: Kind
    description: str
    default: object


def settings(model: type[Group] = Settings) -> Iterator[Setting]:
    """Return every setting, in the order of the table."""
    groups = {name: group for group in model.__mro__ if issubclass(group, Group) for name in group.__annotations__}
    for name, field in model.model_fields.items():
        default: object = None if field.is_required() else field.default
        yield Setting(
            key=str(field.alias),
            name=name,
            group=groups[name],
            kind=_kind(field),
            description=_describe(field),
            default=default,
        )


def project_config(model: type[Group] = Settings) -> str:
    """Return the ``config`` block of Pulumi.yaml: every setting, typed, described and defaulted."""
    block = {
        setting.key: {
            "type": setting.kind,
            **({"items": {"type": "string"}} if setting.kind == "array" else {}),
            "description": setting.description,
            **({} if setting.default is None else {"default": setting.default}),
        }
        for setting in settings(model)
    }
    return yaml.safe_dump({"config": block}, sort_keys=False, width=116, allow_unicode=True)


def settings_table() -> str:
    """Return a table for each group of settings."""
    lines: list[str] = []
    for group, members in groupby(settings(), key=lambda setting: setting.group):
        lines += [f"\n### {group.__name__.removesuffix('Group').replace('Api', 'API')}\n", f"{group.__doc__}\n"]
        lines += _rows(members)
    return "\n".join([*lines, *_needs_table()]) + "\n\n"


def bootstrap_table() -> str:
    """Return a table of the bootstrap's settings."""
    return "\n".join(_rows(settings(BootstrapSettings))) + "\n"


def _rows(members: Iterable[Setting]) -> Iterator[str]:
    yield "| setting | what it does | default |"
    yield "|---|---|---|"
    for each in members:
        default = "" if each.default is None else f"`{json.dumps(each.default)}`"
        yield f"| `{each.key}` | {each.description} | {default} |"


def _needs_table() -> Iterator[str]:
    """Yield the table of what does nothing without another setting."""
    yield "\n### Settings that need another\n"
    yield "One that would do nothing is refused, unless it has its default's value.\n"
    yield "| setting | does nothing | what to do, or take the setting out |"
    yield "|---|---|---|"
    for need in NEEDS:
        keys = ", ".join(f"`{setting.key}`" for setting in settings() if setting.name in need.fields)
        yield f"| {keys} | {need.otherwise} | {need.way} |"


def _kind(field: FieldInfo) -> Kind:
    """Return what Pulumi is to take: of a setting that has to be set there is no default that would say it."""
    if get_origin(field.annotation) is list:
        return "array"
    if isinstance(field.default, bool):
        return "boolean"
    return "integer" if isinstance(field.default, int) else "string"


def _describe(field: FieldInfo) -> str:
    """Return the description and, from the constraints, what is allowed, unless it says so itself."""
    description = field.description or ""
    if "Allowed: " in description:
        return description
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if get_origin(field.annotation) is Literal:
        allowed = " Allowed: " + ", ".join(str(value) for value in get_args(field.annotation)) + "."
    elif "le" in bounds:
        allowed = f" Allowed: {bounds['ge']} to {bounds['le']}."
    elif bounds.get("ge"):
        allowed = f" Minimum: {bounds['ge']}."
    else:
        allowed = ""
    return f"{description}{allowed}"

"""Resources as a rule sees them, and values that a preview does not know yet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from pulumi_policy.proxy import UnknownValueError

PRODUCTION_WORDS: Final = frozenset({"prod", "production", "live"})
"""The data of a stack outlives it if its name is one of these, or holds one between dashes, dots or underscores."""


class Unknown(Enum):
    """A value that is only known once its resource has been made."""

    UNKNOWN = auto()


UNKNOWN: Final = Unknown.UNKNOWN
"""Nothing is said against such a value: the same rule sees it again, known, when the stack is updated."""


def look(value: object, *path: str | int) -> object:
    """Return the value at `path` in nested properties: None where it is missing, `UNKNOWN` where it is not known."""
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        try:
            if isinstance(step, int):
                value = value[step] if isinstance(value, Sequence) else None
            else:
                value = value[step] if isinstance(value, Mapping) else None
        except (KeyError, IndexError):
            return None
        except UnknownValueError:
            return UNKNOWN
    return value


def elements(value: object) -> list[object]:
    """Return the elements of a list, each of which may be `UNKNOWN`; none for what is no list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [look(value, number) for number in range(len(value))]


def is_set(value: object) -> bool:
    """Tell whether a value is there: not missing, not empty, not false. An unknown value is."""
    return value is UNKNOWN or bool(value)


def is_on(value: object) -> bool:
    """Tell whether a switch is on, or not known yet."""
    return value is UNKNOWN or value is True


def is_one_of(value: object, *allowed: str) -> bool:
    """Tell whether a value is one of those allowed, or not known yet."""
    return value is UNKNOWN or value in allowed


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A declared resource.

    Parameters
    ----------
    type, name, urn
        Which it is.
    properties
        Its inputs, or, for a rule on the whole stack, its outputs.
    protect
        Whether Pulumi refuses to delete it.
    provider
        The properties of its provider; None for what has none.
    sources
        Property → URNs of the resources that its value comes from, which a preview knows too.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, object]
    protect: bool = False
    provider: Mapping[str, object] | None = None
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def at(self, *path: str | int) -> object:
        """Return the property at `path`, as `look` does."""
        return look(self.properties, *path)

    def comes_from(self, name: str, other: Resource) -> bool:
        """Tell whether the property `name` is made of an output of `other`."""
        return other.urn in self.sources.get(name, frozenset())

    @property
    def stage(self) -> str:
        """The stack that it belongs to: ``urn:pulumi:<stack>::<project>::…``."""
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    @property
    def project(self) -> str:
        """The project that it belongs to."""
        return self.urn.split("::")[1]

    @property
    def is_production(self) -> bool:
        """Whether its data outlives its stack."""
        return not PRODUCTION_WORDS.isdisjoint(re.split(r"[-._]", self.stage.lower()))


PIPELINE: Final = "pipeline:index:Pipeline"
"""The component that all of the pipeline belongs to: it says what was brought to it."""


class Stack:
    """All resources of a stack.

    Parameters
    ----------
    resources
        The resources.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = resources

    def all(self, *types: str) -> list[Resource]:
        """Return the resources of some types."""
        return [resource for resource in self.resources if resource.type in types]

    def brings(self, name: str, value: object) -> bool:
        """Tell whether the pipeline says that it was given `value`, such as a key of the company's own."""
        return any(is_set(value) and pipeline.at(name) == value for pipeline in self.all(PIPELINE))

    def pointing_at(self, target: Resource, kind: str, name: str) -> list[Resource]:
        """Return the resources of type `kind` whose property `name` is made of an output of `target`."""
        return [resource for resource in self.all(kind) if resource.comes_from(name, target)]

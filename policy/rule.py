"""What every rule is made of: a resource as a policy sees it, and values that a preview may not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

PRODUCTION_WORDS: Final = frozenset({"prod", "production", "live"})
"""The data of a stack outlives it if its name is one of these, or holds one between dashes, dots or underscores."""

EVERY_TYPE: Final = frozenset({"*"})
"""For a rule on all resources, whatever they are and whoever provides them."""

AWS_TYPES: Final = frozenset({"aws:*"})
"""For a rule on all resources of AWS."""


class Unknown(Enum):
    """A value that is only known once its resource has been made."""

    UNKNOWN = auto()


UNKNOWN: Final = Unknown.UNKNOWN
"""Nothing is said against such a value: the same rule sees it again, known, when the stack is updated."""


def look(value: object, *path: str | int) -> object:
    """Return what stands at `path` in nested properties: None where it is missing, `UNKNOWN` where it is not known."""
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

    def pointing_at(self, target: Resource, kind: str, name: str) -> list[Resource]:
        """Return the resources of type `kind` whose property `name` is made of an output of `target`."""
        return [resource for resource in self.all(kind) if resource.comes_from(name, target)]


Check: TypeAlias = Callable[[Resource], Iterator[str]]
"""Says what is wrong with one resource."""

StackCheck: TypeAlias = Callable[[Stack], Iterator[tuple[Resource, str]]]
"""Says what is wrong with which resource, among all of a stack."""


def resource_rule(name: str, description: str, types: Collection[str], check: Check) -> ResourceValidationPolicy:
    """Make a mandatory rule for each resource of some types, of `AWS_TYPES` or of `EVERY_TYPE`."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        package = args.resource_type.partition(":")[0]
        if not {args.resource_type, f"{package}:*", "*"}.isdisjoint(types):
            for complaint in check(_of_args(args)):
                report(f"{args.name}: {complaint}", args.urn)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def stack_rule(
    name: str, description: str, check: StackCheck, level: EnforcementLevel = EnforcementLevel.MANDATORY
) -> StackValidationPolicy:
    """Make a rule on how the resources of a stack go together."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for resource, complaint in check(Stack([_of_resource(resource) for resource in args.resources])):
            report(f"{resource.name}: {complaint}", resource.urn)

    return StackValidationPolicy(name, description, validate, level)


def _of_args(args: ResourceValidationArgs) -> Resource:
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        properties=args.props,
        protect=args.opts.protect,
        provider=args.provider.props if args.provider else None,
    )


def _of_resource(resource: PolicyResource) -> Resource:
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        urn=resource.urn,
        properties=resource.props,
        protect=resource.opts.protect,
        provider=resource.provider.props if resource.provider else None,
        sources={
            name: frozenset(source.urn for source in sources)
            for name, sources in resource.property_dependencies.items()
        },
    )

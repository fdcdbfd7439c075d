"""How a rule is written: a function whose name and docstring are the rule's own, and which yields complaints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

from policy.resource import Resource, Stack

EVERY_TYPE: Final = "*"
"""For a rule on all resources, whatever they are and whoever provides them."""

AWS_TYPES: Final = "aws:*"
"""For a rule on all resources of AWS."""

StackComplaints: TypeAlias = Iterator[tuple[Resource, str]]
"""What is wrong with which resource, among all of a stack."""


def resource_rule(*types: str) -> Callable[[Callable[[Resource], Iterator[str]]], ResourceValidationPolicy]:
    """Make a mandatory rule for each resource of some types, of `AWS_TYPES` or of `EVERY_TYPE`."""

    def make(check: Callable[[Resource], Iterator[str]]) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            package = args.resource_type.partition(":")[0]
            if not {args.resource_type, f"{package}:*", "*"}.isdisjoint(types):
                for complaint in check(_of_args(args)):
                    report(f"{args.name}: {complaint}", args.urn)

        return ResourceValidationPolicy(*_title(check), validate, EnforcementLevel.MANDATORY)

    return make


def stack_rule(
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
) -> Callable[[Callable[[Stack], StackComplaints]], StackValidationPolicy]:
    """Make a rule on how the resources of a stack go together."""

    def make(check: Callable[[Stack], StackComplaints]) -> StackValidationPolicy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for resource, complaint in check(Stack([_of_resource(resource) for resource in args.resources])):
                report(f"{resource.name}: {complaint}", resource.urn)

        return StackValidationPolicy(*_title(check), validate, level)

    return make


def _title(check: object) -> tuple[str, str]:
    """Return a rule's name, and its promise: the first paragraph of the docstring, on one line."""
    name: str = getattr(check, "__name__", "")
    return name.replace("_", "-"), " ".join((check.__doc__ or "").partition("\n\n")[0].split())


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

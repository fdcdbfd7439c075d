"""Every function is traced, logs as JSON to a group of its own, has a role of its own, and cannot call itself."""

from __future__ import annotations

from collections.abc import Iterator

from policy.resource import UNKNOWN, Resource, Stack, elements, is_one_of
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule


@resource_rule(Type.FUNCTION)
def functions_as_agreed(function: Resource) -> Iterator[str]:
    """Functions run on arm64, are traced, and log as JSON."""
    if not is_one_of(function.at("tracingConfig", "mode"), "Active"):
        yield "tracingConfig.mode is not Active"
    architectures = function.at("architectures")
    if architectures is not UNKNOWN and elements(architectures) not in (["arm64"], [UNKNOWN]):
        yield "architectures is not arm64"
    if not is_one_of(function.at("loggingConfig", "logFormat"), "JSON"):
        yield "loggingConfig.logFormat is not JSON"


@stack_rule()
def functions_own_role_and_logs(stack: Stack) -> StackComplaints:
    """Each function has a role and a log group of its own."""
    for function in stack.all(Type.FUNCTION):
        groups = [group for group in stack.all(Type.LOG_GROUP) if _logs_to(function, group)]
        if not groups:
            yield function, "logs to no group of this stack: Lambda's own would have no key and no retention"
        for other in stack.all(Type.FUNCTION):
            if other is function:
                continue
            if any(_logs_to(other, group) for group in groups):
                yield function, f"shares its log group with {other.name}"
            if any(
                function.comes_from("role", role) and other.comes_from("role", role) for role in stack.all(Type.ROLE)
            ):
                yield function, f"shares its role with {other.name}"


def _logs_to(function: Resource, group: Resource) -> bool:
    return function.comes_from("loggingConfig", group)


@stack_rule()
def functions_guarded_from_loops(stack: Stack) -> StackComplaints:
    """A function that starts itself is stopped."""
    for function in stack.all(Type.FUNCTION):
        guards = stack.pointing_at(function, Type.FUNCTION_RECURSION, "functionName")
        if not any(is_one_of(guard.at("recursiveLoop"), "Terminate") for guard in guards):
            yield function, "has no FunctionRecursionConfig that terminates loops"

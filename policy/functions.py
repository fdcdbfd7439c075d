"""Every function is traced, logs as JSON to a group of its own, has a role of its own, and cannot call itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, Stack, elements, is_one_of, resource_rule, stack_rule


def _runs_as_agreed(function: Resource) -> Iterator[str]:
    if not is_one_of(function.at("tracingConfig", "mode"), "Active"):
        yield "tracingConfig.mode is not Active"
    architectures = function.at("architectures")
    if architectures is not UNKNOWN and elements(architectures) not in (["arm64"], [UNKNOWN]):
        yield "architectures is not arm64"
    if not is_one_of(function.at("loggingConfig", "logFormat"), "JSON"):
        yield "loggingConfig.logFormat is not JSON"


def _has_its_own(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for function in stack.all(types.FUNCTION):
        groups = [group for group in stack.all(types.LOG_GROUP) if _logs_to(function, group)]
        if not groups:
            yield function, "logs to no group of this stack: Lambda's own would have no key and no retention"
        for other in stack.all(types.FUNCTION):
            if other is function:
                continue
            if any(_logs_to(other, group) for group in groups):
                yield function, f"shares its log group with {other.name}"
            if any(
                function.comes_from("role", role) and other.comes_from("role", role) for role in stack.all(types.ROLE)
            ):
                yield function, f"shares its role with {other.name}"


def _logs_to(function: Resource, group: Resource) -> bool:
    return function.comes_from("loggingConfig", group)


def _does_not_recur(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for function in stack.all(types.FUNCTION):
        guards = stack.pointing_at(function, types.FUNCTION_RECURSION, "functionName")
        if not any(is_one_of(guard.at("recursiveLoop"), "Terminate") for guard in guards):
            yield function, "has no FunctionRecursionConfig that terminates loops"


RULES: Final = (
    resource_rule(
        "functions-as-agreed",
        "Functions run on arm64, are traced, and log as JSON.",
        {types.FUNCTION},
        _runs_as_agreed,
    ),
    stack_rule("functions-own-role-and-logs", "Each function has a role and a log group of its own.", _has_its_own),
    stack_rule("functions-guarded-from-loops", "A function that starts itself is stopped.", _does_not_recur),
)

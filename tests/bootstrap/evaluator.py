"""Judges a request by IAM's own rules (IAM User Guide, Policy evaluation logic), for one account and its roles.

A denial in any policy counts first; then an identity policy must allow the request, and the boundary, where there is
one, must allow it too. It knows the condition operators that the policies use, and stops at any other. What a request
says counts only where AWS sends it: `condition_keys` has which keys come with which actions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from policy.documents import PolicyStatement, read_document
from tests.bootstrap.condition_keys import OF_RESOURCES, SENT_WITH


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call: what, on what, and what else the request says. Condition keys in any case, each with one value."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> Mapping[str, str]:
        """What AWS sends of the context, by keys in lower case."""
        return {key.lower(): value for key, value in self.context.items() if self._sends(key.lower().partition("/")[0])}

    def _sends(self, key: str) -> bool:
        resources = OF_RESOURCES.get(key, ("*",))
        return any(_like(self.action.lower(), action.lower()) for action in SENT_WITH.get(key, ())) and any(
            _like(self.resource, resource) for resource in resources
        )


def allowed(request: Request, identity: Sequence[str], boundary: str | None = None) -> bool:
    """Tell whether the policies of a role, and its boundary, allow a request."""
    limits = [boundary] if boundary else []
    if any(_matching(document, request, allows=False) for document in [*identity, *limits]):
        return False
    permitted = any(_matching(document, request, allows=True) for document in identity)
    return permitted and all(_matching(document, request, allows=True) for document in limits)


@cache
def _statements(document: str) -> list[PolicyStatement]:
    statements = read_document(document)
    assert not any(statement.negated for statement in statements), "elements such as NotAction are not judged here"
    return statements


def _matching(document: str, request: Request, *, allows: bool) -> bool:
    context = request.sent
    return any(
        any(_like(request.action.lower(), action.lower()) for action in statement.actions)
        and any(_like(request.resource, resource) for resource in statement.resources)
        and all(
            _holds(operator, context.get(key.lower()), values)
            for operator, keys in statement.conditions.items()
            for key, values in keys.items()
        )
        for statement in _statements(document)
        if statement.allows is allows
    )


def _holds(operator: str, actual: str | None, values: Sequence[str]) -> bool:
    if operator == "Null":
        return (actual is None) == (values[0] == "true")
    return _OPERATORS[operator](actual, values)


def _equal(actual: str | None, values: Sequence[str]) -> bool:
    return actual in values


def _alike(actual: str | None, values: Sequence[str]) -> bool:
    return actual is not None and any(_like(actual, value) for value in values)


def _all_alike(actual: str | None, values: Sequence[str]) -> bool:
    return actual is None or _alike(actual, values)


_OPERATORS: Final[Mapping[str, Callable[[str | None, Sequence[str]], bool]]] = {
    "ArnLike": _alike,
    "Bool": _equal,
    "ForAllValues:StringLike": _all_alike,
    "StringEquals": _equal,
    "StringLike": _alike,
    "StringNotEquals": lambda actual, values: actual not in values,
}


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text), re.DOTALL)


def _like(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None

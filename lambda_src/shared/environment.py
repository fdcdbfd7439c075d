"""The environment variables that a function needs, read once, at start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Value = TypeVar("_Value")


class WrongEnvironmentError(RuntimeError):
    """An environment variable is missing or unusable. The message names it."""


class Environment:
    """Typed access to environment variables.

    Parameters
    ----------
    variables
        The variables, such as ``os.environ``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str:
        """Return the variable `name`, which must be there and not empty.

        Raises
        ------
        WrongEnvironmentError
            If it is not.
        """
        value = self._variables.get(name, "")
        if not value:
            raise WrongEnvironmentError(f"environment variable {name} is missing; the stack sets it on the function")
        return value

    def integer(self, name: str) -> int:
        """Return the variable `name` as an integer; raises like `text`, and if it is none."""
        return self._parse(name, int, "an integer")

    def retention(self, name: str) -> timedelta | None:
        """Return the variable `name`, a number of days, 0 for ever: None; raises like `integer`."""
        days = self.integer(name)
        return timedelta(days=days) if days else None

    def strings(self, name: str) -> tuple[str, ...]:
        """Return the variable `name`, a JSON list of strings; raises like `text`, and if it is none."""
        return self._parse(name, _strings, "a JSON list of strings")

    def _parse(self, name: str, parse: Callable[[str], _Value], expected: str) -> _Value:
        text = self.text(name)
        try:
            return parse(text)
        except ValueError as error:
            raise WrongEnvironmentError(f"environment variable {name} = {text!r}: should be {expected}") from error


def _strings(text: str) -> tuple[str, ...]:
    values: object = json.loads(text)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(text)
    return tuple(values)

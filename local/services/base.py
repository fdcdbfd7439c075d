"""What every service's file uses: a resource's inputs, and what is returned for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import pulumi

from local.cloud import Cloud

Properties: TypeAlias = dict[str, object]
"""Camel-case properties, as Pulumi exchanges them."""

_Kind = TypeVar("_Kind")

_SUFFIX_BYTES: Final = 4
_SUFFIX_DIGITS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Created:
    """A resource that was created: its id, and the outputs that it has on top of its inputs."""

    id: str
    outputs: Properties


class Inputs:
    """The inputs of a declared resource, each of which must have the type that is asked for; notes what is read.

    Parameters
    ----------
    name
        The resource's logical name.
    values
        Its inputs. Pulumi sends numbers as floats.
    """

    def __init__(self, name: str, values: Mapping[str, object]) -> None:
        self.name = name
        self._values = values
        self._read: set[str] = set()
        self._parts: dict[str, list[Inputs]] = {}

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def unread(self) -> set[str]:
        """Return what is declared and was not read: ``key``, and ``key.inner`` of nested inputs of which some was."""
        declared = {key for key in self._values if key in self} - self._read
        inner = {f"{key}.{path}" for key in declared for part in self._parts.get(key, []) for path in part.unread()}
        return {key for key in declared if key not in self._parts} | inner

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text `key`."""
        return self._get(key, str, default)

    def secret(self, key: str) -> str:
        """Return the text `key`, which must be declared as a secret: Pulumi then keeps it encrypted in its state.

        Raises
        ------
        ValueError
            If it is not.
        """
        value = self._values.get(key)
        self._read.add(key)
        if not pulumi.runtime.rpc.is_rpc_secret(value):
            raise ValueError(f"{self.name}: {key} should be declared as a secret")
        return str(pulumi.runtime.rpc.unwrap_rpc_secret(value))

    def integer(self, key: str, default: int | None = None) -> int:
        """Return the whole number `key`."""
        return int(self._get(key, float, default))

    def flag(self, key: str) -> bool:
        """Return the flag `key`; one that is not set is false."""
        return self._get(key, bool, default=False)

    def texts(self, key: str) -> list[str]:
        """Return the list of texts `key`; one that is not set is empty."""
        return [str(value) for value in self._get(key, list, [])]

    def mapping(self, key: str) -> dict[str, str]:
        """Return the mapping of texts `key`; one that is not set is empty."""
        return {str(name): str(value) for name, value in self._get(key, dict, {}).items()}

    def part(self, key: str) -> Inputs:
        """Return the nested inputs `key`."""
        if key not in self._parts:
            self._parts[key] = [Inputs(f"{self.name}.{key}", self._value(key, dict, {}))]
        return self._parts[key][0]

    def as_api(self, *keys: str) -> dict[str, object]:
        """Return those of `keys` that are declared, by default all, for AWS's API, where it calls them the same."""
        declared = [key for key in keys or self._values if key in self]
        return {_capital(key): _as_api(self._get(key, object, None)) for key in declared}

    def parts(self, key: str) -> list[Inputs]:
        """Return the list of nested inputs `key`."""
        if key not in self._parts:
            values = self._value(key, list, [])
            self._parts[key] = [Inputs(f"{self.name}.{key}[{n}]", value) for n, value in enumerate(values)]
        return self._parts[key]

    def archive_path(self, key: str) -> str:
        """Return the path of the file archive `key`."""
        archive = self._get(key, pulumi.FileArchive, None)
        return archive.path

    def physical_name(self, key: str = "name") -> str:
        """Return the given name or, as Pulumi does without one, the logical name and a random suffix."""
        return self.text(key, f"{self.name}-{secrets.token_hex(_SUFFIX_BYTES)[:_SUFFIX_DIGITS]}")

    def _get(self, key: str, kind: type[_Kind], default: _Kind | None) -> _Kind:
        self._read.add(key)
        return self._value(key, kind, default)

    def _value(self, key: str, kind: type[_Kind], default: _Kind | None) -> _Kind:
        value = pulumi.runtime.rpc.unwrap_rpc_secret(self._values.get(key))
        if value is None:
            value = default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind):
            raise TypeError(f"{self.name}: {key} = {value!r}: should be of type {kind.__name__}")
        return value


def _as_api(value: object) -> object:
    """Names begin with a capital there, and Pulumi sends whole numbers as floats."""
    if isinstance(value, dict):
        return {_capital(str(name)): _as_api(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_as_api(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


Creator: TypeAlias = Callable[[Cloud, Inputs], Created]
"""Creates one declared resource."""

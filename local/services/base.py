"""What every service's file uses: a resource's inputs, and what is answered for it."""

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
class Made:
    """A resource that was made: its id, and the outputs that it has on top of its inputs."""

    id: str
    outputs: Properties


class Inputs:
    """The inputs of a declared resource, each of which must have the type that is asked for.

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

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

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
        if not pulumi.runtime.rpc.is_rpc_secret(value):
            raise ValueError(f"{self.name}: {key} should be declared as a secret")
        return str(pulumi.runtime.rpc.unwrap_rpc_secret(value))

    def integer(self, key: str, default: int | None = None) -> int:
        """Return the number `key`."""
        return int(self._get(key, float, default))

    def number(self, key: str) -> float:
        """Return the number `key`."""
        return self._get(key, float, None)

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
        return Inputs(f"{self.name}.{key}", self._get(key, dict, {}))

    def parts(self, key: str) -> list[Inputs]:
        """Return the list of nested inputs `key`."""
        return [Inputs(f"{self.name}.{key}[{n}]", part) for n, part in enumerate(self._get(key, list, []))]

    def archive_path(self, key: str) -> str:
        """Return the path of the file archive `key`."""
        archive = self._get(key, pulumi.FileArchive, None)
        return archive.path

    def physical_name(self, key: str = "name") -> str:
        """Return the given name or, as Pulumi does without one, the logical name and a random suffix."""
        return self.text(key, f"{self.name}-{secrets.token_hex(_SUFFIX_BYTES)[:_SUFFIX_DIGITS]}")

    def _get(self, key: str, kind: type[_Kind], default: _Kind | None) -> _Kind:
        value = pulumi.runtime.rpc.unwrap_rpc_secret(self._values.get(key))
        if value is None:
            value = default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind):
            raise TypeError(f"{self.name}: {key} = {value!r}: should be of type {kind.__name__}")
        return value


Creator: TypeAlias = Callable[[Cloud, Inputs], Made]
"""Makes one declared resource."""

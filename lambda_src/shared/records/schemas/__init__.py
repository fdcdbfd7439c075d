"""Record types, one file each: a msgspec struct, as ``RECORD``. The file's name is the schema's in the config."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Struct


def load_schema(name: str) -> type[Struct]:
    """Return the record type of a schema file.

    Parameters
    ----------
    name
        The name of a file in this folder, without its ending.

    Raises
    ------
    ModuleNotFoundError
        If there is none.
    """
    schema: type[Struct] = import_module(f"{__name__}.{name}").RECORD
    return schema

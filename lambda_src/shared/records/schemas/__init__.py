"""Record types, one file each: a msgspec struct, as ``RECORD``. The file's name is the schema's in the config."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgspec import Struct


_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class SchemaError(Exception):
    """A schema that nothing can be published with. The message says why."""


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
    SchemaError
        If its name or a field's is one that results cannot have.
    """
    check_name(name)
    schema: type[Struct] = import_module(f"{__name__}.{name}").RECORD
    check_fields(schema)
    return schema


def check_name(name: str) -> None:
    """Check that a record type's name can stand in a key, and as the value of a table's partition.

    Raises
    ------
    SchemaError
        If it cannot.
    """
    if not _NAME.fullmatch(name):
        raise SchemaError(
            f"{name!r} is no name of a record type: it should have 1 to 64 lower-case letters, digits and underscores, "
            "and begin with a letter"
        )


def check_fields(schema: type[Struct]) -> None:
    """Check that no field is published under a name that begins with an underscore: such are ours.

    Raises
    ------
    SchemaError
        If one is.
    """
    names = [*schema.__struct_encode_fields__, schema.__struct_config__.tag_field or ""]
    ours = [name for name in names if name.startswith("_")]
    if ours:
        raise SchemaError(
            f"field {ours[0]}: a name that begins with an underscore is the pipeline's, such as _file: give it another"
        )

"""Finds what is wrong with a schema: what its file, or its decoders, would stop on."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
from msgspec import inspect

from shared.records import schemas
from shared.records.csv_cells import CellDecoder
from shared.records.decoder import RecordDecoder, make_decoder
from shared.records.encoder import RecordEncoder
from shared.records.types import Money

_PARTITIONS: Final = ("record_type", "day")
"""What results are laid out by, and a table of them therefore has as columns already."""

_REFUSED: Final[dict[type, str]] = {
    inspect.RawType: "msgspec.Raw is published as it came, line feeds included: use object",
    inspect.DecimalType: "Decimal has no bounds, and may be NaN: use Money of shared.records.types",
    inspect.ExtType: "msgspec.msgpack.Ext is nothing that JSON has",
}


def find_problem(name: str, folder: Path | None = None) -> str | None:
    """Return why the schema of this name cannot be used, or None if it can.

    Parameters
    ----------
    name
        The name of a file in ``shared/records/schemas``, or in the folder, without its ending.
    folder
        Where else a schema may be.
    """
    file = f"lambda_src/{schemas.__name__.replace('.', '/')}/{name}.py"
    if folder and (folder / f"{name}.py").is_file():
        file = str(folder / f"{name}.py")
    try:
        record = _import(name, file)
    except schemas.SchemaError as error:
        return str(error)
    try:
        _check(record)
    except Exception as error:  # noqa: BLE001 - msgspec's sentences come in several types
        return f"{file}: {error}"
    return None


def _import(name: str, file: str) -> type[msgspec.Struct]:
    """Return the record type of a schema file; raises SchemaError if there is none."""
    schemas.check_name(name)
    module = f"{schemas.__name__}.{name}"
    if find_spec(module) is None:
        raise schemas.SchemaError(f"there is no file {file}")
    try:
        record = getattr(import_module(module), "RECORD", None)
    except Exception as error:
        raise schemas.SchemaError(f"{file} cannot be imported: {type(error).__name__}: {error}") from error
    if record is None:
        raise schemas.SchemaError(f"{file} has no RECORD")
    if not isinstance(record, type) or not issubclass(record, msgspec.Struct):
        raise schemas.SchemaError(f"{file}: RECORD = {record!r}: should be a class derived from msgspec.Struct")
    return record


def _check(record: type[msgspec.Struct]) -> None:
    """Build what reads files of this type; raises with the sentence of whatever refuses."""
    if record.__struct_config__.array_like:
        raise TypeError("RECORD is array_like: a record should be an object")
    if not record.__struct_fields__:
        raise TypeError("RECORD has no fields")
    schemas.check_fields(record)
    _check_partitions(record)
    RecordDecoder(record)
    columns = [field.encode_name for field in msgspec.structs.fields(record)]
    tag = record.__struct_config__.tag_field
    CellDecoder([*columns, tag] if tag else columns, record)
    _check_types(inspect.type_info(record), "", set())


def _names(struct: type[msgspec.Struct]) -> list[str]:
    """Return what a struct's fields are published as, its tag among them."""
    tag = struct.__struct_config__.tag_field
    return [*struct.__struct_encode_fields__, *([tag] if tag else [])]


def _check_partitions(record: type[msgspec.Struct]) -> None:
    """Check that no field is called as a partition of the results: Athena refuses a table that has a column twice."""
    for name in _names(record):
        if name.casefold() in _PARTITIONS:
            raise TypeError(
                f"field {name}: results are laid out by {' and '.join(_PARTITIONS)}, so their table has such a column "
                "already: give the field another name"
            )


def _check_case(struct: type[msgspec.Struct], place: str) -> None:
    """Check that no two names differ in case alone: in Athena, they are one (Athena User Guide, Name databases)."""
    first: dict[str, str] = {}
    for name in _names(struct):
        other = first.setdefault(name.casefold(), name)
        if other != name:
            both = " and ".join(f"{place}.{each}" if place else each for each in (other, name))
            raise TypeError(f"fields {both}: differ in case alone, and are one column of a table: rename one")


def _check_types(part: object, place: str, seen: set[int]) -> None:
    """Check a type and those that it is made of, as msgspec describes them."""
    if id(part) in seen:  # a type may hold itself
        return
    seen.add(id(part))
    if isinstance(part, inspect.Field):
        place = f"{place}.{part.encode_name}" if place else part.encode_name
    reason = _find_reason(part)
    if reason:
        raise TypeError(f"field {place}: {reason}")
    if isinstance(part, inspect.StructType):
        _check_case(part.cls, place)
        _check_defaults(part.cls)
    for each in _parts(part):
        _check_types(each, place, seen)


def _find_reason(part: object) -> str | None:
    """Return why no field may have a type that msgspec itself takes."""
    if isinstance(part, inspect.CustomType) and part.cls is not object and not issubclass(part.cls, Money):
        return f"{part.cls.__name__} is no type that msgspec reads"
    if isinstance(part, inspect.DictType) and isinstance(part.key_type, inspect.CustomType | inspect.FloatType):
        return "a dict's keys should be texts or whole numbers"
    return _REFUSED.get(type(part))


def _parts(part: object) -> Sequence[object]:
    if isinstance(part, tuple):
        return part
    names = part.__struct_fields__ if isinstance(part, inspect.Type | inspect.Field) else ()
    return [getattr(part, name) for name in names]


def _check_defaults(struct: type[msgspec.Struct]) -> None:
    """Check that a default is what its field may hold: msgspec takes any, and NaN would be published as null."""
    for field in msgspec.structs.fields(struct):
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        elif field.default not in (msgspec.NODEFAULT, msgspec.UNSET):
            default = field.default
        else:
            continue
        try:
            make_decoder(field.type).decode(RecordEncoder().document(default))
        except msgspec.ValidationError as error:
            raise TypeError(f"field {field.encode_name}: the default {default!r} is not valid: {error}") from error

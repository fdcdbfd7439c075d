"""From the cells of CSV rows to records: every rule of a schema holds for them as for the members of an object."""

from __future__ import annotations

import re
import sys
from collections import Counter
from functools import reduce
from operator import or_
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Final, Literal, Union, get_args, get_origin

import msgspec

from shared.records.batch import FileRejectedError
from shared.records.decoder import make_decoder
from shared.records.reasons import Reason, RecordError, Rule
from shared.records.types import read_custom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Struct

MAX_COLUMNS: Final = 1000
"""The most columns: the time that the type of a row takes grows with their square."""

_MAX_SHOWN_NAME: Final = 64
_MAX_FLOAT: Final = sys.float_info.max
_CELL: Final = re.compile(r"\[(\d+)\]")


class CellDecoder:
    """Makes records of rows of cells, each a text; an empty one is a missing value.

    Parameters
    ----------
    columns
        The names in the header.
    schema
        The record's struct.

    Raises
    ------
    FileRejectedError
        If the header does not name what the schema needs, or names what it forbids.
    """

    def __init__(self, columns: Sequence[str], schema: type[Struct]) -> None:
        _check_header(columns, schema)
        self._columns = columns
        self._schema = schema
        self._records = list[schema]  # type: ignore[valid-type]  # a type known at run time
        self._row = _row_type(columns, schema)
        self._rows = list[self._row]  # type: ignore[name-defined]  # the same
        self._decoder = make_decoder(self._rows, strict=False)
        fields = [field for field in msgspec.structs.fields(schema) if field.encode_name in columns]
        self._defaults = [field.name for field in fields if not field.required and field.default is not None]

    def decode(self, array: bytes) -> list[Struct]:
        """Decode rows from a JSON array of arrays of texts, null for an empty cell, at the speed of C."""
        return self._check(self._decoder.decode(array))

    def convert_rows(self, rows: Sequence[Sequence[str | None]]) -> list[Struct] | None:
        """Convert rows, with None for an empty cell; None if one has too few cells or too many."""
        if any(len(row) != len(self._columns) for row in rows):
            return None
        return self._check(msgspec.convert(rows, self._rows, strict=False, dec_hook=read_custom))

    def convert_row(self, cells: Sequence[str]) -> Struct:
        """Convert the cells of one row."""
        if len(cells) != len(self._columns):
            raise RecordError(Rule.CELLS, f"has {len(cells)} cells, the header has {len(self._columns)}")
        row = msgspec.convert([cell or None for cell in cells], self._row, strict=False, dec_hook=read_custom)
        self._leave_out(row)
        return msgspec.convert(row, self._schema, from_attributes=True, dec_hook=read_custom)

    def name_cell(self, reason: Reason) -> Reason:
        """Return a reason with the column's name where msgspec says its place."""
        place = _CELL.fullmatch(reason.field or "")
        if not place:
            return reason
        column = self._columns[int(place[1])]
        if reason.text.endswith("got null"):
            return Reason(column, Rule.REQUIRED, "is missing")
        text = "should be a finite number" if str(_MAX_FLOAT) in reason.text else reason.text
        return Reason(column, reason.rule, text)

    def _check(self, rows: list[Struct]) -> list[Struct]:
        """Turn rows into records: the schema's defaults, and its rules between fields."""
        if self._defaults:
            for row in rows:
                self._leave_out(row)
        records: list[Struct] = msgspec.convert(rows, self._records, from_attributes=True, dec_hook=read_custom)
        return records

    def _leave_out(self, row: Struct) -> None:
        """Delete what is empty: only what a row lacks takes its default."""
        for name in self._defaults:
            if getattr(row, name) is None:
                delattr(row, name)


def _check_header(columns: Sequence[str], schema: type[Struct]) -> None:
    if not columns:
        raise FileRejectedError("file has no header")
    if len(columns) > MAX_COLUMNS:
        raise FileRejectedError(f"header has {len(columns)} columns, more than the limit of {MAX_COLUMNS}")
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise FileRejectedError(f"header names {_shorten(min(twice))!r} twice")
    fields = msgspec.structs.fields(schema)
    missing = {field.encode_name for field in fields if field.required}.difference(columns)
    if missing:
        raise FileRejectedError(f"header has no column {', '.join(sorted(missing))}")
    config = schema.__struct_config__
    unknown = set(columns).difference(field.encode_name for field in fields).difference({config.tag_field})
    if unknown and config.forbid_unknown_fields:
        raise FileRejectedError(f"header names {_shorten(min(unknown))!r}, which is no field of a record")


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_SHOWN_NAME else f"{name[:_MAX_SHOWN_NAME]}…"


def _row_type(columns: Sequence[str], schema: type[Struct]) -> type[Struct]:
    """Make a struct that reads a row as an array: the schema's fields in the order of the columns, all there."""
    known = {field.encode_name: field for field in msgspec.structs.fields(schema)}
    other = max((field.name for field in known.values()), key=len, default="")  # with a number behind it, no field's
    config = schema.__struct_config__
    fields: list[tuple[str, object]] = []
    for index, column in enumerate(columns):
        if column in known:
            field = known[column]
            kind = _with_finite_floats(field.type)
            fields.append((field.name, kind if field.required else or_(kind, None)))
        elif column == config.tag_field:
            fields.append((f"{other}_{index}", or_(Literal[config.tag], None)))
        else:
            fields.append((f"{other}_{index}", str | None))
    return msgspec.defstruct("Row", fields, array_like=True, forbid_unknown_fields=True, gc=False)


def _with_finite_floats(kind: object) -> object:
    """Bound the floats of a cell's type: msgspec reads a text such as NaN or inf as a float, and JSON has none."""
    base, rules = kind, list[object]()
    while True:
        if get_origin(base) is Annotated:
            base, *outer = get_args(base)
            rules = [*outer, *rules]
        elif hasattr(base, "__supertype__") or hasattr(base, "__value__"):  # a NewType, or an alias
            base = getattr(base, "__supertype__", None) or getattr(base, "__value__", None)
        else:
            break
    if get_origin(base) in {Union, UnionType}:
        return reduce(or_, map(_with_finite_floats, get_args(base)))
    if base is not float:
        return kind
    metas = [rule for rule in rules if isinstance(rule, msgspec.Meta)]
    low = any(meta.ge is not None or meta.gt is not None for meta in metas)
    high = any(meta.le is not None or meta.lt is not None for meta in metas)
    bounds = msgspec.Meta(ge=None if low else -_MAX_FLOAT, le=None if high else _MAX_FLOAT)
    return Annotated[(float, *metas, bounds)]

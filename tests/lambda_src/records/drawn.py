"""Rows drawn from a record type's own types, for tests of whatever type a team adds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta, timezone
from decimal import Decimal
from functools import singledispatch
from typing import Final, TypeAlias

from hypothesis import strategies as st
from msgspec import Struct, inspect

from shared.records.types import Money

Value: TypeAlias = "str | int | float | bool | Decimal | list[Value] | dict[str, Value]"
Row: TypeAlias = dict[str, Value]
Values: TypeAlias = st.SearchStrategy[Value]

# What no field but a text takes, in JSON or in a cell.
_JUNK: Final = st.sampled_from(["nonsense", "NaN", "-inf", "1e999", "2026-02-30", "0x1"])
_WORDS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=12)
_OFFSETS: Final = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def rows(schema: type[Struct]) -> st.SearchStrategy[list[Row]]:
    """Rows for a schema: a few have a value that is nonsense, or lack one."""
    described = inspect.type_info(schema)
    assert isinstance(described, inspect.StructType)
    good = _objects(described.fields)
    names = st.sampled_from([field.encode_name for field in described.fields])
    spoiled = st.builds(lambda row, name, junk: {**row, name: junk}, good, names, _JUNK)
    lacking = st.builds(lambda row, name: {k: v for k, v in row.items() if k != name}, good, names)
    return st.lists(st.one_of(good, good, good, spoiled, lacking), min_size=1, max_size=4)


def _objects(fields: Sequence[inspect.Field]) -> st.SearchStrategy[Row]:
    drawn = [(field, each) for field in fields if (each := values(field.type)) is not None]
    return st.fixed_dictionaries(
        {field.encode_name: each for field, each in drawn if field.required},
        optional={field.encode_name: each for field, each in drawn if not field.required},
    )


@singledispatch
def values(_kind: object) -> Values | None:
    """Return values of a type, most of them valid; None for a type that is not drawn."""
    return None


@values.register
def _(kind: inspect.Metadata) -> Values | None:
    return values(kind.type)


@values.register
def _(kind: inspect.UnionType) -> Values | None:
    found = [strategy for each in kind.types if (strategy := values(each)) is not None]
    return st.one_of(found) if found else None


@values.register
def _(kind: inspect.StrType) -> Values:
    return st.from_regex(re.compile(kind.pattern), fullmatch=True) if kind.pattern else _WORDS


@values.register
def _(kind: inspect.IntType) -> Values:
    low, high = _bounds(kind)
    return st.integers(None if low is None else int(low), None if high is None else int(high))


@values.register
def _(kind: inspect.FloatType) -> Values:
    return st.floats(*_bounds(kind), allow_nan=False, allow_infinity=False)


def _bounds(kind: inspect.IntType | inspect.FloatType) -> tuple[float | None, float | None]:
    return kind.ge if kind.ge is not None else kind.gt, kind.le if kind.le is not None else kind.lt


@values.register
def _(_kind: inspect.BoolType) -> Values:
    return st.booleans()


@values.register
def _(_kind: inspect.DateTimeType) -> Values:
    return st.datetimes(timezones=_OFFSETS).map(lambda moment: moment.isoformat())


@values.register
def _(_kind: inspect.DateType) -> Values:
    return st.dates().map(lambda day: day.isoformat())


@values.register
def _(kind: inspect.LiteralType) -> Values:
    return st.sampled_from(kind.values)


@values.register
def _(kind: inspect.EnumType) -> Values:
    return st.sampled_from([member.value for member in kind.cls])


@values.register
def _(kind: inspect.CustomType) -> Values:
    if not issubclass(kind.cls, Money):
        return _WORDS
    return st.decimals(kind.cls.minimum, kind.cls.maximum, places=kind.cls.places)


@values.register
def _(kind: inspect.ListType) -> Values | None:
    each = values(kind.item_type)
    return None if each is None else st.lists(each, min_size=kind.min_length or 0, max_size=2 + (kind.min_length or 0))


@values.register
def _(kind: inspect.StructType) -> Values:
    tag = {} if kind.tag_field is None or kind.tag is None else {kind.tag_field: kind.tag}
    return st.deferred(lambda: _objects(kind.fields)).map(lambda row: {**tag, **row})  # a type may hold itself

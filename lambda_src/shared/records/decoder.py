"""Decodes many records at once, and finds the bad ones when that fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from shared.records.batch import Batch, Rejection
from shared.records.reasons import explain
from shared.records.types import read_custom, read_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec import Struct

_Type = TypeVar("_Type")
_INDEX: Final = re.compile(r".* - at `\$\[(\d+)\]", re.DOTALL)  # the last: a value may hold what looks like a place
_BYTE: Final = re.compile(r" \(byte (\d+)\)$")
_TOGETHER: Final = 32
"""Records that are decoded together once a window has a bad one: of 1 % bad records, few are then decoded twice."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what is not valid: DecodeError is ValidationError's base too."""


def make_decoder(kind: type[_Type], *, strict: bool = True) -> msgspec.json.Decoder[_Type]:
    """Make a decoder that knows the types of schemas, and reads numbers without a type with all their digits."""
    return msgspec.json.Decoder(kind, strict=strict, dec_hook=read_custom, float_hook=read_number)


class RecordDecoder:
    """Decodes JSON records of one type.

    Parameters
    ----------
    schema
        The record's struct.

    Attributes
    ----------
    record
        Decodes one record; raises one of `UNREADABLE`.
    """

    def __init__(self, schema: type[Struct]) -> None:
        self._many = make_decoder(list[schema])  # type: ignore[valid-type]  # a type known at run time
        self.record: Callable[[bytes], Struct] = make_decoder(schema).decode

    def array(self, text: bytes) -> list[Struct]:
        """Decode a JSON array of records; raises one of `UNREADABLE`."""
        records: list[Struct] = self._many.decode(text)
        return records

    def items(self, items: Sequence[bytes], number: int, bad: int | None = None) -> Batch:
        """Decode records that could not be decoded together; see `decode_items`."""
        return decode_items(
            items,
            number,
            lambda part: self.array(b"[" + b",".join(part) + b"]"),
            self.record,
            bad,
        )


def decode_items(
    items: Sequence[bytes],
    number: int,
    many: Callable[[Sequence[bytes]], list[Struct]],
    one: Callable[[bytes], Struct],
    bad: int | None = None,
) -> Batch:
    """Decode the records between the bad ones together, and each bad one alone.

    Parameters
    ----------
    items
        The records as they came.
    number
        The number of the first in the file.
    many, one
        How several, and how one is decoded; both raise one of `UNREADABLE`.
    bad
        The index of the first bad one, where it is known already.
    """
    batch = Batch([], [])
    start = 0
    while start < len(items):
        part = items[start : start + (_TOGETHER if bad is None else bad)]
        decoded, found = _try_together(part, many)
        if decoded is not None:
            batch.valid.extend(decoded)
            start += len(part)
            if bad is None:
                continue
        elif found is not None and found < len(part):  # else no part would ever be smaller
            bad = found
            continue
        alone = items[start : start + 1] if bad is not None and decoded is not None else part
        for index, item in enumerate(alone, start):
            try:
                batch.valid.append(one(item))
            except UNREADABLE as error:
                batch.rejected.append(Rejection(number + index, (explain(error),), item))
        start, bad = start + len(alone), None
    return batch


def _try_together(
    items: Sequence[bytes], many: Callable[[Sequence[bytes]], list[Struct]]
) -> tuple[list[Struct] | None, int | None]:
    """Decode records together; if that fails, the index of the first bad one, or None where it is not known."""
    if not items:
        return [], None
    try:
        decoded = many(items)
    except UNREADABLE as error:
        return None, bad_index(error)
    # One item may hold no record or several, which only shows when it is decoded alone.
    return (decoded, None) if len(decoded) == len(items) else (None, None)


def bad_index(error: Exception) -> int | None:
    """Return the index of the bad record among those that were decoded together, where the error tells it."""
    place = _INDEX.match(str(error)) if isinstance(error, msgspec.ValidationError) else None
    return int(place[1]) if place else None


def locate(error: Exception, position: int, shift: int = 0) -> str:
    """Return why a text is not JSON, and where in the file.

    Parameters
    ----------
    error
        What the decoder raised.
    position
        Where the text begins in the file.
    shift
        How many bytes were put in front of the text.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {position + error.start - shift}"
    if isinstance(error, RecursionError):
        return f"nested too deeply after byte {position}"
    message = str(error).removeprefix("JSON is malformed: ")
    place = _BYTE.search(message)
    if place:
        return f"not valid JSON at byte {position + int(place[1]) - shift}: {message[: place.start()]}"
    return f"not valid JSON after byte {position}: {message[:1].lower()}{message[1:]}"

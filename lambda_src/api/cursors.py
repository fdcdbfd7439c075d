"""Cursors: the position that a list goes on after.

A cursor holds no condition of its list: those are applied anew to each page, so a cursor never shows more than the
question that it is sent with.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from api.errors import invalid
from shared.catalog.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS: Final = 16


class _Cursor(Struct, array_like=True, forbid_unknown_fields=True):
    """What a cursor holds: a digest of the question, and the position."""

    question: str
    time: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")]
    tie: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]


def write_cursor(question: Sequence[str], position: Position) -> str:
    """Return the cursor of a position in the list that answers `question`."""
    cursor = msgspec.json.encode(_Cursor(_digest(question), position.time, position.tie))
    return base64.urlsafe_b64encode(cursor).decode().rstrip("=")


def read_cursor(cursor: str, question: Sequence[str]) -> Position:
    """Return the position of a cursor.

    Raises
    ------
    ApiError
        If it is not a cursor of the list that answers `question`.
    """
    message = "is not one that this list gave; ask for the first page without it"
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        read = msgspec.json.decode(text, type=_Cursor)
    except ValueError as error:  # which msgspec's errors are too
        raise invalid(f"cursor {message}", {"cursor": message}) from error
    if read.question != _digest(question):
        raise invalid(f"cursor {message}", {"cursor": message})
    return Position(read.time, read.tie)


def _digest(question: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(question).encode()).hexdigest()[:_DIGITS]

"""Cursors: the position that a list goes on after.

A cursor holds no condition of its list: those are applied anew to each page, so a cursor never shows more than the
question that it is sent with.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from api import base64url
from api.errors import invalid
from shared.catalog.model import MAX_KEY_BYTES
from shared.catalog.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.errors import ApiError

_DIGITS: Final = 16
_Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
_Time: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")]
_Read = TypeVar("_Read")


def write_cursor(question: Sequence[str], *position: str) -> str:
    """Return the cursor of a position in the list that answers `question`."""
    return base64url.encode(msgspec.msgpack.encode((_digest(question), *position)))


def read_position(cursor: str, question: Sequence[str]) -> Position:
    """Return the position of a cursor in a list that is ordered by time.

    Raises
    ------
    ApiError
        If it is not a cursor of the list that answers `question`.
    """
    digest, time, tie = _read(cursor, tuple[str, _Time, _Digest])
    if digest != _digest(question):
        raise _wrong()
    return Position(time, tie)


def read_key(cursor: str, question: Sequence[str], prefix: str) -> str:
    """Return the position of a cursor in a list of the keys that begin with `prefix`; raises as `read_position`."""
    digest, key = _read(cursor, tuple[str, str])
    if digest != _digest(question) or not key.startswith(prefix) or len(key.encode()) > MAX_KEY_BYTES:
        raise _wrong()
    return key


def _read(cursor: str, kind: type[_Read]) -> _Read:
    try:
        return msgspec.msgpack.decode(base64url.decode(cursor), type=kind)
    except ValueError as error:  # which msgspec's errors are too
        raise _wrong() from error


def _wrong() -> ApiError:
    message = "is not one that this list gave; ask for the first page without it"
    return invalid(f"cursor {message}", {"cursor": message})


def _digest(question: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(question).encode()).hexdigest()[:_DIGITS]

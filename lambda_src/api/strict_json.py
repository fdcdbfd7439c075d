"""JSON as RFC 8259 has it, and with nothing in it that two readers could take for different things.

Nothing is built of what a body holds: lists of lists take fifty times their size as Python objects.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import msgspec

from api.errors import invalid, too_large
from shared.records.batch import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from api.errors import ApiError

ITEMS: Final = "data"
"""The member whose items are counted."""

_MAX_MEMBERS: Final = 64
"""The most members of the body itself: no route knows more than two."""

_MAX_DIGITS: Final = 4300
"""The longest number: Python reads no longer integer."""

_MAX_SHOWN: Final = 60
_MALFORMED: Final = "JSON is malformed: "
_OPENING: Final = b"[{"
_CLOSING: Final = b"]}"
_COMMA: Final = ord(",")
_OBJECT: Final = ord("{")
_QUOTE: Final = ord('"')
_MEMBER_DEPTH: Final = 1
_ITEM_DEPTH: Final = 2

_TEXT: Final = 1
_NAME: Final = 2
"""Groups of a token: what stands between quotes, and the colon that makes it a name."""

_BYTE: Final = re.compile(r" \(byte (\d+)\)$")
_CONSTANT: Final = re.compile(rb"-?(?:NaN|Infinity)")
_SURROGATE: Final = re.compile(rb"\\u[dD]")
# Half a pair of surrogates, which is no text; a whole pair and every other escape are skipped.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F])|.)", re.DOTALL
)
# A name takes a text or a short scalar behind it along, and the comma: of a record's tokens most are such.
_TOKEN: Final = re.compile(
    rb"""
    "([^"\\]*+(?:\\.[^"\\]*+)*+)"
        ([ \t\r\n]*+:(?:[ \t\r\n]*+
            (?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[-+.0-9a-zA-Z]{1,64}+(?=[ \t\r\n,}]))[ \t\r\n]*+,?+)?+)?+
    |[\[\]{},]
    |(?<![0-9])[0-9]{%d}
    """
    % (_MAX_DIGITS + 1),
    re.VERBOSE | re.DOTALL,
)


def parse(text: str, max_items: int) -> dict[str, object]:
    """Read a JSON object: scalars as they are, and each list and object as the text that it is.

    Parameters
    ----------
    text
        The body.
    max_items
        The most items that its list `ITEMS` may have.

    Raises
    ------
    ApiError
        If it is not JSON, not an object, nested too deeply, or has NaN, Infinity, a number that is too long, a lone
        surrogate or a name twice in one object; if it has too many items or members, or one that is too long.
    """
    body = text.encode()
    if _SURROGATE.search(body) and any(escape["lone"] for escape in _ESCAPE.finditer(body)):
        raise invalid("the body has a lone surrogate, which is no text")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise _explain(error, body) from error
    except RecursionError as error:
        raise invalid("the body is nested too deeply") from error
    if not body.lstrip().startswith(b"{"):
        raise invalid("the body is not a JSON object")
    _Scan(max_items).run(body)
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return {name: _value(memoryview(raw)) for name, raw in members.items()}


def _value(raw: memoryview) -> object:
    return raw if raw[0] in _OPENING else json.loads(bytes(raw))


def _explain(error: msgspec.DecodeError, body: bytes) -> ApiError:
    message = str(error).removeprefix(_MALFORMED)
    place = _BYTE.search(message)
    if place is None:
        return invalid(f"the body is not JSON: {message[:1].lower()}{message[1:]}")
    constant = _CONSTANT.search(body, max(0, int(place[1]) - 1), int(place[1]) + len("Infinity"))
    if constant:
        return invalid(f"the body has {constant[0].decode()}, which is not JSON")
    return invalid(f"the body is not JSON: {message[: place.start()]} at byte {place[1]}")


class _Scan:
    """Looks once at each name, bracket, comma and long number of a valid body.

    Parameters
    ----------
    max_items
        The most items that the list `ITEMS` may have.
    """

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._members = 0
        self._member = b""
        self._item = 1
        self._end = MAX_RECORD_BYTES  # how far the member, or the item, may reach

    def run(self, body: bytes) -> None:
        """Look at all of it; raises what `parse` raises."""
        opened: list[set[bytes]] = []  # the names so far of each object that is open; none of a list
        for token in _TOKEN.finditer(body):
            start = token.start()
            if start > self._end:
                raise self._too_long()
            kind = body[start]
            if token.lastindex == _NAME:
                name = _add_name(opened[-1], token[_TEXT])
                if len(opened) == _MEMBER_DEPTH:
                    self._next_member(name, start)
            elif kind in _OPENING:
                opened.append(set())
            elif kind in _CLOSING:
                opened.pop()
            elif kind == _COMMA:
                if len(opened) == _ITEM_DEPTH and not opened[-1]:
                    self._next_item(start)
            elif kind != _QUOTE:
                raise invalid("the body has a number that is too long")

    def _next_member(self, name: bytes, start: int) -> None:
        self._members += 1
        self._member, self._end = name, start + MAX_RECORD_BYTES
        if self._members > _MAX_MEMBERS:
            raise too_large(f"the body has more than {_MAX_MEMBERS} members")

    def _next_item(self, start: int) -> None:
        if self._member != ITEMS.encode():
            return
        self._item, self._end = self._item + 1, start + MAX_RECORD_BYTES
        if self._item > self._max_items:
            raise too_large(f"{ITEMS} has more than {self._max_items} records: upload a file instead")

    def _too_long(self) -> ApiError:
        name = _show(self._member)
        what = f"record {self._item}" if name == ITEMS else name
        return too_large(f"{what} has more than {MAX_RECORD_BYTES} bytes: upload a file instead")


def _add_name(names: set[bytes], text: bytes) -> bytes:
    """Add a name, as it stands between quotes, to those of its object."""
    name: bytes = json.loads(b'"%b"' % text).encode() if b"\\" in text else text
    if name in names:
        raise invalid(f"the body has {_show(name)!r} twice in one object")
    names.add(name)
    return name


def _show(name: bytes) -> str:
    return name.decode()[:_MAX_SHOWN]

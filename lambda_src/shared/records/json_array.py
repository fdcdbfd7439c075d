"""A JSON array of records, decoded in windows: RFC 8259, never the whole file in memory."""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from shared.records.batch import MAX_RECORD_BYTES, Batch, FileRejectedError, RecordTooLongError, Window
from shared.records.decoder import UNREADABLE, RecordDecoder, bad_index, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

    from shared.records.source import Source

_CUT: Final = re.compile(rb"\}([ \t\r\n]*,[ \t\r\n]*)\{")
# Brackets, commas, and whole strings, so that a bracket in a string is none. One may go on beyond the window.
_STRUCTURE: Final = re.compile(rb'[\[\]{},]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_OPENING: Final = b"[{"
_CLOSING: Final = b"]}"
_COMMA: Final = ord(",")
_MAX_WINDOW_BYTES: Final = MAX_RECORD_BYTES + 1
"""The longest record and its comma: a window of this size without the end of one begins with one that is too long."""

_CUT_PROBES: Final = (1024, 16 * 1024, _MAX_WINDOW_BYTES)
_RAW: Final = msgspec.json.Decoder(list[msgspec.Raw])


def parse_array(source: Source, schema: type[Struct]) -> Iterator[Batch]:
    """Read the records of a JSON array.

    A window ends at the last place that looks like the end of one record and the start of the next. If it does not
    parse, that place was inside a string or a nested value: then the brackets of the window are counted, and if no
    record ends in it, it is doubled.

    Parameters
    ----------
    source
        The file, at the opening bracket.
    schema
        The record's struct.

    Raises
    ------
    FileRejectedError
        If the file is not valid JSON, or a record is too long.
    """
    decoder = RecordDecoder(schema)
    source.take(source.start + 1)
    number, window, size = 1, Window(), 0
    while True:
        source.skip_whitespace()
        if number > 1 and source.buffer.startswith(b"]", source.start):
            raise FileRejectedError(f"not valid JSON at byte {source.position}: trailing comma in array")
        size = size or window.size
        source.fill(size)
        if source.ended and source.available <= size:
            yield _decode(decoder, b"[" + source.buffer[source.start :], number, source.position)
            return
        found = _decode_window(decoder, source, size, number)
        if found is None:
            if size > MAX_RECORD_BYTES:
                raise RecordTooLongError(f"byte {source.position}")
            size = min(2 * size, _MAX_WINDOW_BYTES)
            continue
        batch, end, closed = found
        window.learn(len(source.take(end)), batch)
        number += batch.size
        size = 0
        yield batch
        if closed:
            source.skip_whitespace()
            if source.available:
                raise FileRejectedError(f"not valid JSON at byte {source.position}: trailing characters")
            return


def _decode_window(decoder: RecordDecoder, source: Source, size: int, number: int) -> tuple[Batch, int, bool] | None:
    """Decode the window up to its last record's end.

    Returns
    -------
    tuple or None
        The batch, where what comes behind it begins, and whether the array is closed; None if no record ends here.

    Raises
    ------
    FileRejectedError
        If the text up to that end is not valid JSON.
    """
    start, end = source.start, source.start + size
    cut = _last_cut(source.buffer, start, end)
    if cut is not None:
        text = b"[" + source.buffer[start : cut.start() + 1] + b"]"
        with suppress(FileRejectedError):
            return _decode(decoder, text, number, source.position), cut.end() - 1, False
    last = _last_end(source.buffer, start, end)
    if last is None:
        return None
    closing = source.buffer[last : last + 1]
    closed = closing != b","
    text = b"[" + source.buffer[start:last] + (closing if closed else b"]")
    return _decode(decoder, text, number, source.position), last + 1, closed


def _last_cut(buffer: bytes, start: int, end: int) -> re.Match[bytes] | None:
    """Find the last place in a window where one object ends and another begins."""
    for probe in _CUT_PROBES:
        cuts = deque(_CUT.finditer(buffer, max(start, end - probe), end), maxlen=1)
        if cuts or end - probe <= start:
            return cuts[0] if cuts else None
    return None


def _last_end(buffer: bytes, start: int, end: int) -> int | None:
    """Find the last comma between two records, or the bracket that closes the array.

    Brackets are counted: slower than to look for a cut, and never wrong.
    """
    depth, last = 0, None
    for token in _STRUCTURE.finditer(buffer, start, end):
        kind = buffer[token.start()]
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
            if depth < 0:
                return token.start()
        elif kind == _COMMA and not depth:
            last = token.start()
    return last


def _decode(decoder: RecordDecoder, text: bytes, number: int, position: int) -> Batch:
    """Decode a whole array: at once if all are valid, else record by record."""
    try:
        text.decode()  # msgspec does not look into fields that it skips
        try:
            return Batch(decoder.array(text), [])
        except UNREADABLE as error:
            bad = bad_index(error)
            items = _RAW.decode(text)
    except UNREADABLE as error:
        raise FileRejectedError(locate(error, position, shift=1)) from error
    return decoder.items([bytes(item) for item in items], number, bad)

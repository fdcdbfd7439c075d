"""NDJSON: one JSON record on each line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from shared.records.batch import MAX_RECORD_BYTES, Batch, FileRejectedError, Rejection, Window
from shared.records.decoder import UNREADABLE, RecordDecoder, bad_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

    from shared.records.source import Source

_STRAY_BREAK: Final = re.compile(rb"\n(?:[^{]|(?<!\}\n)\{)")
_BLANK_LINE: Final = re.compile(rb"\n[ \t\r]*\n")


def parse_lines(source: Source, schema: type[Struct]) -> Iterator[Batch]:
    """Read the records of an NDJSON file. Blank lines are no records.

    Parameters
    ----------
    source
        The file, at its first record.
    schema
        The record's struct.

    Raises
    ------
    FileRejectedError
        If a line is too long.
    """
    decoder = RecordDecoder(schema)
    number, window = 1, Window()
    while block := cut_lines(source, window.size):
        batch = _decode(decoder, block, number)
        window.learn(len(block), batch)
        number += batch.size
        yield batch


def cut_lines(source: Source, window: int) -> bytes:
    """Take whole lines from the file, about `window` bytes of them; nothing at its end.

    Raises
    ------
    FileRejectedError
        If a line is too long.
    """
    while True:
        source.fill(window)
        if source.ended and source.available <= window:
            return source.take(len(source.buffer))
        end = source.buffer.rfind(b"\n", source.start, source.start + window) + 1
        if end:
            return source.take(end)
        if window > MAX_RECORD_BYTES:
            raise FileRejectedError(f"line at byte {source.position} is longer than {MAX_RECORD_BYTES} bytes")
        window *= 2


def _decode(decoder: RecordDecoder, block: bytes, number: int) -> Batch:
    text = (block.replace(b"\r\n", b"\n") if b"\r" in block else block).strip(b" \t\r\n")
    if not text:
        return Batch([], [])
    try:
        text.decode()  # msgspec does not look into fields that it skips
    except UnicodeDecodeError:
        return _decode_readable(decoder, _split(text), number)
    bad = None
    # Between } and { a line break can only stand between two records; with as many records as lines, each has its own.
    if not _STRAY_BREAK.search(text):
        try:
            records = decoder.lines(text)
        except UNREADABLE as error:
            bad = bad_index(error)
        else:
            if len(records) == text.count(b"\n") + 1:
                return Batch(records, [])
    return decoder.items(_split(text), number, bad)


def _split(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    return [line for line in lines if line.strip()] if _BLANK_LINE.search(text) else lines


def _decode_readable(decoder: RecordDecoder, lines: list[bytes], number: int) -> Batch:
    """Decode line by line, keeping those that are not UTF-8 from the decoder, which might skip over it."""
    batch = Batch([], [])
    for index, line in enumerate(lines, number):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            batch.rejected.append(Rejection(index, f"not UTF-8 at byte {error.start} of the line", line))
        else:
            one = decoder.items([line], index)
            batch.valid.extend(one.valid)
            batch.rejected.extend(one.rejected)
    return batch

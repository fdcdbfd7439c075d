"""NDJSON: one JSON record on each line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.records.batch import MAX_RECORD_BYTES, Batch, RecordTooLongError, Rejection, Window
from shared.records.decoder import UNREADABLE, RecordDecoder
from shared.records.reasons import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from msgspec import Struct

    from shared.records.source import Source


MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 2
"""The longest record, with CR LF."""


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
    RecordTooLongError
        If a line is too long.
    """
    decode = RecordDecoder(schema).record
    number, window = 1, Window()
    while block := cut_lines(source, window.size):
        batch = _decode(decode, block, number)
        number += batch.size
        yield batch


def cut_lines(source: Source, window: int) -> bytes:
    """Take whole lines from the file, about `window` bytes of them; nothing at its end.

    Raises
    ------
    RecordTooLongError
        If a line is too long.
    """
    while True:
        source.fill(window)
        last = source.ended and source.available <= window
        end = len(source.buffer) if last else source.buffer.rfind(b"\n", source.start, source.start + window) + 1
        if last or end:
            position = source.position
            return _check_lines(source.take(end), position)
        if window >= MAX_LINE_BYTES:
            raise RecordTooLongError(f"byte {source.position}")
        window *= 2


def _check_lines(block: bytes, position: int) -> bytes:
    """Return the lines of a block that begins at `position`, if none is too long."""
    if len(block) > MAX_RECORD_BYTES:
        for line in block.split(b"\n"):
            if len(line.removesuffix(b"\r")) > MAX_RECORD_BYTES:
                raise RecordTooLongError(f"byte {position}")
            position += len(line) + 1
    return block


def _decode(decode: Callable[[bytes], Struct], block: bytes, number: int) -> Batch:
    """Decode line by line: one call for all up to the next bad one, each line a record of its own."""
    lines = block.removesuffix(b"\n").split(b"\n")
    remaining = iter(lines)
    decode = decode if _is_utf8(block) else _checking(decode)
    batch = Batch([], [])
    while True:
        try:
            batch.valid.extend(map(decode, remaining))  # keeps those before the one that raises
        except UNREADABLE as error:
            line = lines[batch.size]
            if line.strip():
                batch.rejected.append(Rejection(number + batch.size, (explain(error),), line.removesuffix(b"\r")))
            else:  # where one is blank, more may be: an error for each would take long
                lines = [line for line in lines if line.strip()]
                remaining = iter(lines[batch.size :])
        else:
            return batch


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _checking(decode: Callable[[bytes], Struct]) -> Callable[[bytes], Struct]:
    """Make sure that lines are UTF-8: msgspec does not look into fields that it skips."""

    def check_and_decode(line: bytes) -> Struct:
        line.decode()
        return decode(line)

    return check_and_decode

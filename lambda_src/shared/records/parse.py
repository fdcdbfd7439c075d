"""Tells the format of a file by its content, and reads its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.csv_rows import parse_rows
from shared.records.decoder import UNREADABLE
from shared.records.json_array import parse_array
from shared.records.json_object import parse_object
from shared.records.ndjson import parse_lines
from shared.records.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgspec import Struct

    from shared.records.batch import Batch

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse(chunks: Iterable[bytes], schema: type[Struct], *, max_bytes: int) -> Iterator[Batch]:
    """Read the records of a file, in batches, with memory that does not grow with the file.

    A file that begins with ``[`` is a JSON array; one that begins with ``{`` is NDJSON if its first or second line is
    an object, unless the whole file is one; every other is CSV. Gzip is recognized by its first two bytes.

    Parameters
    ----------
    chunks
        The file as it is stored.
    schema
        The type of its records.
    max_bytes
        The most bytes that it may have, after decompression.

    Raises
    ------
    FileRejectedError
        If the file cannot be read as a whole, at the first place where that shows: batches may have come before.
    """
    source = Source(chunks, max_bytes)
    source.skip_whitespace()
    source.fill(2)
    head = source.buffer[source.start : source.start + 2]
    if not head:
        raise FileRejectedError("file is empty")
    if head in _UTF16_MARKS:
        raise FileRejectedError("not UTF-8 at byte 0: this is UTF-16")
    if head.startswith(b"["):
        return parse_array(source, schema)
    if not head.startswith(b"{"):
        return parse_rows(source, schema)
    return parse_lines(source, schema) if _has_lines(source) else parse_object(source, schema)


def _has_lines(source: Source) -> bool:
    """Tell NDJSON from one JSON object over several lines, though its first line may be damaged."""
    first, second = _first_lines(source)
    if _is_object(first):
        return True
    source.fill(MAX_RECORD_BYTES + 1)
    if source.ended and _is_object(source.buffer[source.start :]):
        return False
    return first.endswith(b"}") or _is_object(second)


def _first_lines(source: Source) -> tuple[bytes, bytes]:
    """Return the first two lines that are not blank, as far as they are whole where two records can reach."""
    size = 4096
    while True:
        source.fill(size)
        whole = source.ended and source.available <= size
        lines = source.buffer[source.start : source.start + size].split(b"\n")
        texts = [text for line in (lines if whole else lines[:-1]) if (text := line.strip())]
        if len(texts) > 1 or whole or size > 2 * MAX_RECORD_BYTES:
            first, second, *_ = *texts, b"", b""
            return first, second
        size *= 2


def _is_object(text: bytes) -> bool:
    try:
        _RAW.decode(text)
    except UNREADABLE:
        return False
    return text.startswith(b"{")

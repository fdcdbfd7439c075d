"""Tells the format of a file by its content, and reads its records."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.csv_rows import parse_rows
from shared.records.json_array import parse_array
from shared.records.json_object import parse_object
from shared.records.ndjson import parse_lines
from shared.records.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgspec import Struct

    from shared.records.batch import Batch

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def load_schema(name: str) -> type[Struct]:
    """Return the record type of a schema file.

    Parameters
    ----------
    name
        The name of a file in ``shared/records/schemas``, without its ending.

    Raises
    ------
    ModuleNotFoundError
        If there is none.
    """
    schema: type[Struct] = import_module(f"shared.records.schemas.{name}").RECORD
    return schema


def parse(chunks: Iterable[bytes], schema: type[Struct], *, max_bytes: int) -> Iterator[Batch]:
    """Read the records of a file, in batches, with memory that does not grow with the file.

    A file that begins with ``[`` is a JSON array; one that begins with ``{`` is NDJSON if its first line ends with
    ``}``, else one JSON object; every other is CSV. Gzip is told by its first two bytes.

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
    return parse_lines(source, schema) if _first_line(source).endswith(b"}") else parse_object(source, schema)


def _first_line(source: Source) -> bytes:
    """Return what stands in the first line, as far as a record can reach."""
    size = 4096
    while True:
        source.fill(size)
        end = source.buffer.find(b"\n", source.start, source.start + size)
        if end >= 0 or source.ended or size > MAX_RECORD_BYTES:
            return source.buffer[source.start : end if end >= 0 else None].rstrip()
        size *= 2

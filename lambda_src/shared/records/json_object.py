"""One JSON object: a file with a single record over several lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shared.records.batch import MAX_RECORD_BYTES, Batch, FileRejectedError, RecordTooLongError
from shared.records.decoder import UNREADABLE, RecordDecoder, locate
from shared.records.source import WHITESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

    from shared.records.source import Source

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


def parse_object(source: Source, schema: type[Struct]) -> Iterator[Batch]:
    """Read the one record of the file.

    Raises
    ------
    FileRejectedError
        If the file is not one valid JSON value, or too long for a record.
    """
    source.fill(MAX_RECORD_BYTES + 1)
    position = source.position
    text = source.buffer[source.start : source.start + MAX_RECORD_BYTES + 1].rstrip(WHITESPACE)
    source.take(source.start + len(text))
    source.skip_whitespace()
    if len(text) > MAX_RECORD_BYTES or source.available:
        raise RecordTooLongError(f"byte {position}")
    try:
        text.decode()
        _RAW.decode(text)
    except UNREADABLE as error:
        raise FileRejectedError(locate(error, position)) from error
    yield RecordDecoder(schema).items([text], 1)

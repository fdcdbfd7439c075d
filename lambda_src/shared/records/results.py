"""Where results lie in the bucket, and what each published record says of where it comes from."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from shared.records.encoder import RecordEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Struct

    from shared.records.batch import Batch
    from shared.records.output import OutputFile

_ENDING: Final = ".ndjson.gz"
_DIGITS: Final = 32
_MAX_SHOWN_NAME: Final = 64
_NOT_SHOWN: Final = re.compile(r"[^A-Za-z0-9.]+")


def result_key(prefix: str, record_type: str, modified: datetime, name: str) -> str:
    """Return the key of an object of results: its folders are the partitions of a table.

    Parameters
    ----------
    prefix
        Where results of this kind are, with its slash.
    record_type
        The name of the records' schema.
    modified
        When the records came; its day in UTC counts, so that whenever they are processed, the key is the same.
    name
        The object's own name, without its ending.
    """
    return f"{prefix}record_type={record_type}/day={modified.astimezone(UTC):%Y-%m-%d}/{name}{_ENDING}"


def file_name(key: str, version_id: str) -> str:
    """Return the name of the results of an uploaded file: another for each version, and safe whatever the key.

    A key may hold what a table takes for a folder of its own (``day=1/``), begin with what Athena hides (``_``, ``.``),
    and have no room for more behind it. So it is a hash, with as much of the file's name as is harmless behind it.
    """
    # S3's version ids are URL-ready, so the first NUL ends them.
    digest = hashlib.sha256(f"{version_id}\0{key}".encode()).hexdigest()[:_DIGITS]
    shown = _NOT_SHOWN.sub("-", key.rpartition("/")[2])[:_MAX_SHOWN_NAME]
    return f"file-{digest}-{shown}"


def request_name(item_id: str, content: str) -> str:
    """Return the name of the results of a request: `item_id` is its catalog item's, `content` its records' digest."""
    return f"api-{item_id.rpartition('/')[2]}-{content[:_DIGITS]}"


class Origin:
    """Where records come from: the members that each of them is published with, before its own.

    Parameters
    ----------
    file
        The key of the file; of a request, the id of its catalog item.
    version
        The file's version; of a request, its item's.
    modified
        When the version was stored, or the request came.
    schema
        The type of the records.
    """

    def __init__(self, *, file: str, version: str, modified: datetime, schema: type[Struct]) -> None:
        moment = modified.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")
        members = msgspec.json.encode({"_file": file, "_version": version, "_modified": moment})
        self._opening = members[:-1].replace(b"%", b"%%") + b',"_number":%d,'
        fields = msgspec.structs.fields(schema)
        self._may_be_empty = schema.__struct_config__.tag is None and not any(field.required for field in fields)

    def add_to(self, lines: bytes, numbers: Sequence[int]) -> bytes:
        """Add the members to rendered records.

        Parameters
        ----------
        lines
            JSON objects, each with its line feed.
        numbers
            Their numbers in the file, counted from 1.
        """
        # There may be millions of records: each step is one call for all of them, and one byte is found fastest.
        text = lines.replace(b"%", b"%%") if b"%" in lines else lines
        if text.count(b"{") == len(numbers):
            text = text.replace(b"{", self._opening)
        else:
            text = self._opening + text[1:].replace(b"\n{", b"\n" + self._opening)
        text %= tuple(numbers)
        # A record of nothing but defaults has no member of its own.
        return text.replace(b",}\n", b"}\n") if self._may_be_empty else text


class ResultFiles:
    """What one file's records become: the valid ones with their origin, and the rejected ones with their reasons.

    Parameters
    ----------
    processed, rejected
        Where they are written.
    origin
        Where they come from.
    """

    def __init__(self, processed: OutputFile, rejected: OutputFile, origin: Origin) -> None:
        self.processed = processed
        self.rejected = rejected
        self._origin = origin
        self._encoder = RecordEncoder()

    @property
    def count(self) -> int:
        """How many records have been written."""
        return self.processed.lines + self.rejected.lines

    def write(self, batch: Batch) -> None:
        """Write the next records of the file."""
        if batch.valid:
            numbers = batch.numbers(self.count + 1)
            self.processed.write(self._origin.add_to(self._encoder.records(batch.valid), numbers), len(numbers))
        if batch.rejected:
            self.rejected.write(self._encoder.rejections(batch.rejected), len(batch.rejected))

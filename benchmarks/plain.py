"""The plain way: the whole file in memory, the standard library, one check after the other.

It gives the same records and the same rejections as the streaming way, so it serves as the measure of its speed and,
in the tests, of its results.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float | datetime
Record: TypeAlias = dict[str, Value]

FILE: Final = "uploads/shipments/2026-11-20.csv"
VERSION: Final = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
MODIFIED: Final = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
"""Where the records are said to come from."""

_TEXT: Final = {"shipment_id": 64, "status": 256, "carrier": 256, "origin": 256, "destination": 256}
_NUMBERS: Final[Mapping[str, type[float | int]]] = {"weight_kg": float, "pieces": int}
_FIELDS: Final = ("shipment_id", "status", "timestamp", "carrier", "origin", "destination", "weight_kg", "pieces")
_REQUIRED: Final = frozenset({"shipment_id", "status", "timestamp"})
_SEPARATORS: Final = frozenset("Tt ")
_MAX_NUMBER: Final = 1_000_000
_render: Final = json.JSONEncoder(ensure_ascii=False, default=datetime.isoformat).encode
_DEFAULT_GZIP_LEVEL: Final = 9
"""What gzip.compress takes when it is not told."""


@dataclass(frozen=True)
class Result:
    """The valid records, cleaned, the numbers and reasons of the others, and these as they were read."""

    valid: list[Record] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    refused: list[object] = field(default_factory=list)


def read_array(body: bytes) -> Result:
    """Read a JSON array."""
    return _check(json.loads(_plain(body)))


def read_ndjson(body: bytes) -> Result:
    """Read NDJSON."""
    return _check(json.loads(line) for line in _plain(body).split("\n") if line.strip())


def read_csv(body: bytes) -> Result:
    """Read CSV with a header."""
    return _check(_rows(csv.DictReader(io.StringIO(_plain(body), newline="\n"), strict=True)))


def write(result: Result, level: int = _DEFAULT_GZIP_LEVEL) -> tuple[bytes, bytes]:
    """Render the valid and the rejected records, each as gzipped NDJSON.

    A rejected record is rendered anew: the standard library's readers keep no text of it.
    """
    rejected_numbers = {number for number, _ in result.rejected}
    numbers = (number for number in count(1) if number not in rejected_numbers)
    moment = MODIFIED.replace(tzinfo=None).isoformat(" ", "milliseconds")
    processed = (
        _render({"_file": FILE, "_version": VERSION, "_modified": moment, "_number": number, **record}) + "\n"
        for number, record in zip(numbers, result.valid, strict=False)
    )
    rejected = (
        _render({"number": number, "reasons": [_reason(text)], "record": _render(record)}) + "\n"
        for (number, text), record in zip(result.rejected, result.refused, strict=True)
    )
    return _compress(processed, level), _compress(rejected, level)


def _reason(text: str) -> dict[str, str | None]:
    field, _, fault = text.rpartition(": ")
    return {"field": field or None, "rule": "schema", "text": fault}


def _compress(lines: Iterable[str], level: int) -> bytes:
    return gzip.compress("".join(lines).encode(), level)


def _plain(body: bytes) -> str:
    return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode("utf-8-sig")


def _rows(reader: csv.DictReader[str]) -> Iterator[object]:
    """Read the rows, with None for one that breaks the rules: the reader goes on with the next line."""
    while True:
        try:
            for row in reader:
                yield _from_cells(row)
        except csv.Error:
            yield None
        else:
            return


def _from_cells(row: Mapping[str, str]) -> dict[str, object]:
    record: dict[str, object] = {name: cell for name, cell in row.items() if cell}
    for name, kind in _NUMBERS.items():
        cell = record.get(name)
        if isinstance(cell, str):
            with suppress(ValueError):
                record[name] = kind(cell)
    return record


def _check(records: Iterable[object]) -> Result:
    result = Result()
    for number, record in enumerate(records, 1):
        try:
            result.valid.append(_clean(record))
        except ValueError as error:
            result.rejected.append((number, str(error)))
            result.refused.append(record)
    return result


def _clean(record: object) -> Record:
    if not isinstance(record, dict):
        raise ValueError("record: is not an object")  # noqa: TRY004 - a reason, not a mistake in the program
    clean: Record = {}
    for name in _FIELDS:
        value = record.get(name)
        if value is not None:
            clean[name] = _clean_value(name, value)
        elif name in _REQUIRED:
            raise ValueError(f"{name}: is missing")
    return clean


def _clean_value(name: str, value: object) -> Value:
    if name in _TEXT:
        if not isinstance(value, str) or not 1 <= len(value) <= _TEXT[name]:
            raise ValueError(f"{name}: is not a text of 1 to {_TEXT[name]} characters")
        return value
    if name in _NUMBERS:
        allowed = (int, float) if _NUMBERS[name] is float else int
        if isinstance(value, bool) or not isinstance(value, allowed) or not 0 <= value <= _MAX_NUMBER:
            raise ValueError(f"{name}: is not a number from 0 to {_MAX_NUMBER}")
        return _NUMBERS[name](value)
    if not isinstance(value, str):
        raise ValueError(f"{name}: is not a text")  # noqa: TRY004
    if value[10:11] not in _SEPARATORS:  # Python takes any character there, RFC 3339 does not
        raise ValueError(f"{name}: is not a time as RFC 3339 has it")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{name}: has no offset")
    return moment

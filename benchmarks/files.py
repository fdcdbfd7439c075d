"""The files that are measured: shipment records with 1 % bad ones, of any size."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FORMATS: Final = ("array", "ndjson", "csv")
_BLOCK_RECORDS: Final = 20_000
_BAD_EVERY: Final = 100
_SEED: Final = 7
_COLUMNS: Final = ("shipment_id", "status", "timestamp", "carrier", "origin", "destination", "weight_kg", "pieces")


def write_file(path: Path, kind: str, size: int, *, zipped: bool) -> None:
    """Write a file of at least `size` bytes before compression: one block of records over and over."""
    with gzip.open(path, "wb", compresslevel=1) if zipped else path.open("wb") as file:
        for block in _blocks(kind, size):
            file.write(block)


def _blocks(kind: str, size: int) -> Iterator[bytes]:
    records = list(_records())
    if kind == "csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows([record[column] for column in _COLUMNS] for record in records)
        head, block, joint, tail = (",".join(_COLUMNS) + "\r\n").encode(), text.getvalue().encode(), b"", b""
    else:
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        separator = ", " if kind == "array" else "\n"
        block = separator.join(lines).encode()
        head, joint, tail = (b"[", b", ", b"]") if kind == "array" else (b"", b"\n", b"\n")
    yield head
    written = 0
    while written < size:
        yield (joint if written else b"") + block
        written += len(block)
    yield tail


def _records() -> Iterator[dict[str, str | float | int]]:
    source = random.Random(_SEED)  # noqa: S311 - test data
    cities = ("Köln", "Zürich", "Hamburg", "Wien", "Graz", "Berlin")
    for number in range(_BLOCK_RECORDS):
        bad = number % _BAD_EVERY == 0
        yield {
            "shipment_id": f"SHP-{number:08d}",
            "status": source.choice(("created", "in_transit", "delivered", "returned")),
            "timestamp": "2026-02-30T00:00:00Z" if bad else f"2026-11-{source.randint(1, 28):02d}T08:15:00+01:00",
            "carrier": source.choice(("DHL", "Hermes", "GLS", "UPS")),
            "origin": source.choice(cities),
            "destination": source.choice(cities),
            "weight_kg": source.randint(1, 4000) / 10,
            "pieces": source.randint(1, 30),
        }


@dataclass(frozen=True)
class Hostile:
    """An input that is made to be slow, and what must come of it: counts of records, or a rejection of the file."""

    body: bytes
    valid: int = 0
    rejected: int = 0
    whole_rejected: bool = False


def hostile(size: int) -> dict[str, Hostile]:
    """Return inputs of about `size` bytes that are made to be slow, by what they try."""
    good = '"shipment_id": "x", "status": "s", "timestamp": "2026-11-20T08:15:00Z"'
    line, header = f"{{{good}}}\n", "shipment_id,status,timestamp\n"
    short, long = (f'{{{good}, "more": "' + "},{" * count + '"}' for count in (1_000, 100_000))
    nested = f'{{{good}, "more": [' + ", ".join(['{"n": 1}'] * 500) + "]}"
    return {
        "array, strings of 3 KB of },{": _valid(short, ", ", size, "[", "]"),
        "array, strings of 300 KB of },{": _valid(long, ", ", size, "[", "]"),
        "array, records with 500 nested objects": _valid(nested, ", ", size, "[", "]"),
        "array of bad records": _bad('{"shipment_id": 1}', ", ", size, "[", "]"),
        # The first line tells that it is NDJSON: without it, the file is one object that ends at its first bytes.
        "NDJSON, bad JSON after a good line": _bad('{"shipment_id": ', "\n", size, line, valid=1),
        "NDJSON, lines of open brackets": _bad('{"a": ' + "[" * 2_000 + "}", "\n", size),
        "NDJSON, blank lines after a good line": Hostile((line + "\n" * (size - len(line))).encode(), valid=1),
        # A quarter of the file, so that the largest is as long as a line may be, and not longer.
        "CSV, a quarter is a header of commas": Hostile(
            (header[:-1] + "," * (size // 4 - len(header)) + "\n" + "x" * (size - size // 4)).encode(),
            whole_rejected=True,
        ),
        "CSV, every cell quoted": _valid('"a","s","2026-11-20T08:15:00Z"', "\n", size, header),
        "CSV, rows that are too short": _bad("a,s", "\n", size, header),
        "CSV, one quoted field after the other": _bad('"' + "a\n" * 30_000 + '",s,t', "\n", size, header),
    }


def _valid(record: str, joint: str, size: int, head: str = "", tail: str = "\n") -> Hostile:
    body, count = _repeat(record, joint, size, head, tail)
    return Hostile(body, valid=count)


def _bad(record: str, joint: str, size: int, head: str = "", tail: str = "\n", *, valid: int = 0) -> Hostile:
    body, count = _repeat(record, joint, size, head, tail)
    return Hostile(body, valid=valid, rejected=count)


def _repeat(record: str, joint: str, size: int, head: str, tail: str) -> tuple[bytes, int]:
    count = max(1, size // (len(record) + len(joint)))
    return (head + joint.join([record] * count) + tail).encode(), count

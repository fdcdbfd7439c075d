"""The files that are measured: shipment records with 1 % bad ones, of any size."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Iterator
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


def hostile(size: int) -> dict[str, bytes]:
    """Return inputs of `size` bytes that are made to be slow, by what they try."""
    good = '"status": "s", "timestamp": "2026-11-20T08:15:00Z"'
    cuts = f'{{"shipment_id": "x", {good}, "more": "' + "},{" * 100_000 + '"}'
    bad = '{"shipment_id": 1}'
    return {
        "strings of },{ in an array": _repeat(cuts, ", ", size, "[", "]"),
        "an array of bad records": _repeat(bad, ", ", size, "[", "]"),
        "lines of bad JSON": _repeat('{"shipment_id": ', "\n", size),
        "lines of open brackets": _repeat('{"a": ' + "[" * 2_000 + "}", "\n", size),
        "CSV with every cell quoted": _repeat(
            '"a","s","2026-11-20T08:15:00Z"', "\n", size, "shipment_id,status,timestamp\n"
        ),
        "CSV of rows that are too short": _repeat("a,s", "\n", size, "shipment_id,status,timestamp\n"),
        "one quoted field after the other": _repeat(
            '"' + "a\n" * 30_000 + '",s,t', "\n", size, "shipment_id,status,timestamp\n"
        ),
    }


def _repeat(record: str, joint: str, size: int, head: str = "", tail: str = "\n") -> bytes:
    count = max(1, size // (len(record) + len(joint)))
    return (head + joint.join([record] * count) + tail).encode()

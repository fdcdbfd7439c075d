"""Every odd input of docs/records.md has the outcome that stands there: one case for each row of its table."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.stack_config import ROOT
from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.parse import parse
from shared.records.schemas import load_schema
from tests.lambda_src.records.gzip_members import gzip_member

SHIPMENT: Final = load_schema("shipment")
MAX_BYTES: Final = 5_000_000
GOOD: Final = '{"shipment_id": "a", "status": "s", "timestamp": "2026-11-20T08:15:00Z"}'
ROW: Final = "a,s,2026-11-20T08:15:00Z"
HEAD: Final = "shipment_id,status,timestamp"


def good(more: str) -> str:
    """A valid record with one more member."""
    return GOOD[:-1] + f", {more}}}"


def zipped(text: str) -> bytes:
    return gzip.compress(text.encode())


SURROGATE: Final = good('"carrier": "\\ud800"')

# case → file, valid records, rejected records as number and reason
READ: Final[dict[str, tuple[str | bytes, int, list[tuple[int, str]]]]] = {
    "byte order mark": ("\ufeff" + GOOD, 1, []),
    "CRLF line ends": (f"{HEAD}\r\n{ROW}\r\n{ROW}\r\n", 2, []),
    "quoted line feed in CSV": (f'{HEAD}\n"a\nb",s,2026-11-20T08:15:00Z\n{ROW}\n', 2, []),
    "quote in an unquoted cell": (f'{HEAD}\n5" pipe,s,2026-11-20T08:15:00Z\n{ROW}\n', 2, []),
    "blank lines": (f"{GOOD}\n\n \n{GOOD}\n\n", 2, []),
    "blank lines in CSV": (f"{HEAD}\n\n{ROW}\n\n\n{ROW}\n", 2, []),
    "carriage return alone in an unquoted cell": (
        f"{HEAD}\na,s\r{ROW}\n{ROW}\r\r\na\rb,s,2026-02-30T00:00:00Z\n{ROW}\r\n\r\r\n{ROW}\r",
        1,
        [(number, "record: holds a carriage return without a line feed") for number in (1, 2, 3, 5, 6)],
    ),
    "carriage return alone in a quoted cell": (f'{HEAD}\n"a\rb",s,2026-11-20T08:15:00Z\n{ROW}\n', 2, []),
    "number as a time in CSV": (f"{HEAD}\na,s,1700000000\nb,s,-1\nc,s,1700000000.5\n", 3, []),
    "`null` in a numeric cell": (f"{HEAD},pieces\n{ROW},null\n{ROW},NULL\n", 2, []),
    "NaN or Infinity in CSV": (
        f"{HEAD},weight_kg\n{ROW},NaN\n{ROW},inf\n{ROW},1\n",
        1,
        [(1, "weight_kg: expected float >= 0"), (2, "weight_kg: expected float <= 1000000")],
    ),
    "`5.0` or `1e2` as a whole number in CSV": (f"{HEAD},pieces\n{ROW},5.0\n{ROW},1e2\n", 2, []),
    "row with too many cells": (f"{HEAD}\n{ROW},\n{ROW}\n", 1, [(1, "record: has 4 cells, the header has 3")]),
    "row with too few cells": (f"{HEAD}\na,s\n{ROW}\n", 1, [(1, "record: has 2 cells, the header has 3")]),
    "empty cell of a required column": (f"{HEAD}\n,s,2026-11-20T08:15:00Z\n", 0, [(1, "shipment_id: is missing")]),
    "member or column that the schema does not name": (f"[{good(chr(34) + 'more' + chr(34) + ': [1]')}]", 1, []),
    "optional column that is missing": (f"{HEAD}\n{ROW}\n", 1, []),
    "member that appears twice": (
        "\n".join([good('"status": 7'), '{"status": 7, ' + GOOD[1:], good('"status": "z"')]),
        1,
        [(1, "status: expected str, got int"), (2, "status: expected str, got int")],
    ),
    "NaN or Infinity in NDJSON": (
        f"{good(chr(34) + 'weight_kg' + chr(34) + ': NaN')}\n{GOOD}",
        1,
        [(1, "record: not valid JSON: invalid character (byte 86)")],
    ),
    "integer beyond 64 bits": (good(f'"pieces": {10**30}'), 0, [(1, "pieces: expected int <= 1000000")]),
    "number too large for a float": (good('"weight_kg": 1e999'), 0, [(1, "weight_kg: number out of range")]),
    "lone surrogate in NDJSON": (
        f"{SURROGATE}\n{GOOD}",
        1,
        [(1, "record: not valid JSON: ")],
    ),
    "invalid UTF-8 in NDJSON": (
        f"{GOOD}\n".encode() + b'{"x": "\xff"}',
        1,
        [(2, "record: not UTF-8 at byte 7 of the record")],
    ),
    "invalid UTF-8 in CSV": (
        f"{HEAD}\n{ROW}\n".encode() + b"\xff,s,t\n",
        1,
        [(2, "record: not UTF-8 at byte 0 of")],
    ),
    "deep nesting in NDJSON": (
        good('"more": ' + "[" * 200_000 + "]" * 200_000) + "\n" + GOOD,
        1,
        [(1, "record: nested too deeply")],
    ),
    "line that is no JSON": (
        f"{GOOD}\n{{oops}}\n{GOOD}",
        2,
        [(2, "record: not valid JSON: object keys must be strings (byte 1)")],
    ),
    "first line that is no JSON": (
        f"{GOOD[:30]}\n{GOOD}\n{GOOD}",
        2,
        [(1, "record: not valid JSON: ")],
    ),
    "one object whose first line ends in a bracket": (f'{{"more": {{}}\n, {GOOD[1:]}', 1, []),
    "records with nested arrays of objects": (
        json.dumps([{**json.loads(GOOD), "parcels": [{"code": "P"}] * 50_000}] * 3),
        3,
        [],
    ),
    "two records on one line": (
        f"{GOOD}\n{GOOD}{GOOD}\n{GOOD}",
        2,
        [(2, "record: not valid JSON: trailing characters (byte 73)")],
    ),
    "element that is no object": (f"[1, {GOOD}]", 1, [(1, "record: expected object, got int")]),
    "one object over several lines": (json.dumps(json.loads(GOOD), indent=1), 1, []),
    "several gzip members": (zipped(GOOD + "\n") + zipped(GOOD), 2, []),
    "gzip header with a checksum, or with several optional fields": (
        b"".join(
            gzip_member(f"{GOOD}\n".encode(), **fields)
            for fields in ({"checksum": True}, {"extra": b"extra", "name": b"name", "comment": b"comment"})
        ),
        2,
        [],
    ),
    "white space after the array": (f"[{GOOD}]" + " \n" * MAX_RECORD_BYTES, 1, []),
    "gzip padded with zeros": (zipped(GOOD) + b"\0" * 100, 1, []),
    "empty array, or a header alone": ("[]", 0, []),
}

# case → file, what the rejection says
REJECTED: Final[dict[str, tuple[str | bytes, str]]] = {
    "empty file": (" \n", "file is empty"),
    "UTF-16": ("[]".encode("utf-16"), "not UTF-8 at byte 0: this is UTF-16"),
    "array that is cut off": (f"[{GOOD}, ", "not valid JSON after byte 1: input data was truncated"),
    "trailing comma in an array": (f"[{GOOD},]", "not valid JSON at byte 74: trailing comma in array"),
    "bytes after the array": (f"[{GOOD}] x", "not valid JSON at byte 76: trailing characters"),
    "NaN or Infinity in an array": ('[{"weight_kg": NaN}]', "not valid JSON at byte 15: invalid character"),
    "lone surrogate in an array": (f"[{SURROGATE}]", "not valid JSON "),
    "invalid UTF-8 in an array": (b'[{"x": "\xff"}]', "not UTF-8 at byte 8"),
    "deep nesting in an array": ("[" * 100_000, "nested too deeply after byte 1"),
    "one endless record in an array": ('[{"x": "' + "y" * 3 * MAX_RECORD_BYTES, "record at byte 1 is longer than"),
    "one endless line": (GOOD + "\n" + '{"x": "' + "y" * 3 * MAX_RECORD_BYTES, "record at byte 73 is longer than"),
    "one endless object": ('{\n"x": "' + "y" * 2 * MAX_RECORD_BYTES, "record at byte 0 is longer than"),
    "quoted cell that is not closed": (f'{HEAD}\n{ROW}\n"a', "quoted field of the record at line 3 is not closed"),
    "one endless quoted cell": (f'{HEAD}\n"' + "y\n" * 2 * MAX_RECORD_BYTES, "record at line 2 is longer than"),
    "required column that is missing": ("shipment_id,status\na,s\n", "header has no column timestamp"),
    "column that is named twice": (f"{HEAD},status\n{ROW},s\n", "header names 'status' twice"),
    "carriage return alone in the header": (f"{HEAD}\r{ROW}\n", "header holds a carriage return without a line feed"),
    "header of more than 1,000 columns": (
        "," * 1_000_000 + "\n",
        "header has 1000001 columns, more than the limit of 1000",
    ),
    "truncated gzip": (zipped(GOOD)[:-9], "gzip is cut off after"),
    "damaged gzip": (zipped(GOOD)[:-8] + b"\0" * 8, "gzip is damaged near byte"),
    "bytes after gzip": (zipped(GOOD) + b"more", "gzip is followed by other bytes"),
    "more than 10,000 gzip members without content": (
        zipped("") * 10_001 + zipped(GOOD),
        "gzip has more than 10000 members without content",
    ),
    "gzip bomb": (zipped(" " * 20_000_000), "file expands to more than 5000000 bytes"),
}


def read(body: str | bytes, size: int = 1000) -> tuple[int, list[tuple[int, str]]]:
    content = body.encode() if isinstance(body, str) else body

    def chunks() -> Iterator[bytes]:
        yield from (content[start : start + size] for start in range(0, len(content), size))

    valid, rejected = 0, []
    for batch in parse(chunks(), SHIPMENT, max_bytes=MAX_BYTES):
        valid += len(batch.valid)
        rejected += [(rejection.number, str(rejection.reasons[0])) for rejection in batch.rejected]
    return valid, rejected


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    body, expected, rejections = READ[case]

    valid, rejected = read(body)

    assert (valid, [number for number, _ in rejected]) == (expected, [number for number, _ in rejections])
    for (_, reason), (_, begins) in zip(rejected, rejections, strict=True):
        assert reason.startswith(begins)


@pytest.mark.parametrize("case", REJECTED)
def test_what_is_rejected_as_a_whole(case: str) -> None:
    body, reason = REJECTED[case]

    with pytest.raises(FileRejectedError) as error:
        read(body)

    assert str(error.value).startswith(reason)


def test_the_table_of_outcomes_names_exactly_these_cases() -> None:
    text = (ROOT / "docs" / "records.md").read_text()
    table = text.partition("| input | outcome |")[2].partition("\n\n")[0]

    assert {line.split("|")[1].strip() for line in table.splitlines()[2:]} == {*READ, *REJECTED}


@given(st.integers(1, 40))
def test_chunks_of_any_size_give_the_same(size: int) -> None:
    for body, expected, _ in (READ["several gzip members"], READ["byte order mark"], READ["quoted line feed in CSV"]):
        assert read(body, size)[0] == expected


def test_as_many_columns_as_are_allowed_are_read() -> None:
    head = ",".join([HEAD, *(f"more_{index}" for index in range(997))])

    assert read(f"{head}\n{ROW}{',x' * 997}\n") == (1, [])
    with pytest.raises(FileRejectedError, match=r"^header has 1001 columns"):
        read(f"{head},one\n{ROW}{',x' * 998}\n")


def test_a_reason_holds_no_more_than_the_beginning_of_a_name() -> None:
    name = "n" * 200_000

    with pytest.raises(FileRejectedError) as error:
        read(f"{HEAD},{name},{name}\n{ROW},,\n")

    assert str(error.value) == f"header names '{'n' * 64}…' twice"

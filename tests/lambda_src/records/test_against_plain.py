"""Whatever the file, however it comes in chunks: the streaming way gives what a plain whole-file parse gives."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks import plain
from shared.records import batch as batch_module
from shared.records import json_array
from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.parse import parse
from shared.records.schemas import load_schema

SHIPMENT: Final = load_schema("shipment")
MAX_BYTES: Final = 10_000_000

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["},{", '"', "\\", '"},{"', "]", "a,b", "x\ny"]
)
_TIMES = st.sampled_from(
    ["2026-11-20T08:15:00Z", "2026-11-20T08:15:00+01:00", "2026-02-30T00:00:00Z", "2026-11-20T08:15:00", "soon", ""]
)
_NUMBERS = st.integers(-2, 2_000_000) | st.floats(-1, 1e7, allow_nan=False) | st.just(10**30)
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
)
_RECORDS = st.fixed_dictionaries(
    {"shipment_id": _TEXT, "status": _TEXT, "timestamp": _TIMES},
    optional={"carrier": _TEXT, "weight_kg": _NUMBERS, "pieces": _NUMBERS, "more": _JUNK, "origin": _JUNK},
)
_OBJECTS = st.one_of(
    _RECORDS, _RECORDS, _RECORDS, st.dictionaries(st.sampled_from(["shipment_id", "x"]), _JUNK, max_size=2)
)
_SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n  ", " : ")])


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def stream(body: bytes, size: int, *, zipped: bool) -> tuple[list[plain.Record], list[int]]:
    """The streaming way's valid records, and the numbers of the others."""
    valid: list[plain.Record] = []
    rejected: list[int] = []
    body = gzip.compress(body) if zipped else body
    number = 0
    for part in parse(chunks(body, size), SHIPMENT, max_bytes=MAX_BYTES):
        number += part.size
        records = msgspec.convert(part.valid, list[SHIPMENT], from_attributes=True)  # type: ignore[valid-type]
        valid += [{k: v for k, v in msgspec.structs.asdict(r).items() if v is not None} for r in records]
        rejected += [rejection.number for rejection in part.rejected]
        assert all(n <= number for n in rejected)
    return valid, rejected


def agree(body: bytes, expected: plain.Result, size: int, *, zipped: bool) -> None:
    valid, rejected = stream(body, size, zipped=zipped)
    assert valid == expected.valid
    assert rejected == [number for number, _ in expected.rejected]


@pytest.fixture(autouse=True, params=[64, 32 * 1024], ids=["tiny windows", "real windows"])
def _windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts fall everywhere when a window is shorter than a record."""
    monkeypatch.setattr(batch_module, "WINDOW_BYTES", request.param)
    monkeypatch.setattr(batch_module, "_MIN_WINDOW_BYTES", 16)


@settings(deadline=None)
@given(st.lists(_OBJECTS, min_size=1, max_size=12), _SEPARATORS, st.integers(1, 300), st.booleans(), st.booleans())
@example(
    [{"shipment_id": "},{" * 20, "status": "s", "timestamp": "2026-11-20T08:15:00Z"}] * 3, (",", ":"), 7, False, True
)
def test_arrays(records: list[object], separators: tuple[str, str], size: int, zipped: bool, escaped: bool) -> None:
    body = json.dumps(records, separators=separators, ensure_ascii=escaped).encode()

    agree(body, plain.read_array(body), size, zipped=zipped)


def test_an_array_whose_records_hold_more_cuts_than_ends() -> None:
    """Nearly every place that looks like a cut is in a nested array, or in a string, for longer than any window."""
    times = {"status": "created", "timestamp": "2026-11-20T08:15:00Z"}
    parcels = [{"code": f"P{number}", "weight": {"kg": number}} for number in range(40)]
    records = [{"shipment_id": f"S{number}", **times, "parcels": parcels} for number in range(1500)]
    records += [{"shipment_id": f"T{number}", **times, "note": "},{" * 300} for number in range(1500)]
    body = json.dumps(records, separators=(",", ":")).encode()
    assert len(body) > 3 * MAX_RECORD_BYTES

    agree(body, plain.read_array(body), 100_000, zipped=False)


def test_windows_that_are_read_again_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of hostile strings is read a few times, not once for each of them."""
    read = list[int]()
    real = json_array._decode_window  # noqa: SLF001

    def counting(*arguments: object) -> object:
        read.append(arguments[2])  # type: ignore[arg-type]
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(json_array, "_decode_window", counting)
    record = {"shipment_id": "S", "status": "},{" * 250_000, "timestamp": "2026-11-20T08:15:00Z"}
    body = json.dumps([record] * 4, separators=(",", ":")).encode()

    stream(body, 100_000, zipped=False)

    assert sum(read) <= 4 * len(body)


@settings(deadline=None)
@given(
    st.lists(_OBJECTS, min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n", "\n\n", " \n"]),
    st.integers(1, 300),
    st.booleans(),
)
def test_ndjson(records: list[object], end: str, size: int, zipped: bool) -> None:
    body = "".join(json.dumps(record) + end for record in records).encode()

    agree(body, plain.read_ndjson(body.replace(b"\r\n", b"\n")), size, zipped=zipped)


_CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
_ID = _CELLS | st.sampled_from(["a\rb", "\r", "\r,", '\r"'])
_ROWS = st.tuples(_ID, _CELLS, _TIMES, st.just("") | _CELLS, st.sampled_from(["", "1.5", "-1", "x", "2e3"]))


def render(cells: tuple[str, ...]) -> str:
    """Render a row with carriage returns out of quotes, which the csv module writes only in quotes."""
    if any("\r" in cell for cell in cells):  # a bad line ends its record, whatever is open
        cells = tuple(cell.replace("\n", "") for cell in cells)
    return ",".join('"' + cell.replace('"', '""') + '"' if re.search('[,"\n]', cell) else cell for cell in cells)


@settings(deadline=None)
@given(
    st.lists(_ROWS, min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 300),
    st.booleans(),
    st.booleans(),
)
@example([("a\rb", "s", "2026-11-20T08:15:00Z", "", ""), ("a", "s", "soon", "", "")], "\n", 300, False, False)
def test_csv(rows: list[tuple[str, ...]], end: str, size: int, zipped: bool, quoted: bool) -> None:
    text = io.StringIO(newline="")
    text.write("shipment_id,status,timestamp,carrier,weight_kg" + end)
    if quoted:
        csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        text.writelines(render(row) + end for row in rows)
    body = text.getvalue().encode()

    agree(body, plain.read_csv(body), size, zipped=zipped)


@settings(deadline=None)
@given(st.text(st.sampled_from('a,"\r\n\t'), max_size=120), st.integers(1, 50))
@example('a,b,c\n"\ra,b\r"x\n\r\r\n,\r', 50)
def test_csv_is_the_same_in_any_windows(text: str, size: int) -> None:
    body = ("shipment_id,status,timestamp\n" + text + "\nlast,s,2026-11-20T08:15:00Z\n").encode()

    assert outcome(body, size) == outcome(body, len(body), window=1024 * 1024)


def outcome(body: bytes, size: int, window: int | None = None) -> list[tuple[int, str, bytes]] | str:
    """The rejections, or the file's."""
    with pytest.MonkeyPatch.context() as patch:
        if window:
            patch.setattr(batch_module, "WINDOW_BYTES", window)
        try:
            batches = list(parse(chunks(body, size), SHIPMENT, max_bytes=MAX_BYTES))
        except FileRejectedError as error:
            return str(error)
    return [(r.number, str(r.reasons[0]), r.record) for part in batches for r in part.rejected]


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.integers(1, 50))
def test_any_bytes_end_in_records_or_a_clear_rejection(body: bytes, size: int) -> None:
    reason = ""
    try:
        stream(body, size, zipped=False)
    except FileRejectedError as error:
        reason = str(error) or "none"
    assert reason != "none"


@settings(deadline=None)
@given(st.lists(_RECORDS, min_size=1, max_size=5), st.integers(0, 400), st.sampled_from(b'",:{}[]\\x\xff'))
def test_a_damaged_array_is_rejected_exactly_if_it_is_no_json(records: list[object], place: int, byte: int) -> None:
    body = bytearray(json.dumps(records).encode())
    body[1 + place % (len(body) - 1)] = byte
    try:
        # A lone surrogate, which the standard library takes, is no text.
        json.dumps(json.loads(body), ensure_ascii=False).encode()
        expected = plain.read_array(bytes(body))
    except (ValueError, AttributeError):
        expected = None
    if expected is None:
        with pytest.raises(FileRejectedError):
            stream(bytes(body), 50, zipped=False)
    else:
        agree(bytes(body), expected, 50, zipped=False)

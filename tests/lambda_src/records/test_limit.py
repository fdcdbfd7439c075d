"""One limit for a record, whatever its format, its neighbours, the chunks and the windows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.records import batch as batch_module
from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.parse import parse
from shared.records.schemas import load_schema

SHIPMENT: Final = load_schema("shipment")
LIMIT: Final = MAX_RECORD_BYTES
HEADER: Final = "shipment_id,status,timestamp,more\n"
MEMBERS: Final = '{"shipment_id": "s", "status": "s", "timestamp": "2026-11-20T08:15:00Z", "more": "'
CELLS: Final = "s,s,2026-11-20T08:15:00Z,"


def as_object(size: int, filler: str) -> str:
    text = json.dumps(filler * size)[1:-1]
    return MEMBERS + text[: size - len(MEMBERS) - 2] + '"}'


def as_row(size: int, filler: str) -> str:
    return CELLS + (filler * size)[: size - len(CELLS)]


def as_quoted_row(size: int, filler: str) -> str:
    return CELLS + '"' + (filler * size)[: size - len(CELLS) - 2] + '"'


def as_long_quoted_row(size: int, filler: str) -> str:
    """A row of many lines."""
    return CELLS + '"' + (f"{filler}\n" * size)[: size - len(CELLS) - 2] + '"'


def in_array(records: list[str]) -> str:
    return "[" + ",".join(records) + "]"


def in_spaced_array(records: list[str]) -> str:
    return "[\n" + ",\n  ".join(records) + "]" + "\n" * 100


def in_lines(records: list[str]) -> str:
    return "\n".join(records) + "\n"


def in_crlf_lines(records: list[str]) -> str:
    return "\r\n".join(records) + "\r\n"


def in_csv(records: list[str]) -> str:
    return HEADER + "\n".join(records)


def in_crlf_csv(records: list[str]) -> str:
    return HEADER + "\r\n".join(records) + "\r\n"


FORMATS: Final[list[tuple[Callable[[int, str], str], Callable[[list[str]], str]]]] = [
    (as_object, in_array),
    (as_object, in_spaced_array),
    (as_object, in_lines),
    (as_object, in_crlf_lines),
    (as_row, in_csv),
    (as_row, in_crlf_csv),
    (as_quoted_row, in_csv),
    (as_long_quoted_row, in_csv),
    (as_long_quoted_row, in_crlf_csv),
]
SIZES: Final = [200, LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, LIMIT + 3, LIMIT * 3 // 2, 2 * LIMIT, 2 * LIMIT + 1]


def read(body: bytes, size: int) -> int | str:
    """How many records are valid, or the reason that the file is rejected for."""

    def chunks() -> Iterator[bytes]:
        yield from (body[start : start + size] for start in range(0, len(body), size))

    try:
        batches = list(parse(chunks(), SHIPMENT, max_bytes=100 * LIMIT))
    except FileRejectedError as error:
        return str(error)
    assert not any(batch.rejected for batch in batches)
    return sum(len(batch.valid) for batch in batches)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.sampled_from([150, 3000, 50_000]), max_size=12),
    st.sampled_from(SIZES),
    st.lists(st.sampled_from([150, 50_000, LIMIT]), max_size=3),
    st.sampled_from(["x", "},{", "xy,z"]),
    st.sampled_from([1000, 256 * 1024]),
    st.sampled_from([64, 32 * 1024, LIMIT + 1]),
)
@example((as_object, in_array), [], 2 * LIMIT, [], "x", 256 * 1024, 32 * 1024)
@example((as_object, in_lines), [], LIMIT + 1, [], "x", 256 * 1024, 32 * 1024)
@example((as_long_quoted_row, in_crlf_csv), [150], LIMIT * 3 // 2, [], "x", 256 * 1024, 32 * 1024)
@example((as_long_quoted_row, in_crlf_csv), [150], LIMIT, [150], "x", 256 * 1024, 32 * 1024)
@example((as_long_quoted_row, in_crlf_csv), [], LIMIT, [150], "x", 256 * 1024, LIMIT + 1)
@example((as_long_quoted_row, in_csv), [], LIMIT + 1, [150], "x", 256 * 1024, LIMIT + 1)
@example((as_quoted_row, in_csv), [], LIMIT + 1, [], "x", 256 * 1024, 32 * 1024)
@example((as_object, in_crlf_lines), [], LIMIT, [150], "x", 256 * 1024, LIMIT + 1)
def test_a_record_is_read_up_to_the_limit_and_rejects_the_file_beyond(
    formats: tuple[Callable[[int, str], str], Callable[[list[str]], str]],
    before: list[int],
    size: int,
    after: list[int],
    filler: str,
    chunk: int,
    window: int,
) -> None:
    one, many = formats
    filler = filler if one in {as_object, as_quoted_row} else "x"
    records = [one(length, filler) for length in (*before, size, *after)]
    assert len(records[len(before)]) == size
    body = many(records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, "WINDOW_BYTES", window)
        outcome = read(body.encode(), chunk)

    if size <= LIMIT:
        assert outcome == len(records)
    else:
        place = body.index(records[len(before)])
        line = body.count("\n", 0, place) + 1
        reason = f"is longer than {LIMIT} bytes"
        assert outcome in {f"record at byte {place} {reason}", f"record at line {line} {reason}"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tail", ["", "\n", " " * 3 * LIMIT])
def test_so_is_an_object_over_several_lines(size: int, tail: str) -> None:
    body = "{\n" + as_object(size - 1, "x")[1:] + tail

    outcome = read(body.encode(), 256 * 1024)

    assert outcome == (1 if size <= LIMIT else f"record at byte 0 is longer than {LIMIT} bytes")


def test_white_space_in_an_object_counts() -> None:
    body = "{\n" + as_object(300, "x")[1:-1] + " " * LIMIT + "}"

    assert read(body.encode(), 256 * 1024) == f"record at byte 0 is longer than {LIMIT} bytes"


@pytest.mark.parametrize("tail", ["]", " ]\n", "}" + " " * 300, "]" + " " * 300, "x", "]x", "]" + " " * 300 + "]"])
def test_an_array_ends_the_same_in_any_windows(tail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma, or the closing bracket, may be the last byte that is looked at."""
    monkeypatch.setattr(batch_module, "WINDOW_BYTES", 64)
    closed = tail.strip() == "]"

    for size in range(100, 140):
        record = as_object(size, "x")
        for records in ([record], [record] * 3):
            whole = read(("[" + ",".join(records) + tail).encode(), 10**6)
            with_comma = read(("[" + ",".join(records) + "," + tail).encode(), 10**6)

            assert (whole == len(records)) if closed else str(whole).startswith("not valid JSON")
            assert str(with_comma).startswith("not valid JSON")

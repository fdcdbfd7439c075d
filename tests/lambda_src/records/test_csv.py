"""A schema says the same of a CSV row as of a JSON object, and a long record is read again only a few times."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Final

import msgspec
import pytest
from msgspec import Meta, Struct, UnsetType

from shared.records import csv_rows
from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.ndjson import cut_lines
from shared.records.parse import parse
from shared.records.schemas import load_schema
from shared.records.source import Source

MAX_BYTES: Final = 5_000_000


class Stay(Struct, rename="camel"):
    """Two rules that hold between fields, and every kind of default."""

    first_day: date
    last_day: date
    paid_at: Annotated[datetime, Meta(tz=True)] | None = None
    guests: int = 2
    room: int | None = 7
    tags: list[str] = msgspec.field(default_factory=list)
    note: str | UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError("ends before it begins")


def read(rows: list[dict[str, str]], render: Callable[[list[dict[str, str]]], str]) -> object:
    """The valid records, and the numbers and reasons of the others."""
    batches = list(parse([render(rows).encode()], Stay, max_bytes=MAX_BYTES))
    return (
        [record for batch in batches for record in batch.valid],
        [(rejection.number, rejection.reason) for batch in batches for rejection in batch.rejected],
    )


def as_json(rows: list[dict[str, str]]) -> str:
    """Leave out what is empty, and write whole numbers as such."""
    return json.dumps([{k: int(v) if k in {"guests", "room"} else v for k, v in row.items() if v} for row in rows])


def as_csv(rows: list[dict[str, str]]) -> str:
    return ",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows)


def as_quoted_csv(rows: list[dict[str, str]]) -> str:
    return as_csv(rows[:1]) + "".join(",".join(f'"{cell}"' for cell in row.values()) + "\n" for row in rows[1:])


def stay(**cells: str) -> dict[str, str]:
    names = ["firstDay", "lastDay", "paidAt", "guests", "room", "note", "unknown"]
    return dict.fromkeys(names, "") | {"firstDay": "2026-11-20", "lastDay": "2026-11-21"} | cells


@pytest.mark.parametrize("render", [as_csv, as_quoted_csv])
@pytest.mark.parametrize("filler", [0, 100])
def test_a_row_has_the_defaults_and_rules_of_an_object(
    render: Callable[[list[dict[str, str]]], str], filler: int
) -> None:
    rows = [
        stay(),
        stay(guests="3", room="1", note="n"),
        *[stay()] * filler,
        stay(lastDay="2026-11-19"),
        stay(paidAt="2026-11-20T08:15:00Z"),
        *(stay(paidAt=when) for when in ("soon", "2026-11-20T08:15:00")),
        stay(firstDay=""),
    ]

    assert read(rows, render) == read(rows, as_json)


def test_the_records_are_of_the_schema() -> None:
    (batch,) = parse([as_csv([stay()]).encode()], Stay, max_bytes=MAX_BYTES)

    assert batch.valid == [Stay(date(2026, 11, 20), date(2026, 11, 21))]


def test_a_long_cell_is_read_again_only_as_often_as_the_window_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def count(source: Source, window: int) -> bytes:
        block = cut_lines(source, window)
        sizes.append(len(block))
        return block

    monkeypatch.setattr(csv_rows, "cut_lines", count)
    body = b"shipment_id,status,timestamp\n" + b"bad\n" * 50_000 + b'"' + b"y\n" * (MAX_RECORD_BYTES // 2)
    shipment = load_schema("shipment")

    with pytest.raises(FileRejectedError, match="is not closed"):
        list(parse([body], shipment, max_bytes=MAX_BYTES))

    assert sum(sizes) < 4 * len(body) + 100_000

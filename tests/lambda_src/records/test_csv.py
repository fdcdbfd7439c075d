"""A schema says the same of a CSV row as of a JSON object, and a long record is read again only a few times."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Final, NewType

import msgspec
import pytest
from msgspec import Meta, Struct, UnsetType

from shared.records import csv_rows
from shared.records.batch import MAX_RECORD_BYTES, FileRejectedError
from shared.records.encoder import RecordEncoder
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
        [(rejection.number, str(rejection.reasons[0])) for batch in batches for rejection in batch.rejected],
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


class Report(Struct, tag="report", tag_field="kind", forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What a file's sender may get wrong beside a field."""

    room_number: int = 7
    guest: str = msgspec.field(name="Guest!")


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"roomNumber": "1", "Guest!": "a", "kind": "report"}, ""),
        ({"roomNumber": "1", "Guest!": "a", "kind": ""}, ""),
        ({"roomNumber": "", "Guest!": "a"}, ""),
        ({"Guest!": "a", "kind": "other"}, "kind"),
        ({"Guest!": "a", "kind": "Report"}, "kind"),
        ({"roomNumber": "x", "Guest!": "a"}, "roomNumber"),
        ({"roomNumber": "1", "Guest!": ""}, "Guest!"),
    ],
)
@pytest.mark.parametrize("render", [as_csv, as_quoted_csv])
def test_a_row_obeys_the_tag_and_the_names_of_a_schema(
    render: Callable[[list[dict[str, str]]], str], cells: dict[str, str], fault: str
) -> None:
    in_json = json.dumps([{k: int(v) if v.isdigit() else v for k, v in cells.items() if v}])

    for body in (in_json, render([cells, cells])):
        batches = list(parse([body.encode()], Report, max_bytes=MAX_BYTES))

        faults = {str(rejection.reasons[0]).partition(":")[0] for batch in batches for rejection in batch.rejected}
        assert faults == ({fault} if fault else set())
        published = [
            json.loads(line) for batch in batches for line in RecordEncoder().records(batch.valid).splitlines()
        ]
        assert {line["kind"] for line in published} == (set() if fault else {"report"})


class Numbered(Struct, tag=3):
    """A tag that is a number, in a member of msgspec's own choice."""

    room: int


def test_a_tag_may_be_a_number() -> None:
    (batch,) = parse([b"room,type\n1,3\n2,4\n3,x\n4,\n"], Numbered, max_bytes=MAX_BYTES)

    assert batch.valid == [Numbered(1), Numbered(4)]
    assert [(rejection.number, str(rejection.reasons[0]).partition(":")[0]) for rejection in batch.rejected] == [
        (2, "type"),
        (3, "type"),
    ]


def test_a_column_that_the_schema_forbids_rejects_the_file() -> None:
    with pytest.raises(FileRejectedError, match=r"^header names 'roomnumber', which is no field of a record$"):
        list(parse([b"Guest!,roomnumber\na,1\n"], Report, max_bytes=MAX_BYTES))


class Odd(Struct):
    """Fields with the names that a column without a field might be given."""

    column_0_: int = 1
    column_1: int = 1
    column_: int = 1
    _0: int = 1


@pytest.mark.parametrize("columns", ["x,y,z", "column_,x,column_0_", "_0,x,y", "column_1,column_1_2,column_0_"])
def test_a_column_without_a_field_is_none_of_the_fields(columns: str) -> None:
    (batch,) = parse([f"{columns}\n5,5,5\n".encode()], Odd, max_bytes=MAX_BYTES)

    given = {name: 5 if name in columns.split(",") else 1 for name in Odd.__struct_fields__}
    assert (batch.valid, batch.rejected) == ([Odd(**given)], [])


Distance = NewType("Distance", float)
FLOATS: Final[list[object]] = [
    float,
    float | None,
    Distance,
    Annotated[Distance, Meta(description="in km")] | None,
    Annotated[float | None, Meta(description="in km")],
    Annotated[NewType("Far", Annotated[float, Meta(gt=-5)]), Meta(lt=5)],
    Annotated[float, Meta(ge=0)],
    Annotated[float, Meta(gt=0)] | None,
    Annotated[float, Meta(le=0)],
    Annotated[float, Meta(lt=5)],
    Annotated[float, Meta(ge=0, le=5)],
    Annotated[float, Meta(multiple_of=0.5)],
    int | float,
    bool | float | None,
]


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity", "-Infinity", "INF", "1e999"])
@pytest.mark.parametrize("mark", ["", '"'])
def test_what_is_no_finite_number_is_no_record(kind: object, text: str, mark: str) -> None:
    """JSON has no such number: msgspec would publish null."""
    schema = msgspec.defstruct("Measure", [("value", kind), ("more", kind, msgspec.UNSET)])
    body = f"value,more\n{mark}{text}{mark},0\n0,{mark}{text}{mark}\n{mark}{text}{mark},\n"

    batches = list(parse([body.encode()], schema, max_bytes=MAX_BYTES))

    reasons = [str(rejection.reasons[0]) for batch in batches for rejection in batch.rejected]
    assert [reason.partition(":")[0] for reason in reasons][-1:] == ["value"]
    assert len(reasons) == 3
    assert not any("1.79" in reason for reason in reasons)


def test_a_number_that_is_not_finite_is_told_as_such() -> None:
    schema = msgspec.defstruct("Measure", [("value", float)])

    (batch,) = parse([b"value\n1.5\nnan\n-inf\n1.7976931348623157e308\n"], schema, max_bytes=MAX_BYTES)

    assert [getattr(record, "value", None) for record in batch.valid] == [1.5, sys.float_info.max]
    assert [str(r.reasons[0]) for r in batch.rejected] == ["value: should be a finite number"] * 2


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

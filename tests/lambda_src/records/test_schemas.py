"""What holds for every record type, whatever its fields: a new file in the folder of schemas needs no new test."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from shared.records.encoder import RecordEncoder
from shared.records.parse import parse
from tests.lambda_src.records.conftest import EXAMPLE, NAMES, WIDE
from tests.lambda_src.records.drawn import Row, Value, rows
from tools.schema_problems import find_problem

FEW: Final = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_used(name: str) -> None:
    assert find_problem(name) is None


def as_json(drawn: list[Row]) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(drawn)


def as_csv(drawn: list[Row], schema: type[Struct]) -> bytes:
    text = io.StringIO(newline="")
    columns = [field.encode_name for field in msgspec.structs.fields(schema)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *([_cell(row.get(column, "")) for column in columns] for row in drawn)])
    return text.getvalue().encode()


def _cell(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:f}" if isinstance(value, Decimal) else str(value)


def read(body: bytes, schema: type[Struct]) -> tuple[bytes, list[int]]:
    """What is published of a file, and the numbers of the records that are not."""
    batches = list(parse([body], schema, max_bytes=10**8))
    lines = b"".join(RecordEncoder().records(batch.valid) for batch in batches)
    return lines, [rejection.number for batch in batches for rejection in batch.rejected]


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


@FEW
@given(st.data())
def test_what_is_published_is_read_again_as_the_same(schema: type[Struct], data: st.DataObject) -> None:
    drawn = data.draw(rows(schema))

    lines, rejected = read(as_json(drawn), schema)

    count = len(drawn) - len(rejected)
    assert [type(json.loads(line, parse_constant=_refuse)) for line in lines.split(b"\n")[:-1]] == [dict] * count
    if count:
        assert read(b"[" + lines.rstrip().replace(b"\n", b",") + b"]", schema) == (lines, [])
        assert read(lines, schema) == (lines, [])


@FEW
@given(st.data())
def test_csv_and_json_agree(schema: type[Struct], data: st.DataObject) -> None:
    drawn = [row for row in data.draw(rows(schema)) if not any(isinstance(v, list | dict) for v in row.values())]

    assert read(as_csv(drawn, schema), schema) == read(as_json(drawn), schema)


@pytest.mark.parametrize("schema", ["shipment", EXAMPLE, WIDE], indirect=True)
def test_good_and_bad_rows_are_drawn(schema: type[Struct]) -> None:
    """Or the tests above would show nothing."""
    found: set[bool] = set()

    @settings(deadline=None, database=None, derandomize=True)
    @given(rows(schema))
    def look(drawn: list[Row]) -> None:
        _, rejected = read(as_json(drawn), schema)
        found.update({bool(rejected), len(rejected) == len(drawn)})

    look()

    assert found == {True, False}

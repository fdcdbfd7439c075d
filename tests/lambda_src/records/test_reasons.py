"""Each fault of a record has its field, its rule and its text: one case for each rule that docs/records.md names."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Final, Literal

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from local.stack_config import ROOT
from shared.records.parse import parse
from shared.records.reasons import Reason, Rule
from shared.records.types import Money


class Part(Struct):
    """What is nested."""

    code: str


class Order(Struct, forbid_unknown_fields=True, kw_only=True):
    """A type with every rule."""

    number: Annotated[str, Meta(pattern="^O-[0-9]+$")] = "O-1"
    name: Annotated[str, Meta(max_length=3)] = "x"
    pieces: Annotated[int, Meta(ge=1)] = 1
    currency: Literal["CHF", "EUR"] = "EUR"
    day: date | None = None
    moment: Annotated[datetime, Meta(tz=True)] | None = None
    amount: Money | None = None
    weight: float | None = None
    parts: list[Part] = []
    more: object = None
    must: str = field(name="mustBe")

    def __post_init__(self) -> None:
        if self.pieces > 100:
            raise ValueError("has too many pieces")


NDJSON: Final[dict[str, tuple[str, Reason]]] = {
    "no value": ("{}", Reason("mustBe", Rule.REQUIRED, "is missing")),
    "no value, nested": (
        '{"mustBe": "", "parts": [{"code": ""}, {}]}',
        Reason("parts[1].code", Rule.REQUIRED, "is missing"),
    ),
    "another name": ('{"mustBe": "", "other": 1}', Reason("other", Rule.UNKNOWN, "is not a field of this record type")),
    "another name with a line feed": (
        '{"mustBe": "", "a\\nb": 1}',
        Reason("a\nb", Rule.UNKNOWN, "is not a field of this record type"),
    ),
    "another type": ('{"mustBe": 7}', Reason("mustBe", Rule.TYPE, "expected str, got int")),
    "no object": ("7", Reason(None, Rule.TYPE, "expected object, got int")),
    "no day": ('{"day": "2026-02-30"}', Reason("day", Rule.FORMAT, "invalid RFC3339 encoded date")),
    "no offset": (
        '{"moment": "2026-02-20T08:15:00"}',
        Reason("moment", Rule.FORMAT, "expected datetime with a timezone component"),
    ),
    "too small": ('{"pieces": 0}', Reason("pieces", Rule.RANGE, "expected int >= 1")),
    "too large for any": ('{"weight": 1e999}', Reason("weight", Rule.RANGE, "number out of range")),
    "too long": ('{"name": "long"}', Reason("name", Rule.LENGTH, "expected str of length <= 3")),
    "another pattern": ('{"number": "1"}', Reason("number", Rule.PATTERN, "expected str matching regex '^O-[0-9]+$'")),
    "another value": ('{"currency": "USD"}', Reason("currency", Rule.CHOICE, "invalid enum value 'USD'")),
    "between fields": ('{"mustBe": "", "pieces": 101}', Reason(None, Rule.SCHEMA, "has too many pieces")),
    "no amount": (
        '{"amount": "x"}',
        Reason("amount", Rule.SCHEMA, "should be a number, such as 1234.50"),
    ),
    "no JSON": ("{oops}", Reason(None, Rule.SYNTAX, "not valid JSON: object keys must be strings (byte 1)")),
    "too deep": ('{"more": ' + "[" * 5000 + "]" * 5000 + "}", Reason(None, Rule.NESTING, "nested too deeply")),
}
CSV: Final[dict[str, tuple[bytes, Reason]]] = {
    "empty cell": (b",1\n", Reason("mustBe", Rule.REQUIRED, "is missing")),
    "another type": (b"x,many\n", Reason("pieces", Rule.TYPE, "expected int | null, got str")),
    "too many cells": (b"x,1,2\n", Reason(None, Rule.CELLS, "has 3 cells, the header has 2")),
    "carriage return": (b"x\ry,1\n", Reason(None, Rule.SYNTAX, "holds a carriage return without a line feed")),
    "quote in a quoted cell": (b'"a"b,1\n', Reason(None, Rule.SYNTAX, "',' expected after '\"'")),
    "no UTF-8": (b"\xff,1\n", Reason(None, Rule.ENCODING, "not UTF-8 at byte 0 of the record")),
    "between fields": (b"x,101\n", Reason(None, Rule.SCHEMA, "has too many pieces")),
}


def reason_of(body: bytes) -> Reason:
    """The only reason of the only record that is rejected."""
    (rejection,) = (r for batch in parse([body], Order, max_bytes=10**6) for r in batch.rejected)
    (reason,) = rejection.reasons
    return reason


@pytest.mark.parametrize("case", NDJSON)
def test_reasons_in_json(case: str) -> None:
    text, expected = NDJSON[case]

    assert reason_of(f'{{"mustBe": ""}}\n{text}\n'.encode()) == expected


@pytest.mark.parametrize("case", CSV)
def test_reasons_in_csv(case: str) -> None:
    row, expected = CSV[case]

    assert reason_of(b"mustBe,pieces\n" + row) == expected


NAMES: Final = st.lists(
    st.sampled_from(["a", "str", ".", "..", "[", "]", "[0]", "$", "`", " - at `$", "int"]), max_size=4
).map("".join)


@given(name=NAMES, nested=NAMES)
@example(name="", nested="[...]")
@example(name="[3]", nested="")
def test_a_reason_names_the_field_whatever_its_name(name: str, nested: str) -> None:
    assume(" - at `$" not in name + nested)  # of a schema's own field: whoever names it so reads an odd reason
    inner = msgspec.defstruct("Inner", [("number", int, field(name=nested))])
    order = msgspec.defstruct("Order", [("inner", inner | None, field(name=name, default=None))])

    def found(value: object) -> list[tuple[str | None, Rule]]:
        body = msgspec.json.encode([{name: None}, {name: value}])
        batches = list(parse([body], order, max_bytes=10**6))
        return [(reason.field, reason.rule) for batch in batches for one in batch.rejected for reason in one.reasons]

    assert found(7) == [(name, Rule.TYPE)]
    assert found({nested: "many"}) == [(f"{name}.{nested}", Rule.TYPE)]
    assert found({f"{nested}x": 1}) == [(f"{name}.{nested}", Rule.REQUIRED)]


@given(name=NAMES, value=NAMES, place=st.integers(0, 40))
@example(name=" - at `$[7]", value=" - at `$[7]", place=0)
def test_what_a_file_holds_is_not_taken_for_a_place(name: str, value: str, place: int) -> None:
    """A name or a value that looks like the place of another record: each bad record is found, and reading ends."""
    assume("` - at `$" not in name)  # which msgspec writes as it writes a place
    cases: list[tuple[dict[str, object], tuple[str, Rule]]] = [
        ({"mustBe": "", f"x{name}[{place}]`": 1}, (f"x{name}[{place}]`", Rule.UNKNOWN)),
        ({"mustBe": "", "currency": f"{value}[{place}]"}, ("currency", Rule.CHOICE)),
    ]
    for wrong, reason in cases:
        records: list[dict[str, object]] = [{"mustBe": ""}] * 40
        records[5] = wrong
        for body in (msgspec.json.encode(records), b"\n".join(map(msgspec.json.encode, records))):
            rejected = [one for batch in parse([body], Order, max_bytes=10**6) for one in batch.rejected]
            assert [(one.number, one.reasons[0].field, one.reasons[0].rule) for one in rejected] == [(6, *reason)]


def test_every_rule_is_met_here_and_documented() -> None:
    met = {reason.rule for cases in (NDJSON, CSV) for _, reason in cases.values()}
    table = (ROOT / "docs" / "records.md").read_text().partition("| `rule` | what is wrong |")[2].partition("\n\n")[0]

    assert met == set(Rule)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Rule)

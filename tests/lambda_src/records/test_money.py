"""An amount of money is exact and bounded, in every format, wherever in a record it stands."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from shared.records.encoder import RecordEncoder
from shared.records.parse import parse
from shared.records.types import Money


class Price(Money):
    minimum = Decimal(0)
    maximum = Decimal(1000)
    places = 2


class Line(Struct):
    price: Price


class Sale(Struct, omit_defaults=True):
    total: Money
    discount: Price | None = None
    tip: Price = Price("1.00")
    lines: list[Line] = []


NO_NUMBER: Final = "should be a number, such as 1234.50"
RANGE: Final = "should be from -999999999999.9999 to 999999999999.9999"
PLACES: Final = "should have at most 4 decimal places"

_PRICES: Final = st.decimals(0, 1000, places=2)


def read(body: str) -> tuple[str, list[str]]:
    """What is published of a file, and the reasons of what is not."""
    batches = list(parse([body.encode()], Sale, max_bytes=10**8))
    lines = b"".join(RecordEncoder().records(batch.valid) for batch in batches)
    return lines.decode(), [str(rejection.reasons[0]) for batch in batches for rejection in batch.rejected]


def as_csv(**cells: str) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([cells, cells.values()])
    return text.getvalue()


@settings(deadline=None)
@given(st.decimals(Money.minimum, Money.maximum, places=4), st.integers(0, 4), _PRICES, st.booleans())
def test_all_digits_are_published_as_a_number(amount: Decimal, places: int, price: Decimal, quoted: bool) -> None:
    total = f"{amount:.{places}f}" if amount % 1 == 0 else f"{amount:f}"
    mark = '"' if quoted else ""
    line = f'{{"total":{total},"discount":{price:f}}}\n'
    sent = f'{{"total": {mark}{total}{mark}, "discount": {price:f}}}'

    assert read(f"[{sent}]") == read(sent + "\n") == read(sent.replace(", ", ",\n")) == (line, [])
    assert read(as_csv(total=total, discount=f"{price:f}", tip="")) == (line, [])
    assert read(f"total,discount\n{total},{price:f}\n") == (line, [])


@pytest.mark.parametrize(
    ("text", "published"), [("1e2", "100"), ("-0.10", "-0.10"), ("15E-1", "1.5"), ("0e9", "0"), ("0.0000", "0.0000")]
)
def test_an_exponent_is_written_out(text: str, published: str) -> None:
    for body in (f'[{{"total": {text}}}]', f'{{"total": "{text}"}}\n', f"total\n{text}\n"):
        assert read(body) == (f'{{"total":{published}}}\n', [])


JSON_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e-?\d+)?", re.ASCII)
WRONG: Final = [
    *("NaN", "nan", "sNaN", "Infinity", "-inf", "1e999", "1e-99999999999999999999999", "1e99999999999999999999999"),
    *("1000000000000", "-999999999999.99991", "0.00001", "1.00000", "9" * 5000, "0." + "1" * 5000),
    *("1_000", " 1", "1 ", "+1", "01", ".5", "5.", "1,5", "0x1", "\u0661", "", "one", "--1"),
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_amount_is_rejected_with_what_it_should_be(text: str) -> None:
    """As a text in JSON, and in a cell; and as a number, if JSON knows it as one."""
    good = '{"total": 1}\n'
    bodies = [f"{good}{json.dumps({'total': text})}\n", as_csv(total=text, tip="") + f'"{text}",\n1,\n']
    if JSON_NUMBER.fullmatch(text):
        bodies.append(f'{good}{{"total": {text}}}\n')

    for body in bodies:
        published, reasons = read(body)

        assert published == '{"total":1}\n'
        assert set(reasons) <= {
            *(f"total: {text}" for text in (NO_NUMBER, RANGE, PLACES)),
            *("total: number out of range", "total: integer value out of range", "total: is missing"),
        }
        assert reasons


@pytest.mark.parametrize(
    ("text", "reason"), [("one", NO_NUMBER), ("1,5", NO_NUMBER), ("1000000000000", RANGE), ("0.00001", PLACES)]
)
def test_a_reason_says_what_is_wrong_with_the_amount(text: str, reason: str) -> None:
    assert read(f'{{"total": "{text}"}}\n') == ("", [f"total: {reason}"])


@pytest.mark.parametrize("value", ["true", "[1]", "{}"])
def test_another_type_is_rejected(value: str) -> None:
    assert read(f'{{"total": {value}}}\n') == ("", [f"total: {NO_NUMBER}"])


def test_null_is_rejected_where_an_amount_is_needed() -> None:
    assert read('{"total": null}\n') == ("", ["total: expected a number, got null"])
    assert read("total,tip\n,1\n") == ("", ["total: is missing"])


def test_bounds_hold_for_nested_amounts_and_for_a_subclass() -> None:
    body = '[{"total": 1, "lines": [{"price": 1000.00}]}, {"total": 1, "lines": [{"price": 1000.01}]}]'

    assert read(body) == (
        '{"total":1,"lines":[{"price":1000.00}]}\n',
        ["lines[0].price: should be from 0 to 1000"],
    )
    assert read('{"total": 1, "discount": -0.01}\n') == ("", ["discount: should be from 0 to 1000"])


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("-Infinity"), 1.1, 10**12, "1.00001", "x"])
def test_an_amount_cannot_be_made_without_the_check(value: Decimal | str | int) -> None:
    with pytest.raises(ValueError, match="should "):
        Money(value)


class Free(Struct):
    more: dict[str, object]
    any: object = None


def test_numbers_in_a_field_of_any_type_are_published_with_all_their_digits_too() -> None:
    body = '{"more":{"a":0.10000000000000000001,"b":[1.50,123456789012345678901234567890,"NaN"]},"any":-1.0}\n'
    (batch,) = parse([(body + '{"more": {"a": 1e309}}\n').encode()], Free, max_bytes=1000)

    assert RecordEncoder().records(batch.valid).decode() == body
    assert [str(rejection.reasons[0]) for rejection in batch.rejected] == ["more[...]: number out of range"]

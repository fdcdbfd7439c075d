"""What each published record says of where it comes from, whatever stands in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from shared.records.batch import Batch, Rejection
from shared.records.encoder import RecordEncoder
from shared.records.results import Origin

MODIFIED = datetime(2026, 11, 20, 23, 15, 0, 120_999, tzinfo=timezone(timedelta(hours=-1)))


class Anything(Struct, omit_defaults=True):
    """A record that may have no member of its own."""

    text: str = ""
    more: object = None


class Named(Struct):
    """A record that always has one."""

    text: str
    more: object = None


_VALUES = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(st.sampled_from('{}%d\n,"\\ü'), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.lists(st.tuples(st.text(st.sampled_from('{}%s\n,"\\ü'), max_size=8), _VALUES, st.booleans()), max_size=8),
    st.sampled_from([Anything, Named]),
    st.text(min_size=1, max_size=10),
    st.integers(1, 10**9),
)
def test_each_record_has_its_origin_and_its_number(
    drawn: list[tuple[str, object, bool]], schema: type[Anything | Named], file: str, first: int
) -> None:
    valid = [schema(text, more) for text, more, good in drawn if good]
    rejected = [Rejection(first + index, (), b"") for index, (_, _, good) in enumerate(drawn) if not good]
    origin = Origin(file=file, version="v%1", modified=MODIFIED, schema=schema)
    batch = Batch(list(valid), rejected)
    if not valid:
        return

    lines = origin.add_to(RecordEncoder().records(batch.valid), batch.numbers(first))

    assert lines.endswith(b"\n")
    found = [json.loads(line) for line in lines.split(b"\n")[:-1]]
    numbers = [first + index for index, (_, _, good) in enumerate(drawn) if good]
    assert found == [
        {
            "_file": file,
            "_version": "v%1",
            "_modified": "2026-11-21 00:15:00.120",
            "_number": number,
            **json.loads(msgspec.json.encode(record)),
        }
        for number, record in zip(numbers, valid, strict=True)
    ]


def test_the_time_is_one_that_athena_reads() -> None:
    """A space, three digits after the second, and no offset: what Hive's and OpenX's JSON SerDe both take."""
    origin = Origin(file="f", version="v", modified=datetime(2026, 11, 20, 8, 15, tzinfo=UTC), schema=Named)

    (record,) = origin.add_to(b'{"text":""}\n', [1]).splitlines()

    assert json.loads(record)["_modified"] == "2026-11-20 08:15:00.000"

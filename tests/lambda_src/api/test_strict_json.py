"""What is taken for JSON, against Python's own parser told to be as strict, which builds all of it."""

from __future__ import annotations

import json
from typing import Final, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import ApiError
from api.strict_json import parse

MAX_ITEMS: Final = 3

SPACE: Final = st.sampled_from(["", "", " ", "\n\t"])
CHARACTERS: Final = st.sampled_from(
    [
        *("a", "b", "data", "\\u0061", "é", "\U0001f600", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\\\ud800"),
        *('\\"', "\\\\", "\\/", "{", "}", "[", "]", ",", ":", "NaN", "1" * 4301),
    ]
)
TEXTS: Final = st.lists(CHARACTERS, max_size=3).map(lambda parts: f'"{"".join(parts)}"')
SCALARS: Final = st.one_of(
    TEXTS,
    st.sampled_from(
        ["0", "-1.5e3", "true", "null", "1" * 4300, "1" * 4301, "-" + "1" * 4301, "NaN", "-Infinity", "01"]
    ),
)


def separated(parts: list[str], opening: str, closing: str, space: str) -> str:
    return opening + space + f"{space},{space}".join(parts) + space + closing


VALUES: Final = st.recursive(
    SCALARS,
    lambda values: st.one_of(
        st.builds(separated, st.lists(values, max_size=4), st.just("["), st.just("]"), SPACE),
        st.builds(
            separated,
            st.lists(st.builds("{0}{1}:{1}{2}".format, TEXTS, SPACE, values), max_size=4),
            st.just("{"),
            st.just("}"),
            SPACE,
        ),
    ),
    max_leaves=12,
)
MEMBERS: Final = st.lists(
    st.builds("{0}{1}:{1}{2}".format, st.one_of(st.just('"data"'), TEXTS), SPACE, VALUES), max_size=3
)
BODIES: Final = st.builds(separated, MEMBERS, st.just("{"), st.just("}"), SPACE)
DAMAGED: Final = st.builds(
    lambda body, place, found: body[: place % (len(body) + 1)] + found + body[place % (len(body) + 1) + 1 :],
    BODIES,
    st.integers(min_value=0),
    st.sampled_from(["", ",", '"', "\\", "}", "x", "\x01"]),
)


class RefusedError(Exception):
    """The oracle would not take it."""


def strictly(text: str) -> dict[str, object]:
    """Build all of it, as strictly."""

    def read(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise RefusedError
        return dict(pairs)

    def refuse(_constant: str) -> NoReturn:
        raise RefusedError

    try:
        value: object = json.loads(text, object_pairs_hook=read, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, UnicodeEncodeError) as error:
        raise RefusedError from error
    if not isinstance(value, dict):
        raise RefusedError
    data = value.get("data")
    if isinstance(data, list) and len(data) > MAX_ITEMS:
        raise RefusedError
    return value


@given(st.one_of(BODIES, DAMAGED))
@settings(deadline=None, max_examples=500)
def test_it_takes_what_a_strict_parser_takes_and_nothing_else(text: str) -> None:
    expected: dict[str, object] | None
    try:
        expected = strictly(text)
    except RefusedError:
        expected = None

    taken: dict[str, object] | None
    try:
        taken = parse(text, MAX_ITEMS)
    except ApiError:
        taken = None

    assert (taken is None) == (expected is None), text
    for name, value in (taken or {}).items():
        assert expected is not None
        built = json.loads(bytes(value)) if isinstance(value, memoryview) else value
        assert json.dumps(built) == json.dumps(expected[name])
        assert isinstance(value, memoryview) == isinstance(expected[name], dict | list)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"data": [1, [2, 3], {"a": [4, 5]}, "6, 7"]}', "data has more than 3 records: upload a file instead"),
        ('{"more": [1, 2, 3, 4], "data": [1, 2, 3, 4]}', "data has more than 3 records: upload a file instead"),
        ("{" + ", ".join(f'"{number}": 0' for number in range(65)) + "}", "the body has more than 64 members"),
        ('{"data": {"a": "' + "x" * 2**20 + '"}}', "record 1 has more than 1048576 bytes: upload a file instead"),
        ('{"data": [0, ["' + "x" * 2**20 + '"]]}', "record 2 has more than 1048576 bytes: upload a file instead"),
        ('{"name": ["' + "x" * 2**20 + '"]}', "name has more than 1048576 bytes: upload a file instead"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_read(text: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(text, MAX_ITEMS)

    assert (refused.value.status, refused.value.message) == (413, message)


@pytest.mark.parametrize("again", ["a", "\\u0061"])
def test_a_name_is_the_same_however_it_is_spelled(again: str) -> None:
    with pytest.raises(ApiError, match="the body has 'a' twice in one object"):
        parse(f'{{"data": [{{"a": 1, "b": {{"a": 2}}, "{again}": 3}}]}}', MAX_ITEMS)


def test_the_items_of_another_member_are_not_counted() -> None:
    parsed = parse('{"more": [1, 2, 3, 4], "data": {"a": [1, 2, 3, 4]}}', MAX_ITEMS)

    assert {name: bytes(value) for name, value in parsed.items() if isinstance(value, memoryview)} == {
        "more": b"[1, 2, 3, 4]",
        "data": b'{"a": [1, 2, 3, 4]}',
    }

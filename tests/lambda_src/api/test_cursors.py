"""Cursors: a position, and nothing that widens the question."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from tests.lambda_src.api.cataloged import START, add, keys, sixteen_files, walk
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import Aws


@pytest.fixture
def catalog(aws: Aws) -> list[str]:
    return sixteen_files(aws)


@pytest.fixture
def first_cursor(api: HandlerClient, aws: Aws) -> str:
    """The cursor after two of three files."""
    for number in range(3):
        add(aws, f"uploads/{number}.csv")
    return str(api.get("/files", limit=2).body["cursor"])


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(parts)).decode().rstrip("=")


@pytest.mark.parametrize(
    "change",
    [
        lambda cursor: cursor[:-8],
        lambda _cursor: "not a cursor",
        lambda _cursor: "\u00fc",
        lambda _cursor: cursor_of("9", "f"),
        lambda cursor: cursor_of(*read(cursor)[:2]),
        lambda cursor: cursor_of(*read(cursor), "more"),
        lambda cursor: cursor_of(read(cursor)[0], "9", read(cursor)[2]),
        lambda cursor: cursor_of(read(cursor)[0], read(cursor)[1] + "\n", read(cursor)[2]),
        lambda cursor: cursor_of(*read(cursor)[:2], "f"),
        lambda cursor: cursor_of(*read(cursor)[:2], 7),
        lambda cursor: cursor_of("0" * 16, *read(cursor)[1:]),
    ],
)
def test_a_wrong_cursor_is_a_400(api: HandlerClient, first_cursor: str, change: Callable[[str], str]) -> None:
    answer = api.get("/files", cursor=change(first_cursor))

    assert (answer.status, set(answer.fields())) == (400, {"cursor"})


@pytest.mark.parametrize("other", [{"status": "COMPLETED"}, {"day": "2026-11-20"}])
def test_a_cursor_is_of_one_question(api: HandlerClient, first_cursor: str, other: dict[str, str]) -> None:
    assert api.get("/files", limit=5, cursor=first_cursor).status == 200
    assert api.get("/files", cursor=first_cursor, **other).status == 400


def test_a_cursor_shows_nothing_that_its_question_does_not(api: HandlerClient, catalog: list[str]) -> None:
    """One that a caller makes up moves the position; what is listed is what the question asks for."""
    assert catalog
    question, *_ = read(str(api.get("/files", status="REJECTED", limit=1).body["cursor"]))

    found = keys(api.get("/files", status="REJECTED", cursor=cursor_of(question, "9999-12-31T23:59:59.999Z", "f" * 16)))

    assert found == walk(api, 100, status="REJECTED")


def read(cursor: str) -> list[str]:
    return msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[str])


def test_a_cursor_of_keys_stays_under_its_prefix(api: HandlerClient, aws: Aws) -> None:
    """One that a caller makes up reaches no key of another prefix, and no key that S3 could not have."""
    for name in ("a/1", "a/2", "b/1"):
        add(aws, f"uploads/{name}")
    digest, last = read(str(api.get("/files", prefix="uploads/a/", limit=1).body["cursor"]))

    assert last == "uploads/a/1"
    for wrong in ("uploads/b/", "uploads/", "", "uploads/a/" + "\U0010ffff" * 254):
        answer = api.get("/files", prefix="uploads/a/", cursor=cursor_of(digest, wrong))
        assert (answer.status, set(answer.fields())) == (400, {"cursor"}), wrong
    assert keys(api.get("/files", prefix="uploads/a/", cursor=cursor_of(digest, "uploads/a/"))) == [
        "uploads/a/1",
        "uploads/a/2",
    ]
    assert api.get("/files", prefix="uploads/b/", cursor=cursor_of(digest, last)).status == 400
    assert api.get("/files", cursor=cursor_of(digest, last)).status == 400


@pytest.mark.parametrize(
    ("time", "found"),
    [("2026-11-19T00:00:00.000Z", 0), ("2026-11-22T00:00:00.000Z", 16), ("9999-12-31T23:59:59.999Z", 16)],
)
def test_a_cursor_of_ones_own_making_stays_within_its_day(
    api: HandlerClient, aws: Aws, catalog: list[str], time: str, found: int
) -> None:
    add(aws, "uploads/next-day.csv", at=START + timedelta(days=1))
    first = api.get("/files", day="2026-11-20", limit=2)
    digest, _, tie = read(str(first.body["cursor"]))

    page = api.get("/files", day="2026-11-20", limit=100, cursor=cursor_of(digest, time, tie))

    assert len(catalog) == 16
    assert len(keys(page)) == found
    assert "uploads/next-day.csv" not in keys(page)

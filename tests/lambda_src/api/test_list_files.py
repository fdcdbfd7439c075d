"""GET /files by status and day: pages in the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lambda_src.api.cataloged import START, add, keys, sixteen_files, walk
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import Aws


@pytest.fixture
def catalog(aws: Aws) -> list[str]:
    return sixteen_files(aws)


def test_all_files_newest_first(api: HandlerClient, catalog: list[str]) -> None:
    times = [file["processed_at"] for file in cast("list[dict[str, str]]", api.get("/files", limit=100).body["files"])]

    assert sorted(walk(api, 100)) == sorted(catalog)
    assert times == sorted(times, reverse=True)


def test_pages_have_every_file_once(api: HandlerClient, catalog: list[str]) -> None:
    whole = walk(api, 100)
    rejected = [key for key in whole if int(key[8:10]) % 3 == 0]

    assert sorted(whole) == sorted(catalog)
    for limit in (1, 3, 4, 15, 16):
        assert walk(api, limit) == whole, limit
    for limit in (2, 100):
        assert sorted(walk(api, limit, status="REJECTED")) == sorted(rejected), limit
    assert walk(api, 100, status="SKIPPED") == []


def test_by_day(api: HandlerClient, aws: Aws) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    for key, at in {
        "before": midnight - timedelta(milliseconds=1),
        "first": midnight,
        "last": midnight + timedelta(days=1, milliseconds=-1),
        "after": midnight + timedelta(days=1),
    }.items():
        add(aws, key, at=at)

    assert keys(api.get("/files", day="2026-11-20")) == ["last", "first"]
    assert keys(api.get("/files", day="2026-11-20", status="COMPLETED")) == ["last", "first"]
    assert keys(api.get("/files", day="2026-11-22")) == []


def test_a_file_that_comes_later_does_not_move_the_pages(api: HandlerClient, aws: Aws, catalog: list[str]) -> None:
    first = api.get("/files", limit=6)
    add(aws, "uploads/new.csv", at=START + timedelta(hours=1))

    second = api.get("/files", limit=6, cursor=first.body["cursor"])
    third = api.get("/files", limit=6, cursor=second.body["cursor"])

    assert sorted(keys(first) + keys(second) + keys(third)) == sorted(catalog)


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"status": "DONE"}, {"day": "2026-02-30"}, {"cursor": ""}]
)
def test_a_wrong_question_names_its_field(api: HandlerClient, query: dict[str, object]) -> None:
    event = api.event("GET", "/files")
    event["queryStringParameters"] = {name: str(value) for name, value in query.items()}

    answer = api.answer(event)

    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert set(answer.fields()) == set(query)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *(
            ("day", value, "should be a day, as YYYY-MM-DD")
            for value in (
                *("1795219200", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00", "20261121", "2026-W47-6", "2026-02-30"),
                *(" 2026-11-21", "2026-11-21\n", "\uff12026-11-21", "0000-01-01", "x", "2026-11-21,2026-11-22"),
            )
        ),
        *(
            ("limit", value, "should be a number, in decimal digits")
            for value in (
                "1.0",
                "1e1",
                "+1",
                "-1",
                " 1",
                "1\n",
                "1_0",
                "\uff11",
                "0x1",
                "true",
                "x",
                "1,2",
                "null,null",
            )
        ),
        ("limit", "101", "Input should be less than or equal to 100"),
        ("limit", "1" * 5000, "should be a number, in decimal digits"),
    ],
)
def test_a_day_and_a_number_are_written_as_the_document_says(
    api: HandlerClient, name: str, value: str, message: str
) -> None:
    answer = api.get("/files", **{name: value})

    assert (answer.status, answer.fields()) == (400, {name: message})


@pytest.mark.parametrize(("name", "value"), [("day", "2026-11-21"), ("limit", "1")])
def test_what_is_given_twice_is_a_400(api: HandlerClient, name: str, value: str) -> None:
    event = api.event("GET", "/files", query=f"{name}={value}&{name}={value}")
    event["queryStringParameters"] = {name: f"{value},{value}"}

    answer = api.answer(event)

    assert (answer.status, set(answer.fields())) == (400, {name})


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.integers(1, 6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
def test_any_times_any_page_size(api: HandlerClient, aws: Aws, times: list[int], limit: int) -> None:
    prefix = f"{id(times)}-{len(times)}"
    day = datetime(2020 + hash((tuple(times), limit)) % 5000, 1, 1, tzinfo=UTC)
    names = [f"{prefix}-{number}" for number in range(len(times))]
    for name, time in zip(names, times, strict=True):
        add(aws, name, at=day + timedelta(milliseconds=time))

    found = walk(api, limit, day=day.date())

    assert sorted(name for name in found if name.startswith(prefix)) == sorted(names)

"""GET /files by key and by prefix: the latest version of each key."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.catalog.model import Status
from shared.catalog.table import LATEST_SHARDS, latest_key
from tests.lambda_src.api.cataloged import add, keys, walk
from tests.lambda_src.api.conftest import HandlerClient
from tests.lambda_src.conftest import BUCKET, Aws, Calls


def test_the_latest_version_of_a_key(api: HandlerClient, aws: Aws) -> None:
    add(aws, "uploads/a.csv", version="v1", sequencer="0A")
    add(aws, "uploads/a.csv", Status.REJECTED, version="v2", sequencer="0B")
    add(aws, "uploads/a.csv.gz")

    answer = api.get("/files", key="uploads/a.csv")

    (file,) = cast("list[dict[str, object]]", answer.body["files"])
    assert (file["key"], file["version_id"], file["status"]) == ("uploads/a.csv", "v2", "REJECTED")
    assert answer.body["cursor"] is None


def test_a_key_without_a_file(api: HandlerClient, aws: Aws) -> None:
    add(aws, "uploads/a.csv")

    assert keys(api.get("/files", key="uploads/b.csv")) == []
    assert keys(api.get("/files", key="uploads/a")) == []


def test_the_files_under_a_prefix_in_the_order_of_their_keys(api: HandlerClient, aws: Aws) -> None:
    """Each key once, by its latest version, whatever shard it is in; none of another prefix."""
    inside = [
        "uploads/acme/",
        "uploads/acme/a",
        "uploads/acme/b/c",
        "uploads/acme/z",
        "uploads/acme/\u00e9",
        "uploads/acme/\U0001f4e6",
    ]
    for key in (*reversed(inside), "uploads/acm", "uploads/acme", "uploads/acmf/a", "uploads/Acme/a"):
        add(aws, key, version="v1", sequencer="0A")
    add(aws, "uploads/acme/z", Status.SKIPPED, version="v2", sequencer="0B")

    for limit in (1, 2, 5, 6, 100):
        assert walk(api, limit, prefix="uploads/acme/") == inside, limit
        assert walk(api, limit, prefix="uploads/acme/b") == ["uploads/acme/b/c"], limit
        assert walk(api, limit, prefix="uploads/acme/x") == [], limit


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), min_size=1, max_size=12, unique=True
    ),
    st.integers(1, 5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=5)
def test_any_keys_any_page_size(api: HandlerClient, aws: Aws, names: list[str], limit: int) -> None:
    prefix = f"uploads/{id(names)}-{hash((*names, limit))}/"
    for name in names:
        add(aws, prefix + name)

    assert walk(api, limit, prefix=prefix) == sorted(prefix + name for name in names)


def test_the_longest_key_is_under_each_of_its_prefixes(api: HandlerClient, aws: Aws) -> None:
    longest = "uploads/" + "\u00e9" * 508
    add(aws, longest)

    for length in (508, 515, 516):
        assert keys(api.get("/files", prefix=longest[:length])) == [longest]
    assert keys(api.get("/files", key=longest)) == [longest]


def test_a_file_whose_item_has_expired_is_left_out_and_the_list_goes_on(api: HandlerClient, aws: Aws) -> None:
    for name in ("a", "b", "c"):
        add(aws, f"uploads/{name}")
    gone = aws.item("uploads/b")
    aws.dynamodb.delete_item(
        TableName=aws.table,
        Key={"object_id": {"S": str(gone["object_id"])}, "version_id": {"S": str(gone["version_id"])}},
    )

    first = api.get("/files", prefix="uploads/", limit=2)

    assert keys(first) == ["uploads/a"]
    assert keys(api.get("/files", prefix="uploads/", limit=2, cursor=first.body["cursor"])) == ["uploads/c"]
    assert keys(api.get("/files", key="uploads/b")) == []


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"key": "a", "prefix": "b"}, {"prefix"}),
        ({"key": "a", "status": "COMPLETED"}, {"status"}),
        ({"key": "a", "cursor": "c"}, {"cursor"}),
        ({"prefix": "a", "day": "2026-11-20"}, {"day"}),
        ({"prefix": "a", "day": "2026-11-20", "status": "FAILED"}, {"day", "status"}),
        ({"prefix": ""}, {"prefix"}),
        ({"key": "x" * 1025}, {"key"}),
        ({"key": "\u00e9" * 513}, {"key"}),
    ],
)
def test_a_question_that_is_none_names_its_fields(api: HandlerClient, query: dict[str, str], wrong: set[str]) -> None:
    event = api.event("GET", "/files")
    event["queryStringParameters"] = query

    answer = api.answer(event)

    assert (answer.status, set(answer.fields())) == (400, wrong)


def test_a_prefix_costs_a_query_for_each_shard_and_one_batch(api: HandlerClient, aws: Aws, calls: Calls) -> None:
    for number in range(3):
        add(aws, f"uploads/{number}")
    calls.made.clear()

    api.get("/files", prefix="uploads/")

    assert Counter(calls.made) == {"Query": LATEST_SHARDS, "BatchGetItem": 1}


def test_throttling_that_lasts_is_a_503(
    api: HandlerClient, aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0)
    add(aws, "uploads/a")

    def leave(answer: dict[str, object]) -> None:
        request = calls.parameters[-1]
        assert isinstance(request, dict)
        answer |= {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    calls.after["BatchGetItem"] = leave

    answer = api.get("/files", prefix="uploads/")

    assert (answer.status, answer.body["code"]) == (503, "unavailable")


def test_latest_versions_spread_over_their_shards() -> None:
    files = 3200
    shards = Counter(latest_key(BUCKET, f"uploads/{number}")["object_id"]["S"] for number in range(files))

    assert len(shards) == LATEST_SHARDS
    assert max(shards.values()) < 2 * files / LATEST_SHARDS

"""What came through the API and nobody finished: counted, named, shown and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, cast

import pytest

from shared.catalog.model import ObjectFacts, Status, Worker
from shared.catalog.requests import LAPSED
from tests.declared_stack import dig
from tests.lambda_src.conftest import Aws
from tests.operate.conftest import Operate, api_result, operator_catalog, request_catalog, uploaded

STUCK: Final = "api/process/stuck"
NEWER: Final = "api/process/newer"
ALIVE: Final = "api/process/alive"


@pytest.fixture
def requests(aws: Aws) -> None:
    """Two whose worker died, one whose worker is alive, and one of each other kind."""
    now = datetime.now(UTC)
    for object_id, status, age, left in (
        (STUCK, Status.PROCESSING, 120, -60),
        (NEWER, Status.PROCESSING, 60, -30),
        (ALIVE, Status.PROCESSING, 180, 600),
        ("api/process/failed", Status.FAILED, 60, -60),
        ("api/process/completed", Status.COMPLETED, 60, -60),
        ("api/validate/validated", Status.VALIDATED, 60, -60),
    ):
        taken = now - timedelta(seconds=age)
        result = api_result(object_id, status, now + timedelta(seconds=left))
        request_catalog(aws, lambda taken=taken: taken).store(result)  # type: ignore[misc]  # bound now


def status_of(aws: Aws, object_id: str) -> dict[str, str]:
    item = aws.dynamodb.get_item(TableName=aws.table, Key={"object_id": {"S": object_id}, "version_id": {"S": "api"}})[
        "Item"
    ]
    return {name: str(next(iter(value.values()))) for name, value in item.items()}


@pytest.mark.usefixtures("requests")
def test_status_counts_them_apart_and_names_the_oldest(operate: Operate) -> None:
    ran = operate("status", "--json")

    assert ran.status == 1
    shown = ran.json()
    assert {status: count for status, count in cast("dict[str, int]", shown["requests"]).items() if count} == {
        "PROCESSING": 3,
        "FAILED": 1,
        "COMPLETED": 1,
        "VALIDATED": 1,
    }
    assert set(cast("dict[str, int]", shown["files"]).values()) == {0}
    assert [dig(shown, "stuckRequests", number, "object_id") for number in (0, 1)] == [STUCK, NEWER]
    (line,) = cast("list[str]", shown["attention"])
    assert line.startswith(f"2 API requests stuck in PROCESSING, the oldest {STUCK} since ")


def test_a_request_that_is_worked_on_or_failed_needs_nobody(aws: Aws, operate: Operate) -> None:
    """Its sender was told, and decides."""
    catalog = request_catalog(aws)
    catalog.store(api_result(ALIVE, Status.PROCESSING, datetime.now(UTC) + timedelta(seconds=600)))
    catalog.store(api_result("api/process/failed", Status.FAILED))

    assert operate("status").status == 0


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize(
    ("object_id", "status", "told"),
    [
        (STUCK, 1, f"It is stuck: the sender sends the same request again, or `end {STUCK}` sets it to FAILED."),
        (ALIVE, 1, "worker ends by"),
        ("api/process/failed", 1, "FAILED"),
        ("api/validate/validated", 0, "VALIDATED"),
    ],
)
def test_show_shows_one(operate: Operate, object_id: str, status: int, told: str) -> None:
    ran = operate("show", object_id)

    assert ran.status == status
    assert told in ran.out
    assert ("It is stuck" in ran.out) is (object_id == STUCK)
    assert "--log-group-name /aws/lambda/file-pipeline-dev-api" in ran.out
    assert '$.correlation_id = "r"' in ran.out


@pytest.mark.usefixtures("requests")
def test_end_ends_those_whose_worker_died_and_no_other(aws: Aws, operate: Operate) -> None:
    ran = operate("end", STUCK, ALIVE, "api/process/completed", "api/process/nowhere", "--json")

    assert ran.status == 1
    outcomes = {
        str(entry["id"]): str(entry["outcome"]) for entry in cast("list[dict[str, str]]", ran.json()["requests"])
    }
    assert outcomes[STUCK] == "set to FAILED"
    assert outcomes[ALIVE].startswith("still being processed, until ")
    assert outcomes["api/process/completed"] == "already COMPLETED"
    assert outcomes["api/process/nowhere"] == "not in the catalog"
    ended = status_of(aws, STUCK)
    assert (ended["status"], ended["reason"]) == ("FAILED", LAPSED)
    assert ended["ended_by"].startswith("arn:aws:")
    assert ended["processed_at"] > status_of(aws, ALIVE)["processed_at"]
    assert "claim_expires_at" not in ended
    assert [status_of(aws, object_id)["status"] for object_id in (ALIVE, NEWER)] == ["PROCESSING"] * 2


@pytest.mark.usefixtures("requests")
def test_end_all_ends_what_status_names(aws: Aws, operate: Operate) -> None:
    assert operate("end", "--all").status == 0
    assert [status_of(aws, object_id)["status"] for object_id in (STUCK, NEWER, ALIVE)] == [
        *("FAILED", "FAILED", "PROCESSING")
    ]
    assert operate("status").status == 0
    assert "No request is stuck." in operate("end", "--all").out


@pytest.mark.usefixtures("requests")
def test_what_was_ended_is_taken_up_by_the_same_request(aws: Aws, operate: Operate) -> None:
    operate("end", STUCK)
    catalog = request_catalog(aws)

    assert catalog.store(api_result(STUCK, Status.PROCESSING)) is None
    assert catalog.store(api_result(STUCK, Status.COMPLETED)) is None

    item = status_of(aws, STUCK)
    assert (item["status"], "reason" in item, "ended_by" in item) == ("COMPLETED", False, False)


def test_a_file_whose_worker_died_is_no_request(aws: Aws, operate: Operate) -> None:
    """Its message comes again by itself."""
    long_ago = datetime.now(UTC) - timedelta(days=1)
    worker = Worker(request_id="w", function_name="ingest", attempt=1, started_at=long_ago, deadline=long_ago)
    operator_catalog(aws, lambda: long_ago).claim(uploaded(aws, "uploads/stuck.csv"), ObjectFacts(), worker)

    assert operate("status", "--json").json()["stuckRequests"] == []
    assert operate("end", "--all", "--json").json() == {"requests": []}


def test_no_file_is_ended(aws: Aws, operate: Operate) -> None:
    """Its message comes again by itself."""
    assert operate("end", "uploads/a.csv").status == 1
    assert aws.items() == {}

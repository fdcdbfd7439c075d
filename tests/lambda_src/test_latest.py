"""Which version of a key is its latest: S3's sequencer decides, and S3 itself where there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.catalog.model import Claim, ObjectVersion, Outcome, Status
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter, LatestContendedError
from tests.lambda_src.catalogs import COMPLETED, FACTS, Clock, latest, make_catalog, worker
from tests.lambda_src.conftest import Aws, Calls, catalog_settings
from tests.lambda_src.test_vocabulary import VERSION


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Bucket:
    """Which version of each key S3 takes for the latest, and what happens while it is asked."""

    def __init__(self, version_id: str | None) -> None:
        self.version_id = version_id
        self.asked = 0
        self.meanwhile: list[Callable[[], object]] = []

    def __call__(self, version: ObjectVersion) -> ObjectVersion | None:
        self.asked += 1
        answer = self.version_id and dataclasses.replace(version, version_id=self.version_id, sequencer="")
        if self.meanwhile:
            self.meanwhile.pop()()
        return answer or None


V1 = dataclasses.replace(VERSION, version_id="v1", sequencer="0010")
V2 = dataclasses.replace(VERSION, version_id="v2", sequencer="0020", etag="2")
V3 = dataclasses.replace(VERSION, version_id="v3", sequencer="0030", etag="3")
WITHOUT_SEQUENCER = dataclasses.replace(V2, sequencer="")


@pytest.mark.parametrize("first", [True, False], ids=["the key's first", "after another"])
def test_a_version_without_sequencer_is_the_latest_if_s3_says_so(aws: Aws, clock: Clock, first: bool) -> None:
    catalog = make_catalog(aws, clock, Bucket("v2"))
    if not first:
        catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))

    assert catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock)) is Claim.TAKEN

    assert latest(aws) == "v2"


@pytest.mark.parametrize("current", ["v3", None], ids=["a later one", "deleted"])
def test_a_version_without_sequencer_is_not_the_latest_if_s3_denies_it(
    aws: Aws, clock: Clock, current: str | None
) -> None:
    catalog = make_catalog(aws, clock, Bucket(current))
    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))

    assert catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock)) is Claim.TAKEN

    assert latest(aws) == "v1"
    assert len(aws.items()) == 2


@pytest.mark.parametrize("sequencer", [V3.sequencer, ""])
def test_a_version_that_comes_while_s3_is_asked_stays_the_latest(aws: Aws, clock: Clock, sequencer: str) -> None:
    """S3 said that v2 is the latest; before that is written, v3 is uploaded and processed."""
    bucket = Bucket("v2")
    catalog = make_catalog(aws, clock, bucket)
    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))

    def upload() -> None:
        bucket.version_id = "v3"
        catalog.record(dataclasses.replace(V3, sequencer=sequencer), FACTS, COMPLETED, worker("w3", clock))

    bucket.meanwhile.append(upload)
    assert catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock)) is Claim.TAKEN

    assert latest(aws) == "v3"
    assert bucket.asked == (2 if sequencer else 3)


@pytest.mark.parametrize("sequencer", [V1.sequencer, ""])
def test_an_answer_of_s3_from_before_a_later_version_came_and_went_does_not_count(
    aws: Aws, clock: Clock, sequencer: str
) -> None:
    """The latest is again what it was before the question; v2, which S3 answered then, has been deleted since."""
    bucket = Bucket("v1")
    catalog = make_catalog(aws, clock, bucket)
    catalog.record(dataclasses.replace(V1, sequencer=sequencer), FACTS, COMPLETED, worker("w1", clock))
    bucket.version_id = "v2"

    def come_and_go() -> None:
        bucket.version_id = "v3"
        catalog.claim(V3, FACTS, worker("w3", clock))
        bucket.version_id = "v1"
        catalog.withdraw(V3)

    bucket.meanwhile.append(come_and_go)
    assert catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock)) is Claim.TAKEN

    assert latest(aws) == "v1"


def test_versions_that_come_without_end_leave_the_message(aws: Aws, clock: Clock) -> None:
    bucket = Bucket("v2")
    catalog = make_catalog(aws, clock, bucket)
    others = iter(range(100))

    def upload() -> None:
        number = next(others)
        later = dataclasses.replace(V1, version_id=f"x{number}", sequencer=f"00{10 + number}", etag=str(number))
        catalog.record(later, FACTS, COMPLETED, worker(f"w{number}", clock))

    bucket.meanwhile += [upload] * 10
    with pytest.raises(LatestContendedError):
        catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock))

    assert V2.version_id not in {item["version_id"] for item in aws.items().values()}


def test_a_late_event_does_not_move_the_latest_back_from_what_s3_said(aws: Aws, clock: Clock) -> None:
    """v3's event was lost, and v3 found. v2's comes late: its sequencer is larger than v1's, and S3 decides."""
    catalog = make_catalog(aws, clock, Bucket("v3"))
    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))
    catalog.record(dataclasses.replace(V3, sequencer=""), FACTS, COMPLETED, worker("w3", clock))

    catalog.record(V2, FACTS, COMPLETED, worker("w2", clock))

    assert latest(aws) == "v3"


def test_the_next_version_is_the_latest_after_one_that_s3_named(aws: Aws, clock: Clock, calls: Calls) -> None:
    bucket = Bucket("v2")
    catalog = make_catalog(aws, clock, bucket)
    catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock))
    bucket.version_id = "v3"

    catalog.record(V3, FACTS, COMPLETED, worker("w3", clock))

    assert latest(aws) == "v3"
    asked = bucket.asked
    calls.made.clear()
    catalog.record(
        dataclasses.replace(V3, version_id="v4", sequencer="0040", etag="4"), FACTS, COMPLETED, worker("w4", clock)
    )
    assert (latest(aws), bucket.asked, calls.made[0]) == ("v4", asked, "TransactWriteItems"), "orders decide again"


def test_a_late_event_does_not_move_the_latest_back_from_one_that_s3_and_a_sequencer_named(
    aws: Aws, clock: Clock
) -> None:
    bucket = Bucket("v2")
    catalog = make_catalog(aws, clock, bucket)
    catalog.record(WITHOUT_SEQUENCER, FACTS, COMPLETED, worker("w2", clock))
    bucket.version_id = "v3"
    catalog.record(V3, FACTS, COMPLETED, worker("w3", clock))

    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))

    assert latest(aws) == "v3"


def test_the_latest_is_not_forgotten_before_a_version_that_was_processed_again(aws: Aws, clock: Clock) -> None:
    catalog = make_catalog(aws, clock)
    failed = Outcome(status=Status.FAILED, reason="throttled")
    catalog.record(V1, FACTS, failed, worker("first", clock))
    clock.now += timedelta(days=300)

    assert catalog.record(V1, FACTS, COMPLETED, worker("second", clock)) is Claim.TAKEN

    first, second = (item["ttl"]["N"] for item in aws.dynamodb.scan(TableName=aws.table)["Items"])
    assert first == second


def test_a_version_that_was_deleted_is_recorded_and_not_the_latest(aws: Aws, clock: Clock) -> None:
    catalog = make_catalog(aws, clock, Bucket("v1"))
    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))

    gone = Outcome(status=Status.SKIPPED, reason="gone")
    assert catalog.record(V2, FACTS, gone, worker("w2", clock), exists=False) is Claim.TAKEN

    assert latest(aws) == "v1"
    assert len(aws.items()) == 2


def test_a_version_that_is_deleted_while_it_is_read_gives_way_to_what_s3_has(aws: Aws, clock: Clock) -> None:
    catalog = make_catalog(aws, clock, Bucket("v1"))
    catalog.record(V1, FACTS, COMPLETED, worker("w1", clock))
    catalog.claim(V2, FACTS, worker("w2", clock))
    assert latest(aws) == "v2"

    catalog.withdraw(V2)

    assert latest(aws) == "v1"
    catalog.withdraw(V2)
    assert latest(aws) == "v1"


def test_reopening_survives_an_answer_that_is_lost(aws: Aws, clock: Clock) -> None:
    """The SDK asks again, and finds what it wrote; another operator does not."""
    catalog = make_catalog(aws, clock)
    catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock))
    processed_at = str(aws.item(VERSION.key)["processed_at"])

    assert catalog.reopen(VERSION, status=Status.COMPLETED, processed_at=processed_at, by="me")
    assert catalog.reopen(VERSION, status=Status.COMPLETED, processed_at=processed_at, by="me")
    assert not catalog.reopen(VERSION, status=Status.COMPLETED, processed_at=processed_at, by="somebody else")


def test_a_catalog_that_forgets_nothing_sets_no_expiry(aws: Aws, clock: Clock) -> None:
    catalog = CatalogWriter(CatalogTable(aws.dynamodb, catalog_settings(aws.table, retention_days=0), clock))

    catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock))
    catalog.reopen(VERSION, status=Status.COMPLETED, processed_at=str(aws.item(VERSION.key)["processed_at"]), by="me")

    assert all("ttl" not in item for item in aws.dynamodb.scan(TableName=aws.table)["Items"])


def test_a_catalog_that_forgets_nothing_any_more_takes_expiries_back(aws: Aws, clock: Clock) -> None:
    make_catalog(aws, clock).record(V1, FACTS, COMPLETED, worker("first", clock))
    assert all("ttl" in item for item in aws.dynamodb.scan(TableName=aws.table)["Items"])

    catalog = CatalogWriter(CatalogTable(aws.dynamodb, catalog_settings(aws.table, retention_days=0), clock))
    catalog.reopen(V1, status=Status.COMPLETED, processed_at=str(aws.item(VERSION.key)["processed_at"]), by="me")
    catalog.record(V2, FACTS, COMPLETED, worker("second", clock))

    left = [item["object_id"]["S"] for item in aws.dynamodb.scan(TableName=aws.table)["Items"] if "ttl" in item]
    assert left == []

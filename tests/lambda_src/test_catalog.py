"""The claim: who may write what, when; each change one conditional write."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from shared.catalog.model import Claim, ObjectFacts, Outcome, Status
from shared.catalog.table import WRITE_ATTEMPTS
from shared.catalog.writer import CLAIM_MARGIN, CatalogWriter
from tests.declared_stack import dig
from tests.lambda_src.catalogs import COMPLETED, FACTS, FAILED, START, Clock, latest, make_catalog, worker
from tests.lambda_src.conftest import Aws, Calls
from tests.lambda_src.test_vocabulary import VERSION


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog(aws: Aws, clock: Clock) -> CatalogWriter:
    return make_catalog(aws, clock)


def status(aws: Aws) -> object:
    return aws.item(VERSION.key)["status"]


def test_a_new_file_is_taken_and_finished(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    first = worker("first", clock)

    assert catalog.claim(VERSION, FACTS, first) is Claim.TAKEN
    assert status(aws) == "PROCESSING"
    clock.now += timedelta(seconds=1.5)
    assert catalog.finish(VERSION, COMPLETED, first)
    item = aws.item(VERSION.key)
    assert (item["status"], item["duration_ms"]) == ("COMPLETED", 1500)
    assert "claim_expires_at" not in item


def test_the_item_says_all_that_is_known(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock))

    item = aws.item(VERSION.key)
    assert item.pop("ttl") == int((START + timedelta(days=365)).timestamp())
    assert str(item.pop("bucket_shard")).startswith("landing#")
    assert str(item.pop("status_shard")).startswith("COMPLETED#")
    assert item == {
        "object_id": VERSION.object_id,
        "version_id": "v1",
        "bucket": "landing",
        "key": "uploads/a.csv",
        "size": 48,
        "content_type": "text/csv",
        "event_name": "ObjectCreated:Put",
        "event_time": "2026-11-20T08:15:30.123Z",
        "last_modified": "2026-11-20T09:15:30.000Z",
        "etag": VERSION.etag,
        "sequencer": VERSION.sequencer,
        "encryption": "aws:kms",
        "cache_control": "no-store",
        "content_encoding": "gzip",
        "expires": "Thu, 01 Dec 2026 16:00:00 GMT",
        "user_metadata": {"sender": "ACME"},
        "stage": "dev",
        "region": "eu-central-1",
        "processed_at": "2026-11-20T08:00:00.000Z",
        "processed_by": "ingest",
        "request_id": "first",
        "owner": "first",
        "attempt": 1,
        "duration_ms": 0,
        "status": "COMPLETED",
    }


def test_facts_that_are_missing_are_left_out(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    bare = dataclasses.replace(VERSION, size=None, etag="", sequencer="", event_time="")

    assert catalog.record(bare, ObjectFacts(), COMPLETED, worker("first", clock)) is Claim.TAKEN

    assert {"size", "content_type", "last_modified", "user_metadata", "reason", "event_time"}.isdisjoint(
        aws.item(VERSION.key)
    )


@pytest.mark.parametrize("final", [Status.COMPLETED, Status.REJECTED, Status.SKIPPED])
def test_a_finished_file_is_never_taken_again(catalog: CatalogWriter, aws: Aws, clock: Clock, final: Status) -> None:
    catalog.record(VERSION, FACTS, Outcome(status=final), worker("first", clock))
    before = aws.item(VERSION.key)
    clock.now += timedelta(days=1)

    assert catalog.claim(VERSION, FACTS, worker("second", clock)) is Claim.FINISHED
    assert catalog.record(VERSION, FACTS, FAILED, worker("second", clock)) is Claim.FINISHED
    assert aws.item(VERSION.key) == before


def test_a_failed_file_is_taken_again_at_once(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    catalog.record(VERSION, FACTS, FAILED, worker("first", clock))
    assert aws.item(VERSION.key)["reason"] == "throttled"

    assert catalog.claim(VERSION, FACTS, worker("second", clock)) is Claim.TAKEN
    assert "reason" not in aws.item(VERSION.key)


def test_a_claim_holds_until_the_worker_must_be_dead(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    first = worker("first", clock)
    catalog.claim(VERSION, FACTS, first)

    clock.now = first.deadline + CLAIM_MARGIN
    assert catalog.claim(VERSION, FACTS, worker("second", clock)) is Claim.HELD
    assert catalog.record(VERSION, FACTS, COMPLETED, worker("second", clock)) is Claim.HELD
    assert aws.item(VERSION.key)["owner"] == "first"
    clock.now += timedelta(seconds=1)
    assert catalog.claim(VERSION, FACTS, worker("second", clock)) is Claim.TAKEN


def test_a_late_first_worker_changes_nothing(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    first = worker("first", clock)
    catalog.claim(VERSION, FACTS, first)
    clock.now += timedelta(minutes=6)
    second = worker("second", clock)
    catalog.claim(VERSION, FACTS, second)

    assert not catalog.finish(VERSION, FAILED, first)
    assert status(aws) == "PROCESSING"
    assert catalog.finish(VERSION, COMPLETED, second)
    done = aws.item(VERSION.key)
    assert not catalog.finish(VERSION, FAILED, first)
    assert aws.item(VERSION.key) == done


def test_a_write_whose_answer_was_lost_may_be_sent_again(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    """The SDK retries after a time-out: its second attempt meets what its first one wrote."""
    first = worker("first", clock)

    assert catalog.claim(VERSION, FACTS, first) is Claim.TAKEN
    assert catalog.claim(VERSION, FACTS, first) is Claim.TAKEN
    assert catalog.finish(VERSION, COMPLETED, first)
    assert catalog.finish(VERSION, COMPLETED, first)
    assert status(aws) == "COMPLETED"


def test_each_change_is_one_call(catalog: CatalogWriter, clock: Clock, calls: Calls) -> None:
    first = worker("first", clock)

    catalog.claim(VERSION, FACTS, first)
    catalog.finish(VERSION, COMPLETED, first)
    catalog.record(VERSION, FACTS, COMPLETED, first)

    assert calls.made == ["TransactWriteItems", "UpdateItem", "TransactWriteItems"]


def test_an_older_version_is_recorded_and_the_latest_stays(
    catalog: CatalogWriter, aws: Aws, clock: Clock, calls: Calls
) -> None:
    newer = dataclasses.replace(VERSION, version_id="v2", etag="e2", sequencer="0055AED6DCD90281E6")
    catalog.record(newer, FACTS, COMPLETED, worker("first", clock))

    assert catalog.record(VERSION, FACTS, COMPLETED, worker("second", clock)) is Claim.TAKEN

    assert calls.made == ["TransactWriteItems", "TransactWriteItems", "PutItem"]
    assert len(aws.items()) == 2
    assert latest(aws) == "v2"
    assert catalog.record(VERSION, FACTS, COMPLETED, worker("third", clock)) is Claim.FINISHED


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_the_latest_is_the_last_written_in_whatever_order_events_come(aws: Aws, order: tuple[int, ...]) -> None:
    key = "uploads/" + "".join(map(str, order))
    catalog, clock = make_catalog(aws, Clock()), Clock()
    for number in order:
        version = dataclasses.replace(
            VERSION, key=key, version_id=f"v{number}", etag=f"e{number}", sequencer=f"0055AED6DCD90281E{number}"
        )
        assert catalog.record(version, FACTS, COMPLETED, worker(f"w{number}", clock)) is Claim.TAKEN

    assert latest(aws, key) == "v2"


def cancelled(aws: Aws, *codes: str) -> Exception:
    return aws.dynamodb.exceptions.TransactionCanceledException(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


@pytest.mark.parametrize(
    "codes",
    [
        ("None", "TransactionConflict"),
        ("TransactionConflict", "None"),
        ("ThrottlingError", "None"),
        ("None", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_collision_or_throttling_is_waited_out(
    catalog: CatalogWriter, aws: Aws, clock: Clock, calls: Calls, codes: tuple[str, ...]
) -> None:
    """The SDK sees a cancelled transaction and gives up; left to the queue, it would cost a receive and minutes."""
    calls.faults["TransactWriteItems"] = [cancelled(aws, *codes)] * (WRITE_ATTEMPTS - 1)

    assert catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock)) is Claim.TAKEN

    assert len(clock.waits) == WRITE_ATTEMPTS - 1
    assert all(0 <= seconds <= 2 for seconds in clock.waits)


def test_throttling_that_lasts_is_left_to_the_queue(
    catalog: CatalogWriter, aws: Aws, clock: Clock, calls: Calls
) -> None:
    calls.faults["TransactWriteItems"] = [cancelled(aws, "ThrottlingError", "None")] * WRITE_ATTEMPTS

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock))

    assert aws.items() == {}
    assert sum(clock.waits) < 8, "within the time that is kept in reserve"


def test_a_refusal_that_no_retry_mends_is_not_retried(
    catalog: CatalogWriter, aws: Aws, clock: Clock, calls: Calls
) -> None:
    calls.faults["TransactWriteItems"] = [cancelled(aws, "ValidationError", "None")]

    with pytest.raises(ClientError):
        catalog.record(VERSION, FACTS, COMPLETED, worker("first", clock))

    assert clock.waits == []


def test_no_index_key_takes_more_than_its_share(catalog: CatalogWriter, clock: Clock, calls: Calls) -> None:
    files, shards = 400, 8
    calls.answers["TransactWriteItems"] = {}
    for number in range(files):
        version = dataclasses.replace(VERSION, key=f"uploads/{number}", etag=f"e{number}")
        catalog.record(version, FACTS, COMPLETED, worker("first", clock))

    written = [dig(call, "TransactItems", 0, "Put", "Item") for call in calls.parameters]
    for key in ("bucket_shard", "status_shard"):
        counts = Counter(dig(item, key, "S") for item in written)
        assert len(counts) == shards
        assert max(counts.values()) <= files / shards * 1.5


def test_a_file_stays_in_its_shard_whatever_its_status(catalog: CatalogWriter, aws: Aws, clock: Clock) -> None:
    first = worker("first", clock)
    catalog.claim(VERSION, FACTS, first)
    processing = aws.item(VERSION.key)
    catalog.finish(VERSION, COMPLETED, first)

    items = (processing, aws.item(VERSION.key))
    assert len({str(item[key]).partition("#")[2] for item in items for key in ("status_shard", "bucket_shard")}) == 1

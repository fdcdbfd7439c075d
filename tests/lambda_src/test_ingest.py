"""From an upload to its status: what is read, what it costs, and what happens when AWS fails."""

from __future__ import annotations

import dataclasses

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.declared_stack import DeclaredStack
from tests.lambda_src.catalogs import Clock, worker
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.lambda_src.ingesting import COMPLETED, KEY, Make, ingest_maker, uploaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_ingest(aws: Aws, dev: DeclaredStack, clock: Clock) -> Make:
    return ingest_maker(aws, dev, clock)


def test_a_file_without_content_work_takes_two_calls(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls) -> None:
    version = uploaded(aws)
    calls.made.clear()

    assert make_ingest().process(version, worker("first", clock)) == COMPLETED

    assert calls.made == ["HeadObject", "TransactWriteItems"]


@pytest.mark.parametrize("key", ["uploads/a.exe", "uploads/temp/a.csv"])
def test_a_skipped_file_takes_two_calls(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls, key: str) -> None:
    version = uploaded(aws, key)
    calls.made.clear()

    outcome = make_ingest().process(version, worker("first", clock))

    assert outcome is not None
    assert outcome.status == "SKIPPED"
    assert calls.made == ["HeadObject", "TransactWriteItems"]
    assert aws.item(key)["content_type"] == "binary/octet-stream", "facts are cataloged for what is skipped too"


def test_an_older_version_takes_three_calls(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls) -> None:
    first, second = uploaded(aws, body=b"one"), uploaded(aws, body=b"two")
    make_ingest().process(second, worker("w2", clock))
    calls.made.clear()

    make_ingest().process(first, worker("w1", clock))

    assert calls.made == ["HeadObject", "TransactWriteItems", "PutItem"]
    assert aws.latest(KEY) == second.version_id


def test_the_events_version_is_what_is_read(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    """The object was replaced before it is read: each version ends with its own facts."""
    first, second = uploaded(aws, body=b"one"), uploaded(aws, body=b"longer")

    make_ingest().process(first, worker("w1", clock))
    make_ingest().process(second, worker("w2", clock))

    sizes = {item["version_id"]: item["size"] for item in aws.items().values()}
    assert sizes == {first.version_id: 3, second.version_id: 6}
    assert aws.latest(KEY) == second.version_id


def test_a_version_deleted_before_it_is_read_is_skipped(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    version = uploaded(aws)
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version.version_id)

    make_ingest().process(version, worker("first", clock))

    item = aws.item(KEY)
    assert (item["status"], item["reason"]) == ("SKIPPED", "object version was deleted before it was read")
    assert item["size"] == 7, "the event's size"


def test_a_delete_marker_on_top_changes_nothing(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    version = uploaded(aws)
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY)

    assert make_ingest().process(version, worker("first", clock)) == COMPLETED


def test_what_is_outside_uploads_is_skipped_unread(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls) -> None:
    version = uploaded(aws, "processed/a.csv")
    calls.made.clear()

    make_ingest().process(version, worker("first", clock))

    assert calls.made == ["TransactWriteItems"]
    assert aws.item("processed/a.csv")["reason"] == "key is not under uploads/"


@pytest.mark.parametrize(
    ("code", "http_status"), [("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403), ("403", 403)]
)
def test_a_failure_that_can_pass_is_written_down_and_raised(
    aws: Aws, clock: Clock, make_ingest: Make, calls: Calls, code: str, http_status: int
) -> None:
    version = uploaded(aws)
    calls.fail("HeadObject", code, status=http_status)

    with pytest.raises(ClientError, match=code):
        make_ingest().process(version, worker("first", clock))
    item = aws.item(KEY)
    assert item["status"] == "FAILED"
    assert code in str(item["reason"])

    assert make_ingest().process(version, worker("second", clock)) == COMPLETED
    assert "reason" not in aws.item(KEY)


def test_a_timeout_is_a_failure_that_can_pass(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls) -> None:
    version = uploaded(aws)
    calls.faults["HeadObject"] = [ReadTimeoutError(endpoint_url="https://s3")]

    with pytest.raises(ReadTimeoutError):
        make_ingest().process(version, worker("first", clock))

    assert aws.item(KEY)["status"] == "FAILED"


def test_a_catalog_out_of_reach_does_not_hide_the_failure(
    aws: Aws, clock: Clock, make_ingest: Make, calls: Calls
) -> None:
    version = uploaded(aws)
    calls.fail("HeadObject", "SlowDown")
    calls.fail("TransactWriteItems", "ProvisionedThroughputExceededException")

    with pytest.raises(ClientError, match="SlowDown"):
        make_ingest().process(version, worker("first", clock))

    assert aws.items() == {}


def test_a_duplicate_of_a_finished_file_is_done_whatever_happens(
    aws: Aws, clock: Clock, make_ingest: Make, calls: Calls
) -> None:
    version = uploaded(aws)
    make_ingest().process(version, worker("first", clock))
    done = aws.item(KEY)

    assert make_ingest().process(version, worker("second", clock)) is None
    calls.fail("HeadObject", "SlowDown")
    assert make_ingest().process(version, worker("third", clock)) is None
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version.version_id)
    assert make_ingest().process(version, worker("fourth", clock)) is None
    assert aws.item(KEY) == done


def test_a_key_of_the_longest_kind(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    key = "uploads/" + "ü" * 506 + ".csv"
    assert len(key.encode()) == 1024

    assert make_ingest().process(uploaded(aws, key), worker("first", clock)) == COMPLETED
    assert aws.item(key)["key"] == key


@pytest.mark.parametrize("missing", ["version_id", "etag"])
def test_s3s_own_word_serves_where_the_event_says_nothing(
    aws: Aws, clock: Clock, make_ingest: Make, missing: str
) -> None:
    """The same version is the same item, whatever the event lacks."""
    version = uploaded(aws)
    bare = dataclasses.replace(version, **{missing: ""}, reprocessed=False, sequencer="", event_time="", size=None)

    assert make_ingest().process(bare, worker("first", clock)) == COMPLETED
    item = aws.item(KEY)
    assert (item["version_id"], item["object_id"]) == (version.version_id, version.object_id)
    assert make_ingest().process(version, worker("second", clock)) is None


def test_metadata_without_a_name_does_not_stop_a_file(aws: Aws, clock: Clock, make_ingest: Make, calls: Calls) -> None:
    version = uploaded(aws)
    head = aws.s3.head_object(Bucket=BUCKET, Key=KEY, VersionId=version.version_id)
    calls.answers["HeadObject"] = {**head, "Metadata": {"": "nameless", "sender": "ACME"}}

    assert make_ingest().process(version, worker("first", clock)) == COMPLETED

    assert aws.item(KEY)["user_metadata"] == {"sender": "ACME"}


def test_the_catalog_is_the_declared_one(aws: Aws, dev: DeclaredStack) -> None:
    """The table that these tests write to has the declared keys and indexes."""
    described = aws.dynamodb.describe_table(TableName=aws.table)["Table"]

    assert {index["IndexName"] for index in described["GlobalSecondaryIndexes"]} == {
        str(index["name"]) for index in dev.one("Table").parts("globalSecondaryIndexes")
    }

"""Uploads whose event never came: found once, whatever else waits, fails or dies, and processed as any other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from forward.changes import parse_change
from reconcile.intake import NotSentError
from reconcile.search import Progress
from shared.catalog.search_state import SearchTakenError
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    message,
)
from tests.lambda_src.upload_search import HOUR, WEEK, Search, key_of


@pytest.fixture
def search(aws: Aws) -> Search:
    return Search(aws)


def test_an_upload_without_an_item_is_sent_once_and_processed(handler: Handler, search: Search, aws: Aws) -> None:
    handler(batch(message(aws.put("uploads/known.txt"))), LambdaContext())
    aws.put("uploads/lost + found.txt")
    aws.put("elsewhere/lost.txt")

    assert search.run() == Progress(listed=2, missed=1, whole=True)
    search.oldest_waits(timedelta(minutes=1))
    assert search.run(at_once=True) == Progress(listed=2, missed=0, whole=True), "its event waits in the queue"

    (event,) = aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"]
    item = aws.item("uploads/lost + found.txt")
    assert (item["status"], item["reopened_by"]) == ("FAILED", "reconciliation")
    assert "its event never came" in str(item["reason"])
    handler(batch(message(body=event["Body"])), LambdaContext())
    item = aws.item("uploads/lost + found.txt")
    assert (item["status"], item["version_id"]) == ("COMPLETED", aws.latest("uploads/lost + found.txt"))
    assert search.run(at_once=True) == Progress(listed=2, missed=0, whole=True)
    assert "Messages" in aws.sqs.receive_message(QueueUrl=aws.queue_url), "nothing but the one that was there"


@pytest.mark.parametrize(("age", "found"), [(timedelta(minutes=10), ["uploads/lost.txt"]), (3 * HOUR, [])])
def test_only_what_is_an_hour_older_than_the_oldest_message_is_searched(
    search: Search, aws: Aws, age: timedelta, found: list[str]
) -> None:
    """Two hours have passed since the upload: its event may be among those that wait for longer."""
    aws.put("uploads/lost.txt")
    search.oldest_waits(age)

    search.run()

    assert search.sent() == found


def test_nothing_is_searched_while_it_is_not_known_how_long_messages_wait(search: Search, aws: Aws) -> None:
    aws.put("uploads/lost.txt")
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody='{"Records": []}')

    assert search.run() is None

    search.sent()
    assert search.run() == Progress(listed=1, missed=1, whole=True), "the hour after it is tried again"


def test_a_search_begins_when_it_is_time(search: Search, calls: Calls) -> None:
    assert search.run() == Progress(whole=True)
    search.now += 23 * HOUR
    calls.made.clear()
    assert search.run() is None
    assert "ListObjectVersions" not in calls.made
    search.now += HOUR
    assert search.run() == Progress(whole=True)


def test_only_what_came_since_the_last_search_and_the_overlap_is_looked_up(
    search: Search, aws: Aws, calls: Calls
) -> None:
    aws.put("uploads/old.txt")
    search.now += 2 * WEEK
    search.run()
    assert search.sent() == ["uploads/old.txt"]
    aws.dynamodb.delete_item(TableName=aws.table, Key=key_of(aws, "uploads/old.txt"))
    calls.made.clear()

    search.run(at_once=True)

    assert search.sent() == []
    assert "BatchGetItem" not in calls.made


def test_an_upload_in_parts_that_began_before_the_last_search_is_found(search: Search, aws: Aws) -> None:
    """S3 dates it by its start: five days before it is there."""
    search.now += timedelta(days=5)
    search.run()
    aws.put("uploads/in-parts.bin")  # dated as if begun before that search

    search.run(at_once=True)

    assert search.sent() == ["uploads/in-parts.bin"]


def test_a_long_list_is_gone_through_in_several_invocations(
    search: Search, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.listing.PAGE_VERSIONS", 3)
    for number in range(10):
        aws.put(f"uploads/{number}.txt")
        aws.put(f"uploads/{number}.txt", b"its second version")
    search.page_seconds = 5

    runs = [search.run(seconds=30)]
    while runs[-1] and not runs[-1].whole:
        assert len(runs) < 10
        runs.append(search.run(seconds=30))

    assert len(runs) > 1
    assert sum(run.listed for run in runs if run) == 20, "each version was listed once"
    assert sum(run.missed for run in runs if run) == 20
    assert len(search.sent()) == 20


def test_what_dies_goes_on_where_it_was(
    search: Search, aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.listing.PAGE_VERSIONS", 2)
    for number in range(6):
        aws.put(f"uploads/{number}.txt")
    died: list[str] = []

    def die(_answer: dict[str, object]) -> None:
        if calls.made.count("ListObjectVersions") == 2 and not died:
            died.append("here")
            raise KeyboardInterrupt

    calls.after["ListObjectVersions"] = die
    with pytest.raises(KeyboardInterrupt):
        search.run("one")
    assert search.run("two") is None, "the first one's time is not over"
    search.now += timedelta(minutes=2)

    assert search.run("two") == Progress(listed=4, missed=4, whole=True)
    assert search.sent() == [f"uploads/{number}.txt" for number in range(6)]


def test_one_that_dies_before_it_notes_what_it_sent_sends_it_again(search: Search, aws: Aws, calls: Calls) -> None:
    """Never the other way round: what is noted and not sent would be lost for good."""
    aws.put("uploads/lost.txt")
    calls.faults["PutItem"] = [ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")]
    with pytest.raises(ClientError):
        search.run("one")
    search.now += timedelta(minutes=2)

    search.run("two")

    assert search.sent() == ["uploads/lost.txt"] * 2
    assert aws.item("uploads/lost.txt")["status"] == "FAILED"


def test_one_that_stood_still_does_not_overwrite_its_follower(
    search: Search, aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.listing.PAGE_VERSIONS", 1)
    for number in range(3):
        aws.put(f"uploads/{number}.txt")
    followed: list[Progress | None] = []

    def follow(_answer: dict[str, object]) -> None:
        calls.after.pop("ListObjectVersions")
        search.now += timedelta(minutes=5)
        followed.append(search.run("two"))

    calls.after["ListObjectVersions"] = follow
    with pytest.raises(SearchTakenError):
        search.run("one")

    search.oldest_waits(timedelta(minutes=1))
    assert followed == [Progress(listed=3, missed=3, whole=True)]
    assert search.run("three", at_once=True) == Progress(listed=3, missed=0, whole=True)


def test_an_event_that_sqs_does_not_take_is_sent_by_the_next(search: Search, aws: Aws, calls: Calls) -> None:
    aws.put("uploads/taken.txt")
    aws.put("uploads/refused.txt")

    def refuse(answer: dict[str, object]) -> None:
        calls.after.pop("SendMessageBatch")
        successful = answer["Successful"]
        assert isinstance(successful, list)
        answer["Failed"] = [{"Id": successful.pop(0)["Id"], "Code": "InternalError", "SenderFault": False}]

    calls.after["SendMessageBatch"] = refuse
    with pytest.raises(NotSentError):
        search.run("one")
    assert len(aws.items()) == 1, "what was taken is noted"
    search.now += timedelta(minutes=2)

    assert search.run("two") == Progress(listed=2, missed=1, whole=True)


def test_keys_that_dynamodb_leaves_are_asked_for_again(search: Search, aws: Aws, calls: Calls) -> None:
    aws.put("uploads/lost.txt")
    left: list[object] = []

    def leave(answer: dict[str, object]) -> None:
        request = calls.parameters[len(calls.made) - 1]
        if not left:
            assert isinstance(request, dict)
            left.append(request["RequestItems"])
            answer["UnprocessedKeys"] = request["RequestItems"]

    calls.after["BatchGetItem"] = leave
    (version,) = aws.s3.list_object_versions(Bucket=BUCKET)["Versions"]

    assert search.run() == Progress(listed=1, missed=1, whole=True)
    assert calls.made.count("BatchGetItem") == 2
    assert version["Key"] == "uploads/lost.txt"


def test_an_item_that_came_meanwhile_is_left_alone(handler: Handler, search: Search, aws: Aws, calls: Calls) -> None:
    event = aws.put("uploads/slow.txt")

    def process() -> None:
        handler(batch(message(event)), LambdaContext())

    calls.before["SendMessageBatch"] = process
    search.run()

    assert aws.item("uploads/slow.txt")["status"] == "COMPLETED"


def test_the_next_system_hears_nothing_of_it(search: Search, aws: Aws) -> None:
    aws.put("uploads/lost.txt")
    search.run()
    image = aws.dynamodb.get_item(TableName=aws.table, Key=key_of(aws, "uploads/lost.txt"))["Item"]

    assert parse_change({"eventName": "INSERT", "dynamodb": {"NewImage": image}}) is None

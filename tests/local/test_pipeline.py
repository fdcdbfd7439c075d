"""The whole pipeline on the local cloud: from a dropped file to its catalog item."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta

import pytest

from local.files import UploadedFile
from local.samples import read_samples
from local.waiting import wait_until
from shared.catalog.model import Claim, ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from shared.settings import CatalogSettings
from tests.local.conftest import LocalPipeline, statuses

FOREIGN = """{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
  "s3": {"bucket": {"name": "someone-elses"}, "object": {"key": "uploads/a"}}}]}"""


def test_the_samples_end_as_expected(pipeline: LocalPipeline) -> None:
    samples = read_samples()
    files = [pipeline.drop(sample.key, sample.path.read_bytes()) for sample in samples]

    ended = [(item["key"], item["status"], item.get("reason", "")) for item in pipeline.final(*files)]

    assert ended == [(sample.key, sample.status, sample.reason) for sample in samples]
    pipeline.drained()
    assert pipeline.dead_letters() == 0


def test_the_item_holds_what_s3_knows(pipeline: LocalPipeline) -> None:
    answer = pipeline.stack.cloud.client("s3").put_object(
        Bucket=pipeline.bucket,
        Key="uploads/facts.csv",
        Body=b"12345",
        ContentType="text/csv",
        CacheControl="no-store",
        ContentEncoding="identity",
        Metadata={"sender": "ACME"},
    )
    (item,) = pipeline.final(UploadedFile(key="uploads/facts.csv", version_id=answer["VersionId"]))

    assert (item["size"], item["content_type"], item["cache_control"]) == (5, "text/csv", "no-store")
    assert (item["content_encoding"], item["user_metadata"]) == ("identity", {"sender": "ACME"})
    assert item["encryption"] == "aws:kms"
    assert str(item["kms_key_id"]).endswith(pipeline.stack.outputs["keyId"])
    assert (item["stage"], item["region"], item["event_name"]) == ("local", "us-east-1", "ObjectCreated:Put")
    assert item["etag"] == answer["ETag"].strip('"')
    assert str(item["object_id"]).startswith(f"{pipeline.bucket}/uploads/facts.csv#")
    assert item["processed_by"] == pipeline.stack.outputs["ingestFunctionName"]
    for moment in ("event_time", "last_modified", "processed_at"):
        assert abs(datetime.now(UTC) - datetime.fromisoformat(str(item[moment]))) < timedelta(minutes=1)


@pytest.mark.parametrize("character", [*string.punctuation.replace("/", ""), " ", "é", "日", "\U0001f4e6"])
def test_a_key_with_any_character_arrives_as_it_is(pipeline: LocalPipeline, character: str) -> None:
    key = f"uploads/reserved/a{character}b/{character}{character}c.csv"

    (item,) = pipeline.final(pipeline.drop(key))

    assert (item["key"], item["status"]) == (key, "COMPLETED")
    assert pipeline.latest(key) == item["version_id"]


def test_a_key_of_1024_bytes(pipeline: LocalPipeline) -> None:
    key = "uploads/" + "ü" * 506 + ".csv"
    assert len(key.encode()) == 1024

    assert statuses(pipeline.final(pipeline.drop(key))) == ["COMPLETED"]


def test_only_uploads_start_the_pipeline(pipeline: LocalPipeline) -> None:
    """What is published under other prefixes sends no event: the marker dropped last is processed alone."""
    others = [pipeline.drop(f"{prefix}x.csv") for prefix in ("processed/", "rejected/", "Uploads/", "")]
    marker = pipeline.drop("uploads/marker.csv")

    pipeline.final(marker)

    pipeline.drained()
    assert [pipeline.item(file) for file in others] == [None] * len(others)


def test_an_object_deleted_before_it_is_read(pipeline: LocalPipeline) -> None:
    with pipeline.paused():
        file = pipeline.drop("uploads/deleted.csv")
        pipeline.stack.cloud.client("s3").delete_object(Bucket=pipeline.bucket, Key=file.key, VersionId=file.version_id)

    (item,) = pipeline.final(file)

    assert (item["status"], item["reason"]) == ("SKIPPED", "object version was deleted before it was read")


def test_an_object_replaced_before_it_is_read(pipeline: LocalPipeline) -> None:
    """The event's version is what counts: both versions are processed, each with its own facts."""
    with pipeline.paused():
        first = pipeline.drop("uploads/replaced.csv", b"one")
        second = pipeline.drop("uploads/replaced.csv", b"second")

    items = pipeline.final(first, second)

    assert [(item["status"], item["size"]) for item in items] == [("COMPLETED", 3), ("COMPLETED", 6)]
    assert pipeline.latest("uploads/replaced.csv") == second.version_id


def test_events_that_come_twice_and_out_of_order(pipeline: LocalPipeline) -> None:
    with pipeline.paused():
        versions = [pipeline.drop("uploads/again.csv", f"{n}".encode() * n) for n in range(1, 5)]
        wait_until(lambda: pipeline.waiting() == 4, "the events have not come")
        events = pipeline.waiting_messages()
    before = pipeline.final(*versions)
    pipeline.drained()

    for event in reversed(events * 3):
        pipeline.send(event)
    pipeline.drained()

    assert [pipeline.item(file) for file in versions] == before, "each was processed once"
    assert pipeline.latest("uploads/again.csv") == versions[-1].version_id
    assert pipeline.dead_letters() == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "the message is not JSON"),
        ('{"Records": []}', "no Records"),
        ('{"Records": [{"eventSource": "aws:sns"}]}', "eventSource"),
        ('{"Records": [{"eventSource": "aws:s3", "eventName": "ObjectRemoved:Delete"}]}', "ObjectRemoved:Delete"),
        (FOREIGN, "someone-elses"),
    ],
)
def test_a_malformed_message_is_put_aside_once_with_its_reason(pipeline: LocalPipeline, body: str, reason: str) -> None:
    pipeline.send(body)

    wait_until(lambda: pipeline.dead_letters() == 1, "no dead-letter message")
    pipeline.drained()
    ((text, said),) = pipeline.take_dead_letters()
    assert text == body
    assert reason in said


def test_the_test_event_leaves_no_trace(pipeline: LocalPipeline) -> None:
    pipeline.send(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": pipeline.bucket}))

    pipeline.drained()

    assert pipeline.dead_letters() == 0


def test_a_file_claimed_by_a_worker_that_died(pipeline: LocalPipeline) -> None:
    """It waits until the claim lapses, is completed once, and the first worker, late, changes nothing."""
    catalog = admin_catalog(pipeline)
    with pipeline.retried_after(1):
        with pipeline.paused():
            file = pipeline.drop("uploads/claimed.csv")
            head = pipeline.stack.cloud.client("s3").head_object(
                Bucket=pipeline.bucket, Key=file.key, VersionId=file.version_id
            )
            version = ObjectVersion(
                bucket=pipeline.bucket,
                key=file.key,
                version_id=file.version_id,
                etag=head["ETag"].strip('"'),
                size=7,
                sequencer="00",
                event_name="ObjectCreated:Put",
                event_time="",
            )
            now = datetime.now(UTC)
            soon = now + timedelta(seconds=1)
            dead = Worker(request_id="dead", function_name="ingest", attempt=1, started_at=now, deadline=soon)
            assert catalog.claim(version, ObjectFacts(), dead) is Claim.TAKEN
        (item,) = pipeline.final(file)

    assert item["status"] == "COMPLETED"
    assert int(str(item["attempt"])) > 1, "while the claim was held, the message stayed in the queue"
    assert not catalog.finish(version, Outcome(status=Status.FAILED), dead)
    assert pipeline.item(file) == item
    assert pipeline.latest(file.key) == file.version_id
    pipeline.drained()
    assert pipeline.dead_letters() == 0


def admin_catalog(pipeline: LocalPipeline) -> CatalogWriter:
    settings = CatalogSettings(
        catalog_table_name=pipeline.table,
        bucket_index="by-bucket",
        status_index="by-status",
        index_shards=1,
        catalog_retention_days=1,
        stage="local",
        aws_region="us-east-1",
    )
    return CatalogWriter(CatalogTable(pipeline.stack.cloud.client("dynamodb"), settings))

"""``show``: all that is known of one file."""

from __future__ import annotations

import json

import pytest

from shared.catalog.model import Outcome, Status
from shared.created_event import created_event
from tests.conftest import REGION
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.operate.conftest import (
    COMPLETED,
    LONG_AGO,
    REJECTED,
    Operate,
    buried,
    bury,
    ended,
    uploaded,
)
from tests.operate.test_redrive_delivery import bury_delivery


def test_show_prints_all_versions_the_latest_and_the_dead_letter(aws: Aws, operate: Operate) -> None:
    first, second = uploaded(aws, "uploads/a b.csv", b"1"), uploaded(aws, "uploads/a b.csv", b"2")
    ended(aws, first, Outcome(status=Status.COMPLETED, results={"records_valid": 3, "processed_key": "processed/a"}))
    ended(aws, second, REJECTED)
    bury(aws, created_event(second, REGION, sender="test"))
    bury(aws, created_event(uploaded(aws, "uploads/other.csv"), REGION, sender="test"))

    ran = operate("show", "uploads/a b.csv", "--json")

    assert ran.status == 1, "it has a dead-letter message"
    versions = ran.json()["versions"]
    assert isinstance(versions, list)
    assert [(v["version_id"], v["status"], v["is_latest"], v["in_s3"]) for v in versions] == [
        (second.version_id, "REJECTED", True, True),
        (first.version_id, "COMPLETED", False, True),
    ]
    assert "request-1" in versions[0]["logs"]
    assert "/aws/lambda/file-pipeline-dev-ingest" in versions[0]["logs"]
    assert [letter["reason"] for letter in ran.json()["dead_letters"]] == ["received too often"]  # type: ignore[attr-defined]
    assert len(buried(aws)) == 2, "looked at, not taken"
    text = operate("show", "uploads/a b.csv").out
    assert "processed: s3://landing-bucket/processed/a" in text
    assert "file has no" in text


def test_show_finds_the_delivery_that_was_dead_lettered(aws: Aws, operate: Operate, delivery_letters: str) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    for key in (version.key, "uploads/other.csv"):
        bury_delivery(aws, delivery_letters, json.dumps({"key": key}), key, reason="the endpoint answered 400")
    record = {"dynamodb": {"NewImage": {"key": {"S": version.key}}}}
    bury_delivery(aws, delivery_letters, json.dumps(record), "event-1", reason="no status", malformed="true")

    ran = operate("show", version.key, "--json")

    letters = ran.json()["dead_letters"]
    assert isinstance(letters, list)
    assert (ran.status, {letter["reason"] for letter in letters}) == (1, {"the endpoint answered 400", "no status"})


def test_show_is_not_sure_of_letters_that_it_did_not_see(
    aws: Aws, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    bury(aws, "one")
    assert operate("show", "uploads/a.csv").status == 0
    bury(aws, "two")
    monkeypatch.setattr("operate.show.PEEKED_MESSAGES", 1)

    ran = operate("show", "uploads/a.csv")

    assert ran.status == 1
    assert "About 1 dead-letter messages were not read" in ran.out
    assert operate("show", "uploads/a.csv", "--json").json()["dead_letters_not_seen"] == 1


def test_show_of_a_finished_file_is_well(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    assert operate("show", "uploads/a.csv").status == 0


def test_show_finds_versions_that_s3_has_no_more(aws: Aws, operate: Operate) -> None:
    for body in (b"1", b"2"):
        version = uploaded(aws, "uploads/a.csv", body)
        ended(aws, version, COMPLETED)
        aws.s3.delete_object(Bucket=BUCKET, Key=version.key, VersionId=version.version_id)

    def seen(*options: str) -> list[bool]:
        versions = operate("show", "uploads/a.csv", "--json", *options).json()["versions"]
        assert isinstance(versions, list)
        assert all(version["request_id"] == "request-1" for version in versions), (
            "all of an item, not what an index has"
        )
        return [version["is_latest"] for version in versions]

    assert seen() == [True], "the latest is known anyway"
    assert seen("--search") == [True, False]


def test_show_says_that_a_key_is_deleted(aws: Aws, operate: Operate) -> None:
    """Its version is there, and a delete marker hides it: nobody sees it in a listing."""
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/a.csv.gz"), COMPLETED)
    assert operate("show", "uploads/a.csv", "--json").json()["deleted"] is False
    aws.s3.delete_object(Bucket=BUCKET, Key="uploads/a.csv")

    ran = operate("show", "uploads/a.csv")

    assert ran.status == 0
    assert "a delete marker hides its versions" in ran.out
    assert operate("show", "uploads/a.csv", "--json").json()["deleted"] is True


def test_show_reads_no_further_than_its_key(aws: Aws, operate: Operate, calls: Calls) -> None:
    for number in range(3):
        uploaded(aws, f"uploads/a.csv{number}")
    version = uploaded(aws, "uploads/a.csv")
    page = {"Key": "uploads/a.csv0", "VersionId": "0", "ETag": '""', "Size": 1, "IsLatest": True}
    calls.answers["ListObjectVersions"] = {
        "IsTruncated": True,
        "NextKeyMarker": "uploads/a.csv0",
        "Versions": [
            {**page, "Key": version.key, "VersionId": version.version_id, "LastModified": LONG_AGO},
            {**page, "LastModified": LONG_AGO},
        ],
    }

    ran = operate("show", version.key, "--json")

    assert ran.json()["not_in_catalog"] == [version.version_id]
    assert calls.made.count("ListObjectVersions") == 1


def test_show_of_an_unknown_file_says_so(operate: Operate) -> None:
    ran = operate("show", "uploads/nothing.csv")

    assert ran.status == 1
    assert "uploads/nothing.csv is neither in S3 nor in the catalog" in ran.out


def test_show_shows_an_upload_without_an_item(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/lost.csv")

    ran = operate("show", "uploads/lost.csv", "--json")

    assert (ran.status, ran.json()["not_in_catalog"]) == (1, [version.version_id])

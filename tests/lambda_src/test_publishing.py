"""Results: uploaded as they grow, there when they are complete, and only by who holds the file."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from ingest.records import RecordFiles, TooSlowError
from shared import clients
from shared.catalog.model import ObjectFacts
from shared.objects import Objects
from shared.records.output import PART_BYTES, OutputFile
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.lambda_src.ingesting import RECORD_RULES, STORED, publisher, uploaded

KEY = "uploads/shipments/a.csv"
CSV = b"shipment_id,status,timestamp\nSHP-1,created,2026-11-20T08:15:00Z\nSHP-2,lost,never\n"


def _noise(count: int) -> Iterator[bytes]:
    """Lines that hardly compress."""
    source = random.Random(7)
    for _ in range(count):
        yield source.randbytes(150).hex().encode() + b"\n"


def test_a_large_result_appears_only_when_it_is_complete(aws: Aws, calls: Calls) -> None:
    lines = list(_noise(120_000))
    output = OutputFile(publisher(aws), BUCKET, "processed/large", "STANDARD")
    for start in range(0, len(lines), 5000):
        output.write(b"".join(lines[start : start + 5000]), 5000)
        assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0

    output.publish()

    assert calls.made.count("UploadPart") >= 2
    assert "PutObject" not in calls.made
    stored = aws.s3.get_object(Bucket=BUCKET, Key="processed/large")["Body"].read()
    assert len(stored) > PART_BYTES
    assert gzip.decompress(stored) == b"".join(lines)
    assert output.lines == 120_000


def test_an_abandoned_result_leaves_nothing(aws: Aws) -> None:
    output = OutputFile(publisher(aws), BUCKET, "processed/large", "STANDARD")
    for line in _noise(80_000):
        output.write(line, 1)
    assert len(aws.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 1

    output.abandon()

    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=BUCKET)
    assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def large(aws: Aws) -> OutputFile:
    """A result of more than one part."""
    output = OutputFile(publisher(aws), BUCKET, "processed/large", "INTELLIGENT_TIERING")
    for line in _noise(80_000):
        output.write(line, 1)
    return output


def no_such_upload(retries: int) -> ClientError:
    """What S3 answers for an upload that was completed, after the SDK has tried so often before."""
    return ClientError(
        {
            "Error": {"Code": "NoSuchUpload", "Message": "The specified upload does not exist."},
            "ResponseMetadata": {"HTTPStatusCode": 404, "RetryAttempts": retries},  # type: ignore[typeddict-item]
        },
        "CompleteMultipartUpload",
    )


def test_a_completion_whose_answer_was_lost_is_one(aws: Aws, calls: Calls) -> None:
    """The SDK asks again, and S3 knows the upload no more."""
    output = large(aws)

    def complete_and_lose_the_answer(_answer: dict[str, object]) -> None:
        raise no_such_upload(retries=1)

    calls.after["CompleteMultipartUpload"] = complete_and_lose_the_answer
    output.publish()

    assert aws.s3.head_object(Bucket=BUCKET, Key="processed/large")["ContentLength"] > PART_BYTES


def test_an_upload_that_is_gone_at_the_first_try_is_a_failure(aws: Aws, calls: Calls) -> None:
    output = large(aws)
    calls.faults["CompleteMultipartUpload"] = [no_such_upload(retries=0)]

    with pytest.raises(ClientError, match="NoSuchUpload"):
        output.publish()


def test_a_completion_may_take_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 may work on it for minutes, while it sends white space; other calls are given up sooner, and tried again."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients.s3_completion.cache_clear()
    clients.s3.cache_clear()

    patient, other = (vars(client.meta.config) for client in (clients.s3_completion(), clients.s3()))
    assert patient["_user_provided_options"]["read_timeout"] >= 60
    assert other["_user_provided_options"]["read_timeout"] < 10
    assert patient["_user_provided_options"]["retries"] == other["_user_provided_options"]["retries"]


@pytest.mark.parametrize("rows", [1, 80_000], ids=["whole", "in parts"])
def test_results_are_stored_in_the_configured_class_at_once(aws: Aws, rows: int) -> None:
    output = OutputFile(publisher(aws), BUCKET, "processed/a", "INTELLIGENT_TIERING")
    for line in _noise(rows):
        output.write(line, 1)

    output.publish()

    assert aws.s3.head_object(Bucket=BUCKET, Key="processed/a")["StorageClass"] == "INTELLIGENT_TIERING"


@pytest.mark.parametrize("stopped_before", ["the first result", "the second result"])
def test_a_worker_that_goes_on_after_its_invocation_publishes_nothing_more(
    aws: Aws, calls: Calls, stopped_before: str
) -> None:
    """It was stopped, and its claim has lapsed: no item might ever name what it publishes."""
    version = uploaded(aws, KEY, CSV)
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    moment = [end - timedelta(minutes=1)]
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES, now=lambda: moment[0])
    work = files.work_for(version, ObjectFacts(last_modified=STORED))
    assert work is not None

    def stop(_answer: dict[str, object]) -> None:
        moment[0] = end + timedelta(minutes=1)

    calls.after["GetObject" if stopped_before == "the first result" else "PutObject"] = stop
    calls.made.clear()
    with pytest.raises(TooSlowError):
        work.run(end)

    assert calls.made.count("PutObject") == (0 if stopped_before == "the first result" else 1)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="processed/")

"""How long a record file may take, and what is left of one that is given up."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest

from ingest.records import RecordFiles, TooSlowError
from shared.catalog.model import ObjectFacts
from shared.objects import CHUNK_BYTES, Objects
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.lambda_src.ingesting import RECORD_RULES, STORED, published, publisher, uploaded
from tests.lambda_src.test_record_files import CSV, KEY
from tests.lambda_src.test_vocabulary import VERSION


def test_a_file_that_is_too_slow_is_given_up_in_time_to_say_so(aws: Aws) -> None:
    """Not by the time-out, which would leave it PROCESSING, without a reason."""
    version = uploaded(aws, KEY, CSV * 2)
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    moment = [end - RECORD_RULES.time_reserve / 2 + timedelta(seconds=1)]
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES, now=lambda: moment[0])
    work = files.work_for(version, ObjectFacts(size=len(CSV), last_modified=STORED))
    assert work is not None

    with pytest.raises(TooSlowError, match="out of time after 0 records"):
        work.run(end)

    assert published(aws) == {}
    moment[0] -= timedelta(seconds=2)
    assert work.run(end).status == "COMPLETED"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b" " * 5_000_000,
        gzip.compress(b"") * 9000 + b"\0" * 5_000_000,
        gzip.compress(b"\n" * 10**8) + b"\0" * 10**6,
    ],
    ids=["white space", "gzip members without content", "white space, gzipped"],
)
def test_the_time_is_looked_at_though_nothing_is_found(aws: Aws, calls: Calls, body: bytes) -> None:
    """What gives no batch takes time, too."""
    version = uploaded(aws, KEY, body)
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    moments = chain([end - timedelta(minutes=1)] * 2, repeat(end))
    read = list[int]()

    def count(answer: dict[str, object]) -> None:
        answer["Body"] = CountingBody(answer["Body"], read)

    calls.after["GetObject"] = count
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES, now=lambda: next(moments))
    work = files.work_for(version, ObjectFacts(last_modified=STORED))
    assert work is not None

    with pytest.raises(TooSlowError, match="out of time after 0 records"):
        work.run(end)

    assert sum(read) <= 3 * CHUNK_BYTES


class CountingBody:
    """A body that notes how many bytes are read of it."""

    def __init__(self, body: object, read: list[int]) -> None:
        self._body = body
        self._read = read

    def read(self, size: int) -> bytes:
        assert hasattr(self._body, "read")
        chunk: bytes = self._body.read(size)
        self._read.append(len(chunk))
        return chunk


@pytest.mark.parametrize(("key", "expansion"), [(KEY, 1), (f"{KEY}.gz", 10)])
def test_the_time_that_a_file_needs_follows_from_its_size(aws: Aws, key: str, expansion: int) -> None:
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES)
    version = replace(VERSION, key=key)

    def seconds(size: int) -> float:
        work = files.work_for(version, ObjectFacts(size=size, last_modified=STORED))
        assert work is not None
        return work.time.total_seconds()

    assert seconds(0) == 10
    assert seconds(5_000_000) == 10 + 5 * expansion
    assert seconds(10**9) == 10 + 100, "no file has more bytes than that, expanded"


@pytest.mark.parametrize("slow", [False, True])
def test_of_a_file_that_is_given_up_half_way_no_part_is_left(
    aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    monkeypatch.setattr("shared.records.output.PART_BYTES", 1)
    names = random.Random(1)
    rows = b"".join(b"%032x,created,2026-11-20T08:15:00Z\n" % names.getrandbits(128) for _ in range(20_000))
    version = uploaded(aws, KEY, b"shipment_id,status,timestamp\n" + rows + b'"not closed')
    end = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)
    early = end - timedelta(minutes=1)
    moments = chain([early] * 15, repeat(end if slow else early))
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES, now=lambda: next(moments))
    work = files.work_for(version, ObjectFacts(last_modified=STORED))
    assert work is not None

    if slow:
        with pytest.raises(TooSlowError):
            work.run(end)
    else:
        assert work.run(end).status == "REJECTED"

    assert "CreateMultipartUpload" in calls.made, "a part was uploaded"
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=BUCKET)
    assert published(aws) == {}

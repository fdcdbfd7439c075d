"""Memory does not grow with the file. The file is made while it is read, so that nobody else holds it."""

from __future__ import annotations

import gc
import gzip
import io
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import pytest
from botocore.response import StreamingBody

from ingest.records import RecordFiles
from shared.catalog.model import ObjectFacts, ObjectVersion, Status
from shared.objects import Objects
from tests.lambda_src.conftest import BUCKET, Aws
from tests.lambda_src.ingesting import RECORD_RULES, publisher
from tests.lambda_src.test_vocabulary import VERSION

FILE_BYTES: Final = 12 * 1024**2
PEAK_BYTES: Final = 6 * 1024**2
"""Windows of the readers, their records and a part of each result take 2.5 MB, of a file of any size."""

RECORD: Final = b'{"shipment_id":"SHP-1","status":"created","timestamp":"2026-11-20T08:15:00Z","note":"%s"}' % (
    b"n" * 2000
)
ROW: Final = b"SHP-1,created,2026-11-20T08:15:00Z," + b"n" * 2000 + b"\n"
FILES: Final = {
    "a.ndjson": (b"", RECORD + b"\n", b""),
    "a.json": (b"[" + RECORD, b"," + RECORD, b"]"),
    "a.csv": (b"shipment_id,status,timestamp,note\n", ROW, b""),
}


@pytest.fixture(autouse=True)
def _collector_as_in_lambda() -> Iterator[None]:
    """The tests have the collector look less often; here it is as Python starts it."""
    ours = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*ours)


class _Long(io.RawIOBase):
    """A file that is made as it is read: a head, a row over and over, and a tail."""

    def __init__(self, head: bytes, row: bytes, tail: bytes) -> None:
        self._rows = FILE_BYTES // len(row)
        self.size = len(head) + self._rows * len(row) + len(tail)
        self._made, self._row, self._tail = head, row, tail

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "all at once"
        while len(self._made) < size and self._rows:
            rows = min(self._rows, size // len(self._row) + 1)
            self._rows -= rows
            self._made += self._row * rows + (b"" if self._rows else self._tail)
        chunk, self._made = self._made[:size], self._made[size:]
        return chunk


class _Objects(Objects):
    """One object, in place of all that S3 has."""

    def __init__(self, body: io.RawIOBase | io.BytesIO, size: int) -> None:
        self._body, self._size = body, size

    def _open(self, version: ObjectVersion, position: int) -> tuple[StreamingBody, int]:
        del version
        assert position == 0
        return cast("StreamingBody", self._body), self._size


def packed(file: _Long) -> bytes:
    with io.BytesIO() as packed, gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as pack:
        shutil.copyfileobj(file, pack)
        pack.close()
        return packed.getvalue()


@pytest.mark.parametrize("name", [*FILES, *(f"{name}.gz" for name in FILES)])
def test_memory_does_not_grow_with_the_file(aws: Aws, name: str) -> None:
    parts = FILES[name.removesuffix(".gz")]
    body = io.BytesIO(packed(_Long(*parts))) if name.endswith(".gz") else _Long(*parts)
    size = body.size if isinstance(body, _Long) else len(body.getbuffer())
    version = replace(VERSION, bucket=BUCKET, key=f"uploads/shipments/{name}", size=size)
    work = RecordFiles(publisher(aws), _Objects(body, size), RECORD_RULES).work_for(
        version, ObjectFacts(size=size, last_modified=datetime(2026, 11, 20, tzinfo=UTC))
    )
    assert work is not None

    tracemalloc.start()
    try:
        outcome = work.run(datetime.now(UTC) + timedelta(hours=1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert outcome.status is Status.COMPLETED, outcome.reason
    assert outcome.results["records_valid"] == FILE_BYTES // len(parts[1]) + bool(parts[2])
    assert peak < PEAK_BYTES

"""Record files on the local cloud: the real layer, the real permissions."""

from __future__ import annotations

import gzip
import json

from local.files import read_lines
from tests.local.conftest import LocalPipeline, statuses

ROWS = [
    {"shipment_id": f"SHP-{n}", "status": "created", "timestamp": "2026-11-20T08:15:00Z" if n % 10 else "never"}
    for n in range(2000)
]


def test_a_gzipped_array_is_validated_and_published(pipeline: LocalPipeline) -> None:
    body = gzip.compress(json.dumps(ROWS).encode())

    (item,) = pipeline.final(pipeline.drop("uploads/shipments/large.json.gz", body))

    assert (item["status"], item["records_valid"], item["records_rejected"]) == ("COMPLETED", 1800, 200)
    valid = read_lines(pipeline.stack.cloud, pipeline.bucket, str(item["processed_key"]))
    rejected = read_lines(pipeline.stack.cloud, pipeline.bucket, str(item["rejected_key"]))
    numbers = [number for number in range(1, 2001) if (number - 1) % 10]
    records = [json.loads(line) for line in valid]
    assert [record["shipment_id"] for record in records] == [f"SHP-{number - 1}" for number in numbers]
    assert [record["_number"] for record in records] == numbers
    assert {(record["_file"], record["_version"]) for record in records} == {(item["key"], item["version_id"])}
    assert [json.loads(line)["number"] for line in rejected] == list(range(1, 2001, 10))
    day = str(item["last_modified"]).partition("T")[0]
    for kind in ("processed", "rejected"):
        assert str(item[f"{kind}_key"]).startswith(f"{kind}/record_type=shipment/day={day}/file-")
    pipeline.drained()
    assert pipeline.dead_letters() == 0, "results start nothing"


def test_a_bomb_is_rejected(pipeline: LocalPipeline) -> None:
    """The stage's limit on size after decompression holds: 10 s less twice 2 s, at 10 MB a second."""
    bomb = gzip.compress(b"\n" * 65_000_000, 9)
    assert len(bomb) <= 65_536

    (item,) = pipeline.final(pipeline.drop("uploads/shipments/bomb.csv.gz", bomb))

    assert (item["status"], item["reason"]) == ("REJECTED", "file expands to more than 60000000 bytes")


def test_bad_content_is_not_retried(pipeline: LocalPipeline) -> None:
    items = pipeline.final(
        pipeline.drop("uploads/shipments/damaged.json", b"[{]"), pipeline.drop("uploads/shipments/empty.csv", b"")
    )

    assert statuses(items) == ["REJECTED", "REJECTED"]
    assert [item["attempt"] for item in items] == [1, 1]
    pipeline.drained()
    assert pipeline.dead_letters() == 0

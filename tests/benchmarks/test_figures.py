"""The figures compare like with like: what both ways write is the same, and hostile input ends as it is said to."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from benchmarks import plain
from benchmarks.__main__ import FIRST_REQUESTS, describe, is_expected, run_first_request
from benchmarks.files import FORMATS, hostile, write_file
from benchmarks.measure import NO_OUTPUT, NullBucket, Result, prepare_hostile, prepare_stream, prepare_whole

SMALL: Final = 40_000


class Bucket(NullBucket):
    """Keeps what is published."""

    bodies: Final[list[bytes]] = []

    def put_object(self, *, Body: bytes, **_rest: object) -> None:  # noqa: N803 - S3's names
        self.bodies.append(Body)


def lines(body: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def with_moment(record: dict[str, object]) -> dict[str, object]:
    return {**record, "timestamp": datetime.fromisoformat(str(record["timestamp"]))}


@pytest.mark.parametrize("kind", FORMATS)
def test_both_ways_write_the_same(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.measure.NullBucket", Bucket)
    path = tmp_path / "file"
    write_file(path, kind, 1, zipped=False)
    readers = {"array": plain.read_array, "ndjson": plain.read_ndjson, "csv": plain.read_csv}
    Bucket.bodies.clear()

    outcome = prepare_stream("9")(path)

    rejected, valid = map(lines, Bucket.bodies)
    expected, others = map(lines, plain.write(readers[kind](path.read_bytes())))
    assert [with_moment(record) for record in valid] == [with_moment(record) for record in expected]
    assert [line["number"] for line in rejected] == [line["number"] for line in others]
    assert all(line.keys() == other.keys() for line, other in zip(rejected, others, strict=True))
    assert (outcome.valid, outcome.rejected) == (len(valid), len(rejected)) == (19_800, 200)


def test_the_level_changes_what_the_plain_way_writes_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, "ndjson", 1, zipped=True)

    best, usual, none = (prepare_whole("ndjson", output)(path) for output in ("9", "6", NO_OUTPUT))

    assert (best.valid, best.rejected) == (usual.valid, usual.rejected) == (none.valid, none.rejected)
    assert 0 == none.written < best.written < usual.written


@pytest.mark.parametrize("name", hostile(SMALL))
def test_hostile_input_ends_as_it_must(name: str, tmp_path: Path) -> None:
    made = hostile(SMALL)[name]
    path = tmp_path / "hostile"
    path.write_bytes(made.body)

    outcome = prepare_hostile()(path)

    assert is_expected(outcome, made), describe(outcome)


def test_another_outcome_is_not_expected() -> None:
    made = hostile(SMALL)
    valid, refused = made["CSV, every cell quoted"], made["CSV, a quarter is a header of commas"]

    assert is_expected(Result(valid=valid.valid), valid)
    assert not is_expected(Result(valid=valid.valid - 1, rejected=1), valid)
    assert not is_expected(Result(valid=valid.valid, reason="too long"), valid)
    assert not is_expected(Result(valid=1), refused)


def test_outcomes_are_told_in_a_few_words() -> None:
    assert describe(Result(valid=1_000, rejected=2)) == "1,000 valid, 2 rejected"
    assert describe(Result()) == "no records"
    assert describe(Result(reason="a|" * 50)) == "file rejected: " + ("a\\|" * 50)[:60] + "…"


@pytest.mark.parametrize("name", FIRST_REQUESTS)
def test_a_first_request_can_be_made_with_what_the_program_gives_the_function(name: str) -> None:
    run_first_request(FIRST_REQUESTS[name], name.partition(",")[0])

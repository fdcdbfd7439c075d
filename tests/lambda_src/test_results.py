"""Where results lie: by record type and day, the same at every retry, and safe whatever the uploaded key."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from ingest.records import RecordFiles
from shared.catalog.model import MAX_KEY_BYTES, ObjectFacts
from shared.objects import Objects
from shared.records.results import file_name, result_key
from tests.lambda_src.conftest import Aws, Handler, LambdaContext, batch, message
from tests.lambda_src.ingesting import RECORD_RULES, STORED, published, publisher, uploaded
from tests.lambda_src.test_record_files import CSV, KEY

NAME = r"file-[0-9a-f]{32}-[A-Za-z0-9.-]*\.ndjson\.gz"


@pytest.mark.parametrize("now", [STORED, STORED + timedelta(days=3)])
def test_results_lie_by_record_type_and_the_day_in_utc_on_which_the_file_was_stored(aws: Aws, now: datetime) -> None:
    """Whenever it is processed: 23:30 in the Azores is the next day in UTC."""
    version = uploaded(aws, KEY, CSV)
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES, now=lambda: now)
    work = files.work_for(version, ObjectFacts(last_modified=STORED))
    assert work is not None

    outcome = work.run(now + timedelta(minutes=1))

    keys = [str(outcome.results[name]) for name in ("processed_key", "rejected_key")]
    folders = [key.rpartition("/") for key in keys]
    assert [folder for folder, _, _ in folders] == [
        "processed/record_type=shipment/day=2026-11-21",
        "rejected/record_type=shipment/day=2026-11-21",
    ]
    assert {name for _, _, name in folders} == {f"{file_name(KEY, version.version_id)}.ndjson.gz"}
    records = published(aws)[keys[0]]
    assert {record["_modified"] for record in records} == {"2026-11-21 00:30:00.000"}


@pytest.mark.parametrize(
    "key",
    [
        "uploads/shipments/day=2020-01-01/record_type=x/a.csv",
        "uploads/shipments/_hidden.csv",
        "uploads/shipments/.hidden.csv",
        "uploads/shipments/a b+c%2F?#&ü.csv",
        "uploads/shipments/" + "a" * (MAX_KEY_BYTES - len("uploads/shipments/")),
        "uploads/shipments/" + "ü" * 500,
    ],
)
def test_a_name_is_safe_whatever_the_key(handler: Handler, aws: Aws, key: str) -> None:
    """No folder that a table takes for a partition, nothing that Athena hides, and room enough."""
    handler(batch(message(aws.put(key, CSV))), LambdaContext())

    assert aws.item(key)["status"] == "COMPLETED"
    for kind in ("processed", "rejected"):
        found = str(aws.item(key)[f"{kind}_key"])
        assert re.fullmatch(rf"{kind}/record_type=shipment/day=\d{{4}}-\d\d-\d\d/{NAME}", found)
        assert len(found.encode()) <= 250
    assert {record["_file"] for record in published(aws)[str(aws.item(key)["processed_key"])]} == {key}


def test_no_two_versions_and_no_two_keys_share_results() -> None:
    names = [file_name(key, version) for key in ("a/x.csv", "b/x.csv", "a_x.csv", "a/x.csv1") for version in ("1", "2")]

    assert len(set(names)) == len(names)


def test_what_stands_in_the_key_is_a_day_of_the_calendar_in_four_digits() -> None:
    assert result_key("p/", "t", datetime(2027, 1, 2, tzinfo=UTC), "n") == "p/record_type=t/day=2027-01-02/n.ndjson.gz"


def test_a_file_that_s3_gives_no_time_for_fails(aws: Aws) -> None:
    files = RecordFiles(publisher(aws), Objects(aws.s3), RECORD_RULES)

    with pytest.raises(ValueError, match="does not say when"):
        files.work_for(uploaded(aws, KEY, CSV), ObjectFacts())

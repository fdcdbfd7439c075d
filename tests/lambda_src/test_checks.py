"""Files of a check: marked, left out of every metric, and removed again. And when a file is late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from shared.catalog.model import ObjectVersion
from shared.catalog.removal import remove_check
from shared.catalog.table import CatalogTable
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    Calls,
    Handler,
    LambdaContext,
    batch,
    catalog_settings,
    import_handler,
    message,
    returned,
)
from tests.lambda_src.test_handler import emitted, metrics_of

KEY = "uploads/checks/check-20261120-1a2b"
LINES = b'{"check_id": "a", "number": 1}\n{"check_id": "a", "number": 2}\n{"check_id": "a", "number": 0}\n'
OF_MESSAGES = {"MessagesReturned", "ColdStart"}


def version_of(aws: Aws, key: str = KEY) -> ObjectVersion:
    item = aws.item(key)
    return ObjectVersion(
        bucket=BUCKET,
        key=key,
        version_id=str(item["version_id"]),
        etag=str(item["etag"]),
        size=None,
        sequencer="",
        event_name="",
        event_time="",
    )


def uploaded_at(record: Mapping[str, object], moment: datetime) -> dict[str, object]:
    return {**record, "eventTime": moment.isoformat().replace("+00:00", "Z")}


def test_a_checks_file_is_marked_and_has_a_record_type_of_its_own(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, LINES)), message(aws.put("uploads/checks/shipments.csv"))), LambdaContext())

    item = aws.item(KEY)
    assert (item["status"], item["records_valid"], item["records_rejected"], item["is_check"]) == (
        "COMPLETED",
        2,
        1,
        True,
    )
    assert str(item["processed_key"]).startswith("processed/record_type=check/")
    assert "is_check" not in aws.item("uploads/checks/shipments.csv")


def test_it_is_in_no_metric_whether_it_ends_or_fails(
    handler: Handler, aws: Aws, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    handler(batch(message(aws.put(KEY, LINES))), LambdaContext())
    calls.fail("HeadObject", "SlowDown")
    failed = message(aws.put(f"{KEY}-failed", LINES))
    assert returned(handler(batch(failed), LambdaContext())) == {failed["messageId"]}

    assert set(metrics_of(emitted(capsys))) <= OF_MESSAGES


def test_one_that_was_given_up_leaves_nothing(handler: Handler, aws: Aws) -> None:
    record = aws.put(KEY, LINES)
    aws.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=str(record["s3"]["object"]["versionId"]))  # type: ignore[index]
    gone = aws.put("uploads/gone.csv")
    aws.s3.delete_object(Bucket=BUCKET, Key="uploads/gone.csv", VersionId=str(gone["s3"]["object"]["versionId"]))  # type: ignore[index]

    assert returned(handler(batch(message(record), message(gone)), LambdaContext())) == set()

    assert aws.items().keys() == {"uploads/gone.csv"}
    assert aws.dead_letters() == {}


def test_its_items_can_be_removed_and_no_others(handler: Handler, aws: Aws) -> None:
    handler(batch(message(aws.put(KEY, LINES)), message(aws.put("uploads/a.csv"))), LambdaContext())
    table = CatalogTable(aws.dynamodb, catalog_settings(aws.table))
    before = aws.dynamodb.scan(TableName=aws.table)["Count"]
    version, other = version_of(aws), version_of(aws, "uploads/a.csv")

    assert remove_check(table, version)
    assert not remove_check(table, version), "it is gone"
    assert not remove_check(table, other), "it is no check's"

    assert (before, aws.dynamodb.scan(TableName=aws.table)["Count"]) == (4, 2)
    assert aws.items().keys() == {"uploads/a.csv"}


@pytest.mark.parametrize(("seconds", "late"), [(60, 0), (299, 0), (302, 1), (86_400, 1), (-5, 0)])
def test_the_time_from_upload_to_final_status_is_a_metric(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str], seconds: int, late: int
) -> None:
    """The stage's target is 300 s. A clock that is behind S3's gives no negative time."""
    record = uploaded_at(aws.put("uploads/a.csv"), datetime.now(UTC) - timedelta(seconds=seconds))
    capsys.readouterr()

    handler(batch(message(record)), LambdaContext())

    counted = metrics_of(emitted(capsys))
    assert counted["FilesLate"] == late
    assert max(0, seconds) * 1000 <= counted["TimeToFinal"] <= max(0, seconds) * 1000 + 60_000


def test_a_stage_without_a_target_counts_no_late_files(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del handler
    monkeypatch.setenv("FINAL_WITHIN_SECONDS", "0")
    again = import_handler()
    capsys.readouterr()

    again(batch(message(aws.put("uploads/a.csv"))), LambdaContext())

    counted = metrics_of(emitted(capsys))
    assert "FilesLate" not in counted
    assert counted["TimeToFinal"] > 0


@pytest.mark.parametrize("unknown", ["reprocessed", "without a time", "failed"])
def test_what_is_no_upload_or_not_final_has_no_such_time(
    handler: Handler, aws: Aws, calls: Calls, capsys: pytest.CaptureFixture[str], unknown: str
) -> None:
    """A file that an operator has processed again is as old as its upload, and not late."""
    record = aws.put("uploads/a.csv")
    entity = record["s3"]
    assert isinstance(entity, dict)
    if unknown == "reprocessed":
        record = {**record, "s3": {**entity, "configurationId": "reprocess"}}
    elif unknown == "failed":
        calls.fail("HeadObject", "SlowDown")
    else:
        record = {name: value for name, value in record.items() if name != "eventTime"}
    capsys.readouterr()

    handler(batch(message(record)), LambdaContext())

    assert {"TimeToFinal", "FilesLate"}.isdisjoint(metrics_of(emitted(capsys)))

"""``reprocess``: which files are put through again, and which are left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.events import parse_uploads
from shared.catalog.model import ObjectFacts, Outcome, Status, Worker
from shared.created_event import created_event
from tests.conftest import REGION
from tests.declared_stack import dig
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.lambda_src.test_vocabulary import VERSION
from tests.operate.conftest import (
    COMPLETED,
    LONG_AGO,
    REJECTED,
    Operate,
    api_result,
    bodies,
    ended,
    operator_catalog,
    raise_interrupt,
    request_catalog,
    uploaded,
)


def test_the_event_says_what_s3_would_say() -> None:
    assert parse_uploads(created_event(VERSION, REGION, sender="test"), VERSION.bucket) == ([VERSION], [])


def test_reprocess_frees_a_finished_version_and_sends_its_event(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/Köln + Zürich.csv")
    ended(aws, version, REJECTED)

    ran = operate("reprocess", version.key, "--json")

    assert ran.status == 0, ran.err
    item = aws.item(version.key)
    assert item["status"] == "FAILED"
    assert item["reason"] == "reprocess requested"
    assert str(item["reopened_by"]).startswith("arn:aws:")
    assert str(item["status_shard"]).startswith("FAILED#")
    ((body,),) = [bodies(aws)]
    assert parse_uploads(body, BUCKET) == ([replace(version, reprocessed=True)], [])


def test_reprocess_that_dies_in_between_is_taken_up_again(aws: Aws, operate: Operate, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    calls.fail("SendMessage", "KMS.ThrottlingException", times=9)

    broken = operate("reprocess", version.key)
    assert (broken.status, bodies(aws)) == (1, [])
    assert "uploads/a.csv" in broken.err
    assert aws.item(version.key)["status"] == "FAILED", "visible"

    calls.faults.clear()
    assert operate("reprocess", version.key).status == 0
    assert len(bodies(aws)) == 1


@pytest.mark.parametrize("narrowed", [(), ("--status", "REJECTED")])
def test_what_was_reopened_and_not_sent_is_in_its_selection_still(
    aws: Aws, operate: Operate, calls: Calls, narrowed: tuple[str, ...]
) -> None:
    """The catalog said so on an earlier day; a run that dies changes neither that day nor what is asked for."""
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, REJECTED, at=LONG_AGO)
    selection = ("reprocess", "--day", LONG_AGO.date().isoformat(), *narrowed, "--json")
    calls.before["SendMessage"] = raise_interrupt

    broken = operate(*selection)

    assert (broken.status, bodies(aws)) == (130, [])
    assert broken.json()["reopenedNotSent"] == [version.key]
    again = operate(*selection)
    assert (again.status, again.json()["reopenedNotSent"]) == (0, [])
    assert again.json()["files"] == [{"key": version.key, "was": "FAILED", "outcome": "sent"}]
    assert len(bodies(aws)) == 1


def test_what_was_reopened_is_sent_though_a_later_version_has_come(aws: Aws, operate: Operate, calls: Calls) -> None:
    first = uploaded(aws, "uploads/a.csv", b"first")
    ended(aws, first, REJECTED)
    calls.fail("SendMessage", "KMS.ThrottlingException", times=9)
    assert "1 reopened and not sent" in operate("reprocess", first.key).out
    calls.faults.clear()
    ended(aws, uploaded(aws, "uploads/a.csv", b"second"), COMPLETED)

    assert operate("reprocess", first.key, "--status", "REJECTED").status == 0

    ((sent,), _) = parse_uploads(bodies(aws)[0], BUCKET)
    assert sent.version_id == first.version_id


def test_the_next_claim_forgets_who_reopened_a_file(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, REJECTED)
    assert operate("reprocess", version.key).status == 0

    ended(aws, version, Outcome(status=Status.FAILED, reason="throttled"))

    assert "reopened_by" not in aws.item(version.key)
    assert operate("reprocess", "uploads/", "--status", "REJECTED").status == 1, "a failure is no file that waits"


def test_reprocess_takes_the_latest_version_unless_told(aws: Aws, operate: Operate) -> None:
    for body in (b"first", b"second"):
        ended(aws, uploaded(aws, "uploads/a.csv", body), COMPLETED)

    assert dig(operate("reprocess", "uploads/a.csv", "--json").json(), "counts", "sent") == 1
    assert dig(operate("reprocess", "uploads/a.csv", "--all-versions", "--json").json(), "counts", "sent") == 2


def test_reprocess_of_a_key_is_not_of_those_that_begin_with_it(aws: Aws, operate: Operate) -> None:
    for key in ("uploads/a", "uploads/ab", "uploads/a/b"):
        ended(aws, uploaded(aws, key), COMPLETED)

    def keys(target: str) -> set[str]:
        files = operate("reprocess", target, "--dry-run", "--json").json()["files"]
        assert isinstance(files, list)
        return {file["key"] for file in files}

    assert keys("uploads/a") == {"uploads/a"}
    assert keys("uploads/a/") == {"uploads/a/b"}
    assert keys("uploads/a*") == {"uploads/a", "uploads/ab", "uploads/a/b"}


def test_reprocess_dry_run_changes_nothing(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)

    ran = operate("reprocess", version.key, "--dry-run")

    assert (ran.status, bodies(aws), aws.item(version.key)["status"]) == (0, [], "COMPLETED")
    assert "to be sent" in ran.out


def test_reprocess_sends_an_upload_that_was_never_seen(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/lost.csv")

    assert operate("reprocess", "uploads/lost.csv").status == 0

    ((sent,), problems) = parse_uploads(bodies(aws)[0], BUCKET)
    assert (sent.version_id, sent.etag, sent.size, problems) == (version.version_id, version.etag, 7, [])


def test_reprocess_leaves_a_file_that_is_being_worked_on(aws: Aws, operate: Operate) -> None:
    version = uploaded(aws, "uploads/a.csv")
    now = datetime.now(UTC)

    def claim(seconds: int) -> None:
        deadline = now + timedelta(seconds=seconds)
        worker = Worker(request_id="w", function_name="ingest", attempt=1, started_at=now, deadline=deadline)
        operator_catalog(aws).claim(version, ObjectFacts(), worker)

    claim(60)
    assert (operate("reprocess", version.key).status, bodies(aws)) == (1, [])
    claim(-60)
    assert (operate("reprocess", version.key).status, len(bodies(aws))) == (0, 1), "its claim has lapsed"


def test_reprocess_of_a_day_leaves_what_came_through_the_api(aws: Aws, operate: Operate) -> None:
    request_catalog(aws, lambda: LONG_AGO).store(api_result("api/process/1", Status.COMPLETED))

    ran = operate("reprocess", "--day", LONG_AGO.date().isoformat(), "--json")

    assert ran.status == 1, "nothing fits"
    assert operate("status", "--json").json()["requests"]["COMPLETED"] == 1  # type: ignore[index]


def test_reprocess_of_a_day_leaves_what_is_gone(aws: Aws, operate: Operate) -> None:
    """It would become SKIPPED, and what the catalog knows of it would be lost."""
    kept, gone = uploaded(aws, "uploads/kept.csv"), uploaded(aws, "uploads/gone.csv")
    for version in (kept, gone):
        ended(aws, version, COMPLETED, LONG_AGO)
    aws.s3.delete_object(Bucket=BUCKET, Key=gone.key, VersionId=gone.version_id)

    ran = operate("reprocess", "--day", LONG_AGO.date().isoformat(), "--json")

    assert ran.status == 1
    assert ran.json()["counts"] == {"sent": 1, "gone from S3": 1}
    assert aws.item(gone.key)["status"] == "COMPLETED"
    assert operate("reprocess", "--day", "2020-01-01").status == 1, "nothing fits"


def test_reprocess_by_status(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/good.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/bad.csv"), REJECTED)

    ran = operate("reprocess", "uploads/", "--status", "REJECTED", "--json")

    assert ran.json()["files"] == [{"key": "uploads/bad.csv", "was": "REJECTED", "outcome": "sent"}]


def test_a_version_that_changed_meanwhile_is_left(aws: Aws, operate: Operate, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, COMPLETED)
    item = aws.item(version.key)

    def other_operator() -> None:
        assert operator_catalog(aws).reopen(
            version, status=Status.COMPLETED, processed_at=str(item["processed_at"]), by="another"
        )

    calls.before["UpdateItem"] = other_operator
    ran = operate("reprocess", version.key, "--json")

    assert ran.json()["counts"] == {"changed in the meantime": 1}
    assert aws.item(version.key)["reopened_by"] == "another"


def test_only_a_final_status_is_reopened(aws: Aws) -> None:
    version = uploaded(aws, "uploads/a.csv")
    ended(aws, version, Outcome(status=Status.FAILED, reason="throttled"))
    at = str(aws.item(version.key)["processed_at"])

    assert not operator_catalog(aws).reopen(version, status=Status.FAILED, processed_at=at, by="again")
    assert aws.item(version.key)["reason"] == "throttled"


@pytest.mark.parametrize(
    "text", ["shipments/a.csv", "uploads/shipments/a.csv", f"s3://{BUCKET}/uploads/shipments/a.csv"]
)
def test_a_file_is_named_as_people_name_it(aws: Aws, operate: Operate, text: str) -> None:
    ended(aws, uploaded(aws, "uploads/shipments/a.csv"), COMPLETED)

    assert (operate("show", text).status, operate("show", text, "--json").json()["key"]) == (
        0,
        "uploads/shipments/a.csv",
    )
    sent = operate("reprocess", "--dry-run", "--json", text).json()["files"]
    assert sent == [{"key": "uploads/shipments/a.csv", "was": "COMPLETED", "outcome": "to be sent"}]
    assert operate("reprocess", "--dry-run", "--json", text.replace("a.csv", "*")).json()["counts"] == {"to be sent": 1}


@pytest.mark.parametrize("command", ["show", "reprocess"])
def test_a_file_of_another_bucket_is_not_looked_for(operate: Operate, calls: Calls, command: str) -> None:
    ran = operate(command, "s3://another-bucket/uploads/a.csv")

    assert ran.status == 2
    assert f"'s3://another-bucket/uploads/a.csv': this stack's bucket is {BUCKET}" in ran.err
    assert not [name for name in calls.made if name not in {"GetFunctionConfiguration", "CreateQueue"}]

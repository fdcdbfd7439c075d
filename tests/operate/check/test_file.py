"""``check``: how its file is followed, and that nothing of it is left, whatever happens."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.catalog.model import ObjectFacts, Outcome, Status
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.operate.check.conftest import (
    FOLDER,
    Answers,
    Pipeline,
    catalog,
    change,
    failed,
    left,
    states,
    worker,
)
from tests.operate.conftest import Operate, raise_interrupt, uploaded

pytestmark = pytest.mark.usefixtures("answers")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(status=Status.REJECTED, reason="file has no records"), "REJECTED with None valid"),
        (Outcome(status=Status.SKIPPED, reason="object has 99 bytes"), "object has 99 bytes"),
        (
            Outcome(status=Status.COMPLETED, results={"records_valid": 3, "records_rejected": 0}),
            "3 valid and 0 rejected records, not COMPLETED with 2 and 1",
        ),
    ],
)
def test_a_file_that_ends_otherwise(aws: Aws, calls: Calls, operate: Operate, outcome: Outcome, said: str) -> None:
    Pipeline(aws, calls, outcome, results=False)

    ran = operate("check", "--json")

    assert said in failed(ran)["file: final status"]
    assert states(ran)["file: records"][0] == "left out"
    assert left(aws) == []


def test_results_that_cannot_be_read(aws: Aws, calls: Calls, operate: Operate) -> None:
    Pipeline(aws, calls)
    calls.answers["GetObject"] = {"Body": io.BytesIO(b"nonsense")}

    ran = operate("check", "--json")

    assert "cannot be read" in failed(ran)["file: records"]
    assert left(aws) == []


def test_lines_of_the_log_that_are_not_the_functions_own_are_passed_over(
    aws: Aws, calls: Calls, operate: Operate, answers: Answers
) -> None:
    Pipeline(aws, calls)
    change(answers, "FilterLogEvents", "events", value=[{"message": "START"}, {"message": '{"message": "sent"}'}])

    assert states(operate("check", "--json"))["file: delivery"][0] == "ok"


def test_a_function_that_knows_no_checks_is_sent_none(aws: Aws, operate: Operate, answers: Answers) -> None:
    change(answers, "GetFunctionConfiguration", "Environment", "Variables", "CHECKS_PREFIX", value=None)

    ran = operate("check", "--json")

    assert "no CHECKS_PREFIX in its environment" in failed(ran)["file: upload"]
    assert left(aws) == []


def test_a_file_whose_way_is_broken_is_not_waited_for_long(
    aws: Aws, operate: Operate, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operate.check.command._BRIEFLY", 0)
    change(answers, "GetBucketNotificationConfiguration", "QueueConfigurations", value=[])

    ran = operate("check", "--json", "--wait", "86400")

    assert "waited for 0 s at most: bucket's notification failed" in ran.err
    assert "file: final status" in failed(ran)
    assert left(aws) == []


def test_a_file_that_never_ends_is_given_up(aws: Aws, operate: Operate) -> None:

    ran = operate("check", "--json", "--wait", "1")

    assert "the catalog does not know it" in failed(ran)["file: final status"]
    assert left(aws) == []


@pytest.mark.parametrize("call", ["PutObject", "BatchGetItem", "FilterLogEvents", "GetObject"])
def test_an_interrupted_check_leaves_nothing(aws: Aws, calls: Calls, operate: Operate, call: str) -> None:
    Pipeline(aws, calls)
    calls.before[call] = raise_interrupt

    ran = operate("check")

    assert ran.status == 130
    assert "what the check uploaded is removed" in ran.err
    assert "bucket's notification" in ran.out, "what was found is shown"
    assert "All that the stack has works" not in ran.out
    assert left(aws) == []


def test_what_cannot_be_removed_is_said_and_removed_by_the_next_check(
    aws: Aws, calls: Calls, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pipeline(aws, calls)
    calls.fail("DeleteObject", "AccessDenied", times=3)

    ran = operate("check", "--json")

    assert "AccessDenied" in failed(ran)["file: removal"]
    remaining = left(aws)
    assert len(remaining) == 3, "an upload and two results; the items are removed all the same"

    Pipeline(aws, calls)
    assert operate("check", "--json").status == 0
    assert left(aws) == remaining, "it may belong to a check that is at work"

    Pipeline(aws, calls)
    monkeypatch.setattr("operate.check.file._LEFT_BEHIND", timedelta(0))
    assert operate("check", "--json").status == 0
    assert left(aws) == []


def test_items_that_a_check_left_are_removed_too(aws: Aws, calls: Calls, operate: Operate) -> None:
    key = f"{FOLDER}check-20261120T081530Z-0123456789abcdef"
    long_ago = datetime.now(UTC) - timedelta(days=1)
    gone = replace(uploaded(aws, key), size=1)
    aws.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=gone.version_id)
    catalog(aws, lambda: long_ago).record(gone, ObjectFacts(size=1), Outcome(status=Status.FAILED), worker())
    Pipeline(aws, calls)

    assert operate("check", "--json").status == 0

    assert left(aws) == []


def test_nothing_else_is_ever_removed(
    aws: Aws, calls: Calls, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team may have files of its own where checks are uploaded."""
    monkeypatch.setattr("operate.check.file._LEFT_BEHIND", timedelta(0))
    for key in (
        *("uploads/checks/cheque.csv", "uploads/checks/check-1", "uploads/a.csv"),
        *("processed/record_type=check/day=2026-11-20/file-0a-mine.ndjson.gz", "rejected/record_type=shipment/x"),
    ):
        version = uploaded(aws, key)
        if key.startswith("uploads/"):
            catalog(aws).record(version, ObjectFacts(size=1), Outcome(status=Status.COMPLETED), worker())
    before = left(aws)
    Pipeline(aws, calls)

    assert operate("check", "--json").status == 0

    assert left(aws) == before

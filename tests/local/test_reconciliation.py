"""The search for uploads whose event never came, beside a queue that holds messages; under the function's own role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.waiting import wait_until
from tests.local.conftest import Pipeline, Probe, make_probe
from tests.local.test_permissions import DENIED, KEY, QUERY, fill

GAP = timedelta(seconds=3)
"""Longer than the local stage's ``reconciliationDelaySeconds``, and than what S3 rounds away."""


def test_lost_events_are_found_beside_a_full_queue_and_nothing_is_sent_twice(pipeline: Pipeline) -> None:
    with pipeline.paused():
        lost = [pipeline.drop(f"uploads/search/lost-{number}.txt") for number in range(3)]
        wait_until(lambda: pipeline.waiting() == len(lost), "not all events have come")
        assert len(pipeline.take_waiting()) == len(lost), "their events are lost now"
        gone = datetime.now(UTC)
        wait_until(lambda: datetime.now(UTC) - gone > GAP, "time stands still")
        since = datetime.now(UTC)
        waiting = [pipeline.drop(f"uploads/search/waiting-{number}.txt") for number in range(3)]
        wait_until(lambda: pipeline.waiting() == len(waiting), "not all events have come")

        found = [pipeline.search(oldest_waits_since=since)["missed"] for _ in range(2)]

        assert found == [len(lost), 0]
        assert pipeline.waiting() == len(lost) + len(waiting)
    items = pipeline.final(*lost, *waiting)
    assert {(item["status"], item["attempt"]) for item in items} == {("COMPLETED", 1)}
    assert {file.version_id for file in lost} == {pipeline.latest(file.key) for file in lost}
    pipeline.drained()
    assert pipeline.dead_letters() == 0


@pytest.fixture(scope="module")
def reconcile_probe(standing: Pipeline) -> Probe:
    """The reconcile function's role."""
    return make_probe(standing, "reconcile")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "get_object", {"Bucket": "{bucket}", "Key": "uploads/readable.csv"}),
        ("s3", "list_object_versions", {"Bucket": "{bucket}", "Prefix": "processed/"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "uploads/loop.csv"}),
        ("dynamodb", "query", QUERY),
        ("dynamodb", "scan", {"TableName": "{table}"}),
        ("dynamodb", "delete_item", {"TableName": "{table}", "Key": KEY}),
        ("sqs", "receive_message", {"QueueUrl": "{queue}"}),
        ("sqs", "purge_queue", {"QueueUrl": "{queue}"}),
        ("sqs", "send_message", {"QueueUrl": "{dead}", "MessageBody": "x"}),
        ("lambda", "list_functions", {}),
    ],
)
def test_the_role_may_search_and_nothing_else(
    reconcile_probe: Probe, pipeline: Pipeline, service: str, operation: str, parameters: dict[str, object]
) -> None:
    names = {
        "bucket": pipeline.bucket,
        "table": pipeline.table,
        "queue": pipeline.queue_url,
        "dead": pipeline.dead_letter_url,
    }

    assert reconcile_probe(service, operation, fill(parameters, names)) in DENIED

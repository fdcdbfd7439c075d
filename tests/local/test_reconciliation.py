"""The search for uploads whose event never came, under the function's own role."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.waiting import wait_until
from tests.local.conftest import LocalPipeline, Probe, make_probe
from tests.local.test_permissions import DENIED, KEY, QUERY, fill


def test_an_upload_whose_event_was_lost_is_found_and_processed_once(pipeline: LocalPipeline) -> None:
    with pipeline.paused():
        lost = pipeline.drop("uploads/search/lost + found.txt")
        wait_until(lambda: pipeline.waiting() == 1, "its event has not come")
        assert len(pipeline.take_waiting()) == 1, "its event is lost now"
        wait_until(lambda: pipeline.search()["missed"] == 1, "it is not found")
        assert pipeline.search(oldest_waits=timedelta(0))["missed"] == 0
        assert pipeline.waiting() == 1
    wait_until(lambda: (pipeline.item(lost) or {})["status"] == "COMPLETED", "it is not processed")
    assert (pipeline.item(lost) or {})["attempt"] == 1
    assert pipeline.latest(lost.key) == lost.version_id
    pipeline.drained()
    assert pipeline.dead_letters() == 0


@pytest.fixture(scope="module")
def reconcile_probe(standing: LocalPipeline) -> Probe:
    """The reconcile function's role."""
    return make_probe(standing, "reconcile")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "get_object", {"Bucket": "{bucket}", "Key": "uploads/readable.csv"}),
        ("s3", "list_object_versions", {"Bucket": "{bucket}", "Prefix": "processed/"}),
        ("s3", "put_object", {"Bucket": "{bucket}", "Key": "uploads/loop.csv"}),
        ("dynamodb", "query", QUERY),
        ("dynamodb", "update_item", {"TableName": "{table}", "Key": KEY}),
        ("dynamodb", "scan", {"TableName": "{table}"}),
        ("dynamodb", "delete_item", {"TableName": "{table}", "Key": KEY}),
        ("sqs", "receive_message", {"QueueUrl": "{queue}"}),
        ("sqs", "purge_queue", {"QueueUrl": "{queue}"}),
        ("sqs", "send_message", {"QueueUrl": "{dead}", "MessageBody": "x"}),
        ("lambda", "list_functions", {}),
    ],
)
def test_the_role_may_search_and_nothing_else(
    reconcile_probe: Probe, pipeline: LocalPipeline, service: str, operation: str, parameters: dict[str, object]
) -> None:
    names = {
        "bucket": pipeline.bucket,
        "table": pipeline.table,
        "queue": pipeline.queue_url,
        "dead": pipeline.dead_letter_url,
    }

    assert reconcile_probe(service, operation, fill(parameters, names)) in DENIED

"""The operator's commands against the standing stack, as a shell runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import Final, cast

from local.api import sign_in_test_user
from local.files import Item, UploadedFile
from local.stack_config import ROOT
from local.up import commands
from local.waiting import wait_until
from shared.catalog.model import ObjectVersion
from shared.created_event import created_event
from tests.local.conftest import LocalPipeline

SHIPMENTS: Final = b"shipment_id,status,timestamp\nSHP-1,created,2026-11-20T08:15:00Z\n"


def operate(pipeline: LocalPipeline, *arguments: str) -> tuple[int, dict[str, object]]:
    """Run a command with the environment that `make local` prints; returns its status and result."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "operate", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, **pipeline.stack.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return done.returncode, result


def redrive(pipeline: LocalPipeline, *options: str) -> tuple[int, dict[str, object]]:
    """Run ``redrive``; returns its status, and what became of the intake's messages."""
    status, result = operate(pipeline, "redrive", *options)
    return status, cast("dict[str, dict[str, object]]", result["queues"])["intake"]


def test_what_is_printed_to_try_leads_here(pipeline: LocalPipeline) -> None:
    lines = commands(pipeline.stack)

    assert f"export PIPELINE_OUTPUTS={pipeline.stack.outputs_file}" in lines
    assert json.loads(pipeline.stack.outputs_file.read_text()) == pipeline.stack.outputs
    shown = ("status", "check", "limits --rate 100", "release", "rollback ingest")
    assert {f".venv/bin/python -m operate {command}" for command in shown} <= set(lines)


def test_status_of_a_stack_at_rest(pipeline: LocalPipeline) -> None:
    pipeline.final(pipeline.drop("uploads/at-rest.txt"))
    pipeline.drained()

    status, result = operate(pipeline, "status")

    counts = result["files"]
    assert isinstance(counts, dict)
    assert counts["COMPLETED"] >= 1
    assert status == bool(counts["FAILED"]), "no dead-letter message, nothing stuck"
    assert (result["deadLetters"], result["queue"]) == (0, {"waiting": 0, "inFlight": 0})


def test_a_finished_file_is_processed_again(pipeline: LocalPipeline) -> None:
    file = pipeline.drop("uploads/shipments/ag ain+é.csv", SHIPMENTS)
    (before,) = pipeline.final(file)

    status, result = operate(pipeline, "reprocess", file.key)

    assert (status, result["counts"]) == (0, {"sent": 1})
    wait_until(lambda: done_again(pipeline, file, before["processed_at"]), "not processed again")
    after = pipeline.item(file)
    assert after is not None
    assert {name: after[name] for name in ("status", "records_valid", "processed_key", "sequencer", "event_time")} == {
        name: before[name] for name in ("status", "records_valid", "processed_key", "sequencer", "event_time")
    }
    assert after["request_id"] != before["request_id"]
    assert "reason" not in after
    assert pipeline.latest(file.key) == file.version_id


def done_again(pipeline: LocalPipeline, file: UploadedFile, before: object) -> bool:
    item = pipeline.item(file)
    return (
        item is not None
        and item["status"] == "COMPLETED"
        and datetime.fromisoformat(str(item["processed_at"])) > datetime.fromisoformat(str(before))
    )


def test_dead_letters_are_sent_again_and_malformed_ones_stay(pipeline: LocalPipeline) -> None:
    with pipeline.paused():
        file = pipeline.drop("uploads/dead.txt")
        sqs = pipeline.stack.cloud.client("sqs")
        wait_until(lambda: pipeline.waiting() == 1, "no event")
        (event,) = sqs.receive_message(QueueUrl=pipeline.queue_url)["Messages"]
        sqs.send_message(QueueUrl=pipeline.dead_letter_url, MessageBody=event["Body"])
        sqs.delete_message(QueueUrl=pipeline.queue_url, ReceiptHandle=event["ReceiptHandle"])
    pipeline.send("nonsense")
    wait_until(lambda: pipeline.dead_letters() == 2, "not refused")
    assert operate(pipeline, "show", file.key)[0] == 1
    reasons = redrive(pipeline, "--dry-run")[1]["reasons"]
    assert reasons == {"received too often": 1, "the message is not JSON": 1}

    status, result = redrive(pipeline)

    assert (status, result["sent"], result["kept"]) == (1, 1, 1)
    assert pipeline.final(file)[0]["status"] == "COMPLETED"
    assert operate(pipeline, "show", file.key)[0] == 0
    assert [body for body, _ in pipeline.take_dead_letters()] == ["nonsense"]


def test_all_dead_letters_go_once_though_they_come_back(pipeline: LocalPipeline) -> None:
    pipeline.send("nonsense")
    wait_until(lambda: pipeline.dead_letters() == 1, "not refused")

    status, result = redrive(pipeline, "--all")

    assert (status, result["sent"]) == (1 if result["kept"] else 0, 1)
    wait_until(lambda: pipeline.dead_letters() == 1, "it is refused again")


def test_where_sqs_has_no_task_the_command_moves_the_letters(pipeline: LocalPipeline) -> None:
    version = ObjectVersion(
        bucket=pipeline.bucket,
        key="uploads/deleted.txt",
        version_id="gone",
        etag="e",
        size=1,
        sequencer="00",
        event_name="ObjectCreated:Put",
        event_time="2026-11-20T08:15:30.123Z",
    )
    body = created_event(version, "us-east-1", sender="test")
    pipeline.stack.cloud.client("sqs").send_message(QueueUrl=pipeline.dead_letter_url, MessageBody=body)

    status, result = redrive(pipeline, "--sqs")

    assert (status, result["sent"]) == (0, 1)
    pipeline.drained()
    assert pipeline.dead_letters() == 0


def test_what_a_worker_of_the_api_left_is_shown_ended_and_taken_up_again(pipeline: LocalPipeline) -> None:
    writer = sign_in_test_user(pipeline.stack)
    request = {"data": {"shipment_id": "SHP-left", "status": "created", "timestamp": "2026-11-20T08:15:00Z"}}
    name = str(writer.post("/process", request).body["id"])
    assert operate(pipeline, "show", name)[1]["status"] == "COMPLETED"
    # As a worker that was killed leaves it.
    pipeline.stack.cloud.client("dynamodb").update_item(
        TableName=pipeline.table,
        Key={"object_id": {"S": name}, "version_id": {"S": "api"}},
        UpdateExpression="SET #status = :status, status_shard = :shard, claim_expires_at = :long_ago",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":status": {"S": "PROCESSING"},
            ":shard": {"S": "PROCESSING#0"},
            ":long_ago": {"N": "1"},
        },
    )

    status, found = operate(pipeline, "status", "--waiting")
    assert (status, [request["object_id"] for request in cast("list[Item]", found["stuckRequests"])]) == (1, [name])
    assert operate(pipeline, "end", name) == (0, {"requests": [{"id": name, "outcome": "set to FAILED"}]})
    assert operate(pipeline, "show", name)[1]["status"] == "FAILED"
    assert writer.post("/process", request).body["status"] == "COMPLETED"
    assert operate(pipeline, "show", name)[1]["status"] == "COMPLETED"

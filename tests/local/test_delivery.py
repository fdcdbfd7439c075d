"""Delivery on the local cloud, from a dropped file to the receiver: faults, permissions, dead letters sent again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from rich.console import Console

from local.emulator import workers
from local.files import Item
from local.receiver import Reply, listening
from local.stack import local_stack
from local.stack_config import ROOT
from local.waiting import wait_until
from tests.local.conftest import Pipeline, Probe, make_probe
from tests.scripted_receiver import ScriptedReceiver
from tests.stage_files import STAGES


@dataclass(frozen=True, kw_only=True)
class Delivered(Pipeline):
    """The standing stack with a receiver before it."""

    receiver: ScriptedReceiver

    def told(self, *items: Item) -> None:
        """Wait until the receiver took each of `items`."""
        due = {(item["object_id"], item["version_id"], item["status"]) for item in items}
        wait_until(lambda: due <= self._taken(), "not all were delivered")

    def _taken(self) -> set[tuple[object, object, object]]:
        bodies = [arrival.told for arrival in list(self.receiver.arrivals)]
        return {(body["object_id"], body["version_id"], body["status"]) for body in bodies}

    @property
    def delivery_dead_letter_url(self) -> str:
        return self.stack.outputs["deliveryDeadLetterQueueUrl"]

    def delivery_dead_letters(self) -> int:
        return self.count(self.delivery_dead_letter_url)

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator, as a user does."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(  # noqa: S603 - all of it is ours
            [sys.executable, "-m", "operate", *arguments, "--outputs", "-"],
            cwd=ROOT,
            env={**inherited, **self.stack.emulator.environment()},
            input=json.dumps(dict(self.stack.outputs)),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def delivering() -> Iterator[Delivered]:
    with (
        listening(ScriptedReceiver) as receiver,
        local_stack(Console(quiet=True), folder=STAGES, overrides={"deliveryEndpoint": receiver.url}) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
        yield Delivered(stack=stack, receiver=receiver)


@pytest.fixture
def delivered(delivering: Delivered) -> Delivered:
    """The stack, with nothing left of the test before."""
    delivering.drained()
    delivering.receiver.script.clear()
    delivering.receiver.arrivals.clear()
    delivering.receiver.asked.clear()
    return delivering


@pytest.fixture(scope="module")
def probe(delivering: Delivered) -> Probe:
    return make_probe(delivering, "delivery")


def test_a_finished_file_arrives_with_what_the_catalog_says(delivered: Delivered) -> None:
    file = delivered.drop(
        "uploads/shipments/a.csv", b"shipment_id,status,timestamp\nS1,created,2026-11-20T08:00:00Z\nS2,,\n"
    )
    (item,) = delivered.final(file)
    delivered.told(item)

    (arrival,) = delivered.receiver.arrivals
    for name in ("object_id", "bucket", "key", "version_id", "processed_key", "rejected_key", "processed_at", "etag"):
        assert arrival.told[name] == item[name]
    assert (arrival.told["records_valid"], arrival.told["records_rejected"]) == (1, 1)


def test_only_changes_to_a_final_status_invoke(delivered: Delivered) -> None:
    """Neither a skipped file nor a claim nor a pointer to the latest version: they came before the marker."""
    skipped = delivered.drop("uploads/setup.exe")
    rejected = delivered.drop("uploads/shipments/bad.json", b"[{]")
    delivered.final(skipped, rejected)
    (marker,) = delivered.final(delivered.drop("uploads/marker.csv"))
    delivered.told(marker)

    assert [(a.told["key"], a.told["status"]) for a in delivered.receiver.asked] == [
        ("uploads/shipments/bad.json", "REJECTED"),
        ("uploads/marker.csv", "COMPLETED"),
    ]


def test_a_receiver_that_is_down_and_comes_back(delivered: Delivered) -> None:
    delivered.receiver.will_hang_up(3)
    delivered.receiver.will_answer(500, 503)

    items = delivered.final(delivered.drop("uploads/down-1.csv"), delivered.drop("uploads/down-2.csv"))
    delivered.told(*items)

    assert len(set(delivered.receiver.taken())) == 2
    assert delivered.delivery_dead_letters() == 0


def test_a_receiver_that_is_too_slow(delivered: Delivered) -> None:
    answered = threading.Event()

    def slow() -> Reply:
        answered.wait(20)
        return Reply(status=204)

    delivered.receiver.script.append(slow)
    items = delivered.final(delivered.drop("uploads/slow.csv"))
    try:
        delivered.told(*items)
    finally:
        answered.set()

    assert len({arrival.delivery_id for arrival in delivered.receiver.asked}) == 1


def test_a_rotation_needs_no_deployment(delivered: Delivered) -> None:
    delivered.told(*delivered.final(delivered.drop("uploads/before.csv")))
    rotated = delivered.operate("rotate-secret")
    assert rotated.returncode == 0, rotated.stderr
    delivered.receiver.trust(delivered.stack.cloud, delivered.stack.outputs["secretArn"])

    delivered.told(*delivered.final(delivered.drop("uploads/after.csv")))

    assert delivered.delivery_dead_letters() == 0
    value = delivered.stack.cloud.client("secretsmanager").get_secret_value(
        SecretId=delivered.stack.outputs["secretArn"]
    )
    secret = json.loads(value["SecretString"])
    assert secret["username"] == "admin"
    assert secret["password"] not in rotated.stdout + rotated.stderr
    assert secret["signing_key"] not in rotated.stdout + rotated.stderr


def test_a_refused_delivery_is_listed_and_sent_again(delivered: Delivered) -> None:
    delivered.receiver.will_answer(404, 404)
    files = [delivered.drop(f"uploads/refused-{number}.csv") for number in range(3)]
    items = delivered.final(*files)
    wait_until(lambda: delivered.delivery_dead_letters() == 2, "no dead letters")

    listed = delivered.operate("redeliver", "--dry-run", "--json")

    found = json.loads(listed.stdout)["letters"]
    assert listed.returncode == 1, listed.stderr
    assert [(letter["outcome"], letter["reason"]) for letter in found] == [("found", "the endpoint answered 404")] * 2
    assert delivered.delivery_dead_letters() == 2

    sent = delivered.operate("redeliver")

    assert (sent.returncode, sent.stdout) == (0, "2 sent\n"), sent.stderr
    delivered.told(*items)
    assert set(delivered.receiver.taken()) >= {letter["letter"] for letter in found}
    assert delivered.delivery_dead_letters() == 0
    nothing = delivered.operate("redeliver")
    assert (nothing.returncode, nothing.stdout) == (0, "no dead letters\n")


def test_what_is_refused_again_stays(delivered: Delivered) -> None:
    delivered.receiver.will_answer(410, 410)
    delivered.final(delivered.drop("uploads/gone.csv"))
    wait_until(lambda: delivered.delivery_dead_letters() == 1, "no dead letter")

    again = delivered.operate("redeliver")

    assert again.returncode == 1
    assert "the endpoint answered 410" in again.stdout
    assert again.stdout.endswith("1 refused\n")
    assert delivered.delivery_dead_letters() == 1
    assert delivered.operate("redeliver").returncode == 0


def test_a_burst_under_failures_loses_nothing(delivered: Delivered) -> None:
    """Sixty files, while the receiver fails now and then."""
    delivered.receiver.will_answer(*[204, 204, 500, 204, 429, 204] * 3)
    files = [delivered.drop(f"uploads/burst/{number}.csv", str(number).encode()) for number in range(60)]

    items = delivered.final(*files)
    wait_until(lambda: len({a.delivery_id for a in list(delivered.receiver.asked)}) >= 60, "not all were delivered")
    wait_until(lambda: not delivered.receiver.script, "the script is not over")

    assert len(items) == 60
    assert {a.told["key"] for a in delivered.receiver.asked} == {file.key for file in files}
    assert delivered.delivery_dead_letters() == 0


def test_the_states_of_one_file_arrive_in_their_order(delivered: Delivered) -> None:
    with delivered.retried_after(1):
        with delivered.denied("s3:GetObject", "s3:GetObjectVersion"):
            file = delivered.drop("uploads/twice.csv")
            wait_until(lambda: (delivered.item(file) or {}).get("status") == "FAILED", "never failed")
        wait_until(lambda: (delivered.item(file) or {})["status"] == "COMPLETED", "never retried")
    delivered.told(delivered.item(file) or {})

    seen: dict[object, list[object]] = defaultdict(list)
    for arrival in delivered.receiver.arrivals:
        seen[arrival.told["object_id"]].append(arrival.told["status"])
    ((_, statuses),) = [(key, found) for key, found in seen.items() if "twice" in str(key)]
    assert statuses[-1] == "COMPLETED"
    assert "FAILED" in statuses[:-1]
    moments = [str(arrival.told["processed_at"]) for arrival in delivered.receiver.arrivals]
    assert all(one <= other for one, other in pairwise(moments))


def test_a_worker_that_is_killed_in_mid_batch(delivered: Delivered) -> None:
    """The kill comes while the receiver holds the second of three: all arrive, one of them maybe twice, with one id."""
    name = delivered.stack.outputs["deliveryFunctionName"]

    def kill() -> None:
        for worker in workers(name):
            os.kill(worker, signal.SIGKILL)

    delivered.told(*delivered.final(delivered.drop("uploads/warm.csv")))
    assert workers(name)
    delivered.receiver.will_answer(204)
    delivered.receiver.script.append(kill)
    files = [delivered.drop(f"uploads/killed-{number}.csv") for number in range(3)]
    items = delivered.final(*files)

    wait_until(
        lambda: (
            {a.told["key"] for a in list(delivered.receiver.asked)} >= {file.key for file in files}
            and len([a for a in list(delivered.receiver.asked) if a.told["key"] != "uploads/warm.csv"]) >= 4
        ),
        "not delivered after the kill",
    )
    ids = {str(a.told["key"]): a.delivery_id for a in delivered.receiver.asked}
    assert len({a.delivery_id for a in delivered.receiver.asked}) == len(ids)
    assert len(items) == 3


def test_the_delivery_role_may_do_its_work_and_nothing_else(delivered: Delivered, probe: Probe) -> None:
    out = delivered.stack.outputs
    key = {"object_id": {"S": "a"}, "version_id": {"S": "b"}}

    assert probe("secretsmanager", "get_secret_value", {"SecretId": out["secretArn"]}) == "allowed"
    letter: dict[str, object] = {"QueueUrl": out["deliveryDeadLetterQueueUrl"], "MessageBody": "{}"}
    assert probe("sqs", "send_message", letter) == "allowed"
    delivered.stack.cloud.client("sqs").purge_queue(QueueUrl=out["deliveryDeadLetterQueueUrl"])

    denied: list[tuple[str, str, dict[str, object]]] = [
        ("secretsmanager", "put_secret_value", {"SecretId": out["secretArn"], "SecretString": "{}"}),
        ("secretsmanager", "delete_secret", {"SecretId": out["secretArn"]}),
        ("secretsmanager", "list_secrets", {}),
        ("dynamodb", "get_item", {"TableName": out["tableName"], "Key": key}),
        ("dynamodb", "put_item", {"TableName": out["tableName"], "Item": key}),
        ("dynamodb", "scan", {"TableName": out["tableName"]}),
        ("s3", "get_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("s3", "put_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("sqs", "receive_message", {"QueueUrl": out["deliveryDeadLetterQueueUrl"]}),
        ("sqs", "purge_queue", {"QueueUrl": out["deliveryDeadLetterQueueUrl"]}),
        ("sqs", "send_message", {"QueueUrl": out["queueUrl"], "MessageBody": "x"}),
        ("sqs", "send_message", {"QueueUrl": out["deadLetterQueueUrl"], "MessageBody": "x"}),
        ("lambda", "invoke", {"FunctionName": out["ingestFunctionName"]}),
        ("kms", "schedule_key_deletion", {"KeyId": out["keyId"]}),
        ("iam", "list_roles", {}),
        ("sns", "publish", {"TopicArn": out["topicArn"], "Message": "false alarm"}),
    ]
    for service, operation, parameters in denied:
        answer = probe(service, operation, parameters)
        assert answer in {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError"}, (operation, answer)


def test_the_ingest_role_may_not_read_the_secret(delivered: Delivered) -> None:
    probe = make_probe(delivered, "ingest")

    answer = probe("secretsmanager", "get_secret_value", {"SecretId": delivered.stack.outputs["secretArn"]})

    assert answer == "AccessDeniedException"


def test_the_denial_of_plain_http_stands_on_the_secret(delivered: Delivered) -> None:
    policy = delivered.stack.cloud.client("secretsmanager").get_resource_policy(
        SecretId=delivered.stack.outputs["secretArn"]
    )

    assert "aws:SecureTransport" in policy["ResourcePolicy"]


def test_the_first_secret_is_as_it_should_be(delivered: Delivered) -> None:
    """What the program made: 32 letters and digits, kept under its own label after rotations."""
    value = delivered.stack.cloud.client("secretsmanager").get_secret_value(
        SecretId=delivered.stack.outputs["secretArn"], VersionStage="DECLARED"
    )
    secret = json.loads(value["SecretString"])

    assert secret["username"] == "admin"
    assert secret["password"] != secret["signing_key"]
    for name in ("password", "signing_key"):
        assert len(secret[name]) == 32
        assert secret[name].isalnum()


def test_no_secret_stands_in_a_log(delivered: Delivered) -> None:
    delivered.told(*delivered.final(delivered.drop("uploads/logged.csv")))
    secret = delivered.stack.cloud.client("secretsmanager").get_secret_value(
        SecretId=delivered.stack.outputs["secretArn"]
    )
    value = json.loads(secret["SecretString"])
    logs = delivered.stack.cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]

    text = "".join(
        event["message"] for group in groups for event in logs.filter_log_events(logGroupName=group)["events"]
    )

    assert "uploads/logged.csv" in text, "the function's log was read"
    assert value["password"] not in text
    assert value["signing_key"] not in text

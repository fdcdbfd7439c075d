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

from delivery.signature import key_bytes
from local.delivery_drills import OVERRIDES, DeliveryDrill
from local.emulator import workers
from local.files import Item
from local.receiver import Reply, listening
from local.stack import local_stack
from local.stack_config import ROOT
from local.waiting import wait_until
from tests.local.conftest import Pipeline, Probe, make_probe
from tests.scripted_receiver import ScriptedReceiver
from tests.stage_files import STAGES

DENIED = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError"}


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
    def delivery_queue_url(self) -> str:
        return self.stack.outputs["deliveryQueueUrl"]

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
        local_stack(
            Console(quiet=True), folder=STAGES, overrides={**OVERRIDES, "deliveryEndpoint": receiver.url}
        ) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
        yield Delivered(stack=stack, receiver=receiver)


@pytest.fixture
def delivered(delivering: Delivered) -> Delivered:
    """The stack, with nothing left of the test before."""
    delivering.drained()
    delivering.receiver.recover()
    delivering.receiver.script.clear()
    wait_until(lambda: delivering.count(delivering.delivery_queue_url) == 0, "the delivery queue is not empty")
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


def test_a_refused_delivery_is_listed_and_redriven(delivered: Delivered) -> None:
    delivered.receiver.will_answer(404, 404)
    items = delivered.final(*(delivered.drop(f"uploads/refused-{number}.csv") for number in range(3)))
    wait_until(lambda: delivered.delivery_dead_letters() == 2, "no dead letters")

    listed = delivered.operate("redrive", "--dry-run", "--json")

    found = json.loads(listed.stdout)["queues"]["delivery"]
    assert listed.returncode == 1, listed.stderr
    assert found["reasons"] == {"the endpoint answered 404": 2}
    assert delivered.delivery_dead_letters() == 2
    refused = {arrival.delivery_id for arrival in delivered.receiver.asked[:2]}

    sent = delivered.operate("redrive", "--queue", "delivery")

    assert (sent.returncode, "2 dead-letter messages sent again, 0 left" in sent.stdout) == (0, True), sent.stderr
    delivered.told(*items)
    assert set(delivered.receiver.taken()) >= refused
    assert delivered.delivery_dead_letters() == 0
    assert delivered.operate("redrive").returncode == 0


def test_what_is_refused_again_is_dead_lettered_again(delivered: Delivered) -> None:
    delivered.receiver.will_answer(410, 410)
    (item,) = delivered.final(delivered.drop("uploads/gone.csv"))
    wait_until(lambda: delivered.delivery_dead_letters() == 1, "no dead letter")

    delivered.operate("redrive")  # it may see it again, and leaves it
    wait_until(lambda: len(delivered.receiver.asked) == 2, "not sent again")
    wait_until(lambda: delivered.delivery_dead_letters() == 1, "no dead letter again")

    assert delivered.operate("redrive").returncode == 0
    delivered.told(item)
    assert len({arrival.delivery_id for arrival in delivered.receiver.asked}) == 1


@pytest.mark.parametrize("name", DeliveryDrill.all())
def test_a_fault_of_the_endpoint_loses_nothing_and_keeps_the_order(delivered: Delivered, name: str) -> None:
    drill = DeliveryDrill(delivered.stack, delivered.receiver, size=4)

    outcome = DeliveryDrill.all()[name](drill)

    assert outcome.passed, outcome
    assert outcome.completed


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


@pytest.mark.parametrize("purpose", ["forward", "delivery"])
def test_a_function_that_is_killed_loses_nothing(delivered: Delivered, purpose: str) -> None:
    """The kill comes while the receiver holds the first of three: all arrive, maybe twice, each under one id."""
    name = delivered.stack.outputs[f"{purpose}FunctionName"]

    def kill() -> None:
        for worker in workers(name):
            os.kill(worker, signal.SIGKILL)

    delivered.told(*delivered.final(delivered.drop("uploads/warm.csv")))
    assert workers(name)
    before = len(delivered.receiver.asked)
    delivered.receiver.script.append(kill)
    with delivered.retried_after(2, delivered.delivery_queue_url):
        items = delivered.final(*(delivered.drop(f"uploads/killed-{number}.csv") for number in range(3)))
        delivered.told(*items)

    assert not delivered.receiver.script, "the kill came"
    ids = {(str(a.told["key"]), a.delivery_id) for a in delivered.receiver.asked[before:]}
    assert len(ids) == 3
    assert delivered.delivery_dead_letters() == 0


def test_the_delivery_role_may_do_its_work_and_nothing_else(delivered: Delivered, probe: Probe) -> None:
    out = delivered.stack.outputs
    key = {"object_id": {"S": "a"}, "version_id": {"S": "b"}}
    letter: dict[str, object] = {"MessageBody": "{}", "MessageGroupId": "a", "MessageDeduplicationId": "a"}

    assert probe("secretsmanager", "get_secret_value", {"SecretId": out["secretArn"]}) == "allowed"
    assert probe("sqs", "send_message", {**letter, "QueueUrl": out["deliveryDeadLetterQueueUrl"]}) == "allowed"
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
        ("sqs", "send_message", {**letter, "QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "send_message", {"QueueUrl": out["queueUrl"], "MessageBody": "x"}),
        ("sqs", "send_message", {"QueueUrl": out["deadLetterQueueUrl"], "MessageBody": "x"}),
        ("lambda", "invoke", {"FunctionName": out["ingestFunctionName"]}),
        ("kms", "schedule_key_deletion", {"KeyId": out["keyId"]}),
        ("iam", "list_roles", {}),
        ("sns", "publish", {"TopicArn": out["topicArn"], "Message": "false alarm"}),
    ]
    for service, operation, parameters in denied:
        answer = probe(service, operation, parameters)
        assert answer in DENIED, (operation, answer)


def test_the_forwarding_role_may_do_its_work_and_nothing_else(delivered: Delivered) -> None:
    out, probe = delivered.stack.outputs, make_probe(delivered, "forward")
    letter: dict[str, object] = {"MessageBody": "{}", "MessageGroupId": "a", "MessageDeduplicationId": "b"}

    assert probe("sqs", "send_message", {**letter, "QueueUrl": out["deliveryDeadLetterQueueUrl"]}) == "allowed"
    delivered.stack.cloud.client("sqs").purge_queue(QueueUrl=out["deliveryDeadLetterQueueUrl"])

    denied: list[tuple[str, str, dict[str, object]]] = [
        ("secretsmanager", "get_secret_value", {"SecretId": out["secretArn"]}),
        ("dynamodb", "scan", {"TableName": out["tableName"]}),
        ("s3", "get_object", {"Bucket": out["bucketName"], "Key": "uploads/a.csv"}),
        ("sqs", "receive_message", {"QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "purge_queue", {"QueueUrl": out["deliveryQueueUrl"]}),
        ("sqs", "send_message", {"QueueUrl": out["queueUrl"], "MessageBody": "x"}),
        ("lambda", "invoke", {"FunctionName": out["deliveryFunctionName"]}),
    ]
    for service, operation, parameters in denied:
        answer = probe(service, operation, parameters)
        assert answer in DENIED, (operation, answer)


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
    assert len(secret["password"]) == 32
    assert secret["password"].isalnum()
    assert len(key_bytes(secret["signing_key"])) == 32
    assert secret["password"].encode() != key_bytes(secret["signing_key"])


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

"""Delivery on the local cloud, from a dropped file to the receiver: faults of both, and the redrive."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import defaultdict
from itertools import pairwise

import pytest

from local.delivery_drills import DeliveryDrill
from local.emulator import workers
from local.receiver import Reply
from local.waiting import wait_until
from tests.local.delivery.conftest import Delivered


def test_a_finished_file_arrives_with_what_the_catalog_says(delivered: Delivered) -> None:
    file = delivered.drop(
        "uploads/shipments/a.csv", b"shipment_id,status,timestamp\nS1,created,2026-11-20T08:00:00Z\nS2,,\n"
    )
    (item,) = delivered.final(file)
    delivered.told(item)

    (arrival,) = delivered.receiver.arrivals
    for name in ("object_id", "bucket", "key", "version_id", "processed_key", "rejected_key", "processed_at", "etag"):
        assert arrival.payload[name] == item[name]
    assert (arrival.payload["records_valid"], arrival.payload["records_rejected"]) == (1, 1)


def test_only_changes_to_a_final_status_invoke(delivered: Delivered) -> None:
    """Neither a skipped file nor a claim nor a pointer to the latest version: they came before the marker."""
    skipped = delivered.drop("uploads/setup.exe")
    rejected = delivered.drop("uploads/shipments/bad.json", b"[{]")
    delivered.final(skipped, rejected)
    (marker,) = delivered.final(delivered.drop("uploads/marker.csv"))
    delivered.told(marker)

    assert [(a.payload["key"], a.payload["status"]) for a in delivered.receiver.asked] == [
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
    wait_until(lambda: delivered.delivery_dead_letters() == 2, "no dead-letter messages")

    listed = delivered.operate("redrive", "--dry-run", "--json")

    found = json.loads(listed.stdout)["queues"]["delivery"]
    assert listed.returncode == 1, listed.stderr
    assert found["reasons"] == {"the endpoint answered 404": 2}
    assert delivered.delivery_dead_letters() == 2
    refused = {arrival.delivery_id for arrival in delivered.receiver.asked[:2]}

    sent = delivered.operate("redrive", "--queue", "delivery")

    assert sent.returncode == 0, sent.stderr
    assert "2 dead-letter messages sent again, 0 left" in sent.stdout
    delivered.told(*items)
    assert set(delivered.receiver.taken()) >= refused
    assert delivered.delivery_dead_letters() == 0
    assert delivered.operate("redrive").returncode == 0


def test_what_is_refused_again_is_dead_lettered_again(delivered: Delivered) -> None:
    delivered.receiver.will_answer(410, 410)
    (item,) = delivered.final(delivered.drop("uploads/gone.csv"))
    wait_until(lambda: delivered.delivery_dead_letters() == 1, "no dead-letter message")

    delivered.operate("redrive")  # it may see it again, and leaves it
    wait_until(lambda: len(delivered.receiver.asked) == 2, "not sent again")
    wait_until(lambda: delivered.delivery_dead_letters() == 1, "no dead-letter message again")

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
    assert {a.payload["key"] for a in delivered.receiver.asked} == {file.key for file in files}
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
        seen[arrival.payload["object_id"]].append(arrival.payload["status"])
    ((_, statuses),) = [(key, found) for key, found in seen.items() if "twice" in str(key)]
    assert statuses[-1] == "COMPLETED"
    assert "FAILED" in statuses[:-1]
    moments = [str(arrival.payload["processed_at"]) for arrival in delivered.receiver.arrivals]
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
    ids = {(str(a.payload["key"]), a.delivery_id) for a in delivered.receiver.asked[before:]}
    assert len(ids) == 3
    assert delivered.delivery_dead_letters() == 0

"""Functions that die at any step, and failures among many files: nothing lost, order kept for each file."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import NoReturn

import botocore.client
import pytest

from delivery.credentials import Credentials
from delivery.endpoint import Endpoint
from shared.settings import WrongEnvironmentError
from tests.declared_stack import DeclaredStack
from tests.lambda_src.delivery.conftest import Delivering, change, declared_environment, import_handler


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


def die_at(patch: pytest.MonkeyPatch, operation: str, *, after: bool) -> None:
    """Kill the function at its next call of `operation`, before it or when it is done."""
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - the one door to AWS

    def call(client: object, name: str, parameters: object) -> object:
        if name != operation:
            return real(client, name, parameters)
        if after:
            real(client, name, parameters)
        raise KilledError

    patch.setattr(botocore.client.BaseClient, "_make_api_call", call)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_forwarder_that_dies_queues_each_change_once(delivery: Delivering, *, after: bool) -> None:
    records = [change(number) for number in range(15)]
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, "SendMessageBatch", after=after)
        with pytest.raises(KilledError):
            delivery.forward(*records)

    assert delivery.forward(*records) == []
    delivery.deliver_all()

    assert [a.payload["key"] for a in delivery.receiver.arrivals] == [f"uploads/{number}.csv" for number in range(15)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("step", "answers"), [("ChangeMessageVisibility", [503]), ("SendMessage", [404, 404]), ("GetSecretValue", [])]
)
def test_a_deliverer_that_dies_loses_nothing_and_dead_letters_once(
    delivery: Delivering, step: str, answers: list[int], *, after: bool
) -> None:
    delivery.forward(change())
    delivery.receiver.will_answer(*answers)
    (message,) = delivery.receive()
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, step, after=after)
        with pytest.raises(KilledError):
            delivery.invoke(delivery.event(message))

    assert delivery.invoke(delivery.event(message))

    dead = delivery.dead_letters()
    assert len(dead) == (step == "SendMessage")
    assert len(delivery.receiver.taken()) == (step != "SendMessage")


def test_a_deliverer_that_dies_after_the_answer_delivers_twice_under_one_id(
    delivery: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.forward(change())
    (message,) = delivery.receive()
    real = Endpoint.post

    def die(endpoint: Endpoint, delivery_id: str, body: str, credentials: Credentials) -> NoReturn:
        real(endpoint, delivery_id, body, credentials)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Endpoint, "post", die)
        with pytest.raises(KilledError):
            delivery.invoke(delivery.event(message))

    assert delivery.invoke(delivery.event(message))
    first, second = delivery.receiver.arrivals
    assert (first.delivery_id, first.body) == (second.delivery_id, second.body)


def test_a_burst_under_failures_loses_nothing_and_keeps_the_order(delivery: Delivering) -> None:
    """Ten files with six versions each, forwarded in batches of which some come twice."""
    records = [
        change(
            number % 10, object_id=f"landing-bucket/uploads/{number % 10}.csv#1a79", version_id={"S": f"v{number:03}"}
        )
        for number in range(60)
    ]
    for start in range(0, 60, 20):
        assert delivery.forward(*records[start : start + 20]) == []
        assert delivery.forward(*records[start + 10 : start + 20]) == []
    for _ in range(10):
        delivery.receiver.will_answer(204, 500, 204, 429, 503)
        delivery.receiver.will_hang_up()

    delivery.deliver_all()

    versions: dict[object, list[str]] = defaultdict(list)
    for arrival in delivery.receiver.asked:
        versions[arrival.payload["object_id"]].append(str(arrival.payload["version_id"]))
    assert len({arrival.delivery_id for arrival in delivery.receiver.asked}) == 60
    assert len(versions) == 10
    assert all(one <= other for found in versions.values() for one, other in pairwise(found))
    assert delivery.dead_letters() == []


@pytest.mark.parametrize("purpose", ["forward", "delivery"])
@pytest.mark.usefixtures("delivery")
def test_a_function_reads_exactly_what_the_program_sets(
    delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    """Each variable that the program sets, taken away, stops the function at start, with its name."""
    for name in declared_environment(delivering, purpose):
        if name == "POWERTOOLS_SERVICE_NAME":
            continue  # importing the function anew sets it
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(WrongEnvironmentError, match=f"environment variable {name} is missing"):
                import_handler(without, purpose)

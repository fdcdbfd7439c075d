"""The receiver that docs/delivery.md shows is run as it stands there, against what the function sends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

import pytest

from components.addresses import FORBIDDEN_NETWORKS
from delivery.courier import PASSING
from delivery.credentials import Credentials
from delivery.endpoint import Endpoint
from delivery.events import Delivery, parse_change
from local.receiver import Arrival, Receiver, Reply, listening
from local.stack_config import ROOT
from tests.lambda_src.conftest import load_event

Check: TypeAlias = Callable[[dict[str, str], bytes, dict[str, str], float], bool]
TEXT = (ROOT / "docs" / "delivery.md").read_text()
SECRET = {"username": "admin", "password": "p" * 32, "signing_key": "k" * 32}
NOW = 1_795_162_531.0


@pytest.fixture(scope="module")
def is_ours() -> Check:
    (code,) = re.findall(r"<!-- receiver -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Check] = {}
    exec(code, names)  # noqa: S102 - it is what the document tells the reader to run
    return names["is_ours"]


class Noting(Receiver):
    """Notes all that comes, whoever sends."""

    def receive(self, arrival: Arrival) -> Reply:
        self.arrivals.append(arrival)
        return Reply(status=204)


@pytest.fixture(scope="module")
def delivery() -> Delivery:
    made = parse_change(load_event("dynamodb_stream_modify.json"))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def arrival(delivery: Delivery) -> Arrival:
    with listening(Noting) as receiver:
        endpoint = Endpoint(receiver.url, timeout_seconds=1, now=lambda: NOW)
        assert endpoint.post(delivery, Credentials(**SECRET)).status == 204
        return receiver.arrivals[0]


def headers_of(arrival: Arrival) -> dict[str, str]:
    """By the names that the document gives them, as servers pass them on."""
    return {name.title(): value for name, value in arrival.headers.items()}


def test_what_the_function_sends_is_taken(is_ours: Check, arrival: Arrival) -> None:
    assert is_ours(headers_of(arrival), arrival.body, SECRET, NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 10**6])
def test_a_replay_is_refused(is_ours: Check, arrival: Arrival, seconds: int) -> None:
    assert not is_ours(headers_of(arrival), arrival.body, SECRET, NOW + seconds)


@pytest.mark.parametrize("name", ["password", "signing_key", "username"])
def test_another_secret_is_refused(is_ours: Check, arrival: Arrival, name: str) -> None:
    assert not is_ours(headers_of(arrival), arrival.body, {**SECRET, name: "other"}, NOW)


def test_a_changed_body_or_time_is_refused(is_ours: Check, arrival: Arrival) -> None:
    headers = headers_of(arrival)
    later = headers["Delivery-Signature"].replace(f"t={int(NOW)}", f"t={int(NOW) + 1}")

    assert not is_ours(headers, arrival.body + b" ", SECRET, NOW)
    assert not is_ours({**headers, "Delivery-Signature": later}, arrival.body, SECRET, NOW)


@pytest.mark.parametrize(
    "given",
    [
        *("", ",", "=", "t", "t=", "t=,v1=", "v1=00", "t=now,v1=00", "t=-1,v1=00", "t=\u0661,v1=00", "t=\xb2,v1=00"),
        f"t={'9' * 5000}",  # more than int() takes
        f"t={'9' * 5000},v1=00",
    ],
)
def test_a_signature_that_nobody_made_is_refused_without_an_error(is_ours: Check, arrival: Arrival, given: str) -> None:
    assert is_ours({**headers_of(arrival), "Delivery-Signature": given}, arrival.body, SECRET, NOW) is False


def test_the_document_names_every_field_and_header_that_is_sent(arrival: Arrival) -> None:
    table = TEXT.split("| field | type | what |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == set(json.loads(arrival.body))
    for name in ("authorization", "content-type", "user-agent", "delivery-id", "delivery-signature"):
        assert name in arrival.headers
        assert f"\n{name.title()}: " in TEXT


def test_the_document_names_the_answers_that_are_tried_again() -> None:
    for status in PASSING:
        assert str(status) in TEXT


def test_the_networks_that_nothing_is_sent_to_are_those_that_are_told() -> None:
    section = TEXT.partition("## Where it may go")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([0-9a-f.:]+/[0-9]+)`", section.partition("Not to the machine")[2]))

    assert told == set(FORBIDDEN_NETWORKS)

"""The receiver that docs/delivery.md shows is run as it stands there, against what the function sends."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from components.addresses import FORBIDDEN_NETWORKS
from delivery.credentials import Credentials
from delivery.endpoint import Endpoint
from delivery.sender import RETRYABLE
from delivery.signature import key_bytes
from forward.changes import StatusChange, parse_change
from local.receiver import Arrival, Receiver, Reply, listening
from local.stack_config import ROOT
from tests.lambda_src.conftest import load_event

Check: TypeAlias = Callable[[dict[str, str], bytes, dict[str, str]], bool]
TEXT = (ROOT / "docs" / "delivery.md").read_text()
SECRET = {"username": "admin", "password": "p" * 32, "signing_key": f"whsec_{'a2tr' * 11}"}
OTHER = {"username": "other", "password": "other", "signing_key": f"whsec_{'bGxs' * 11}"}


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
def message() -> StatusChange:
    made = parse_change(load_event("dynamodb_stream_modify.json"))
    assert made is not None
    return made


def sent(message: StatusChange, at: float, *, previous: str | None = None) -> Arrival:
    """What the function sends at some time."""
    now = datetime.fromtimestamp(at, UTC)
    credentials = Credentials(
        username=SECRET["username"],
        password=SECRET["password"],
        signing_key=key_bytes(SECRET["signing_key"]),
        previous_signing_key=key_bytes(previous) if previous else None,
        previous_until=now + timedelta(hours=1),
    )
    with listening(Noting) as receiver:
        endpoint = Endpoint(receiver.url, timeout_seconds=1, now=lambda: at)
        assert endpoint.post(message.id, message.body, credentials).status == 204
        return receiver.arrivals[0]


@pytest.fixture(scope="module")
def arrival(message: StatusChange) -> Arrival:
    return sent(message, time.time())


def headers_of(arrival: Arrival) -> dict[str, str]:
    """By the names that the document gives them, as servers pass them on."""
    return {name.title(): value for name, value in arrival.headers.items()}


def test_what_the_function_sends_is_taken(is_ours: Check, arrival: Arrival) -> None:
    assert is_ours(headers_of(arrival), arrival.body, SECRET)


def test_while_a_secret_rotates_the_key_before_is_taken_too(is_ours: Check, message: StatusChange) -> None:
    arrival = sent(message, time.time(), previous=OTHER["signing_key"])

    assert is_ours(headers_of(arrival), arrival.body, SECRET)
    assert is_ours(headers_of(arrival), arrival.body, {**SECRET, "signing_key": OTHER["signing_key"]})


@pytest.mark.parametrize("seconds", [-310, 310, 10**6])
def test_a_replay_is_refused(is_ours: Check, message: StatusChange, seconds: int) -> None:
    arrival = sent(message, time.time() + seconds)

    assert not is_ours(headers_of(arrival), arrival.body, SECRET)


@pytest.mark.parametrize("name", ["password", "signing_key", "username"])
def test_another_secret_is_refused(is_ours: Check, arrival: Arrival, name: str) -> None:
    assert not is_ours(headers_of(arrival), arrival.body, {**SECRET, name: OTHER[name]})


def test_a_changed_body_time_or_id_is_refused(is_ours: Check, arrival: Arrival) -> None:
    headers = headers_of(arrival)
    later = str(int(headers["Webhook-Timestamp"]) + 1)

    assert not is_ours(headers, arrival.body + b" ", SECRET)
    assert not is_ours({**headers, "Webhook-Timestamp": later}, arrival.body, SECRET)
    assert not is_ours({**headers, "Webhook-Id": "0" * 32}, arrival.body, SECRET)


@pytest.mark.parametrize("name", ["Webhook-Timestamp", "Webhook-Signature"])
@pytest.mark.parametrize("given", ["", ",", " ", "v1", "v1,", "v1,00", "v2,AAAA", "now", "-1", "\u0661", "9" * 5000])
def test_a_signature_that_nobody_made_is_refused_without_an_error(
    is_ours: Check, arrival: Arrival, name: str, given: str
) -> None:
    assert is_ours({**headers_of(arrival), name: given}, arrival.body, SECRET) is False


def test_the_document_names_every_field_and_header_that_is_sent(arrival: Arrival) -> None:
    table = TEXT.split("| field | type | what |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == set(json.loads(arrival.body))
    for name in ("authorization", "content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"):
        assert name in arrival.headers
        assert f"\n{name.title()}: " in TEXT


def test_the_document_names_the_answers_that_are_tried_again() -> None:
    for status in RETRYABLE:
        assert str(status) in TEXT


def test_the_networks_that_nothing_is_sent_to_are_those_that_are_told() -> None:
    section = TEXT.partition("## Where it may go")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([0-9a-f.:]+/[0-9]+)`", section.partition("Not to the machine")[2]))

    assert told == set(FORBIDDEN_NETWORKS)

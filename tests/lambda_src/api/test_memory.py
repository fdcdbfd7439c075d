"""The worst bodies at the limits of `dev`, each in a process of its own: none needs more than settings count on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from components.settings.api import (
    API_BASE_BYTES,
    API_BYTES_PER_BODY_BYTE,
    API_BYTES_PER_OBJECT_BYTE,
    API_BYTES_PER_RECORD,
    API_MAX_RECORD_BYTES,
    MEGABYTE,
)
from local.stack_config import ROOT
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import FAKE_ENVIRONMENT, declared_environment, load_event

EVENT_BYTES: Final = 6 * MEGABYTE
"""The most that Lambda takes (Lambda quotas, invocation payload)."""

DEEP: Final = "[" * 50 + "]" * 50
ANY_SHAPE: Final = '"record_type":"anything",'


@dataclass(frozen=True)
class Limits:
    """What `dev` takes, and what its function has."""

    body: int
    records: int
    memory: int


@pytest.fixture(scope="module")
def environment(dev: DeclaredStack) -> dict[str, str]:
    declared = declared_environment(dev, "api")
    types = [*json.loads(declared["RECORD_TYPES"]), "uploads/any/=anything"]
    return {
        **declared,
        **FAKE_ENVIRONMENT,
        "RECORD_TYPES": json.dumps(types),
        "PYTHONPATH": str(ROOT / "lambda_src"),
    }


@pytest.fixture(scope="module")
def limits(dev: DeclaredStack, environment: dict[str, str]) -> Limits:
    memory = int(dev.one("Function", "-api").number("memorySize")) * MEGABYTE
    return Limits(int(environment["MAX_BODY_BYTES"]), int(environment["MAX_RECORDS"]), memory)


def ask(body: str, environment: dict[str, str], limits: Limits) -> tuple[int, int]:
    """Process records in a process of its own; the status, and the most bytes that it held."""
    assert limits.body * 0.7 < len(body.encode()) <= limits.body, len(body.encode())
    event = load_event("http_api_request.json")
    context = event["requestContext"]
    assert isinstance(context, dict)
    context["http"] |= {"method": "POST", "path": "/process"}
    event |= {"rawPath": "/process", "routeKey": "POST /process", "body": body}
    payload = json.dumps(event, ensure_ascii=False).encode()
    assert len(payload) <= EVENT_BYTES
    asked = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, str(Path(__file__).with_name("memory_probe.py"))],
        input=payload,
        env=environment,
        capture_output=True,
        check=True,
    )
    answer = json.loads(asked.stderr.splitlines()[-1])
    return answer["status"], answer["peak"]


def repeated(item: str, size: int) -> str:
    return ",".join([item] * (size // (len(item.encode()) + 1)))


def tiny_records(limits: Limits) -> str:
    return f'{{"data":[{repeated("[]", limits.body - 100)}]}}'


def one_deep_record(limits: Limits) -> str:
    return f'{{"data":{{"more":[{repeated(DEEP, limits.body - 100)}]}}}}'


def beside_the_records(limits: Limits) -> str:
    return f'{{"data":{{}},"more":[{repeated("{}", limits.body - 100)}]}}'


def many_members(limits: Limits) -> str:
    members = ",".join(f'"{number:x}":1' for number in range(limits.body // 10))
    return f'{{"data":{{}},{members}}}'


def names(limits: Limits) -> str:
    """Records whose every name must be remembered until its object ends."""
    record = "{" + ",".join(f'"{number:x}":1' for number in range(API_MAX_RECORD_BYTES // 10)) + "}"
    return f'{{"data":[{repeated(record, limits.body - 100)}]}}'


def rejected(limits: Limits) -> str:
    """As many records as are taken, each rejected, full of what is escaped, and with four bytes a character."""
    room = (limits.body - 1000) // limits.records
    quotes = ((EVENT_BYTES - limits.body - 10_000) // limits.records - len('""""')) // 2  # the event escapes them again
    padding = "x" * (room - 2 * quotes - len('{"more":""},') - 4)
    text = '\\"' * quotes + padding + "\U0001f600"
    return '{"data":[' + ",".join([f'{{"more":"{text}"}}'] * limits.records) + "]}"


def valid(limits: Limits) -> str:
    """The same, each valid."""
    fields = '"shipment_id":"S","status":"on its way","timestamp":"2026-11-20T08:15:00Z","carrier"'
    room = (limits.body - 1000) // limits.records
    text = "x" * min(250, room - len(fields) - 12) + "\U0001f600"
    return '{"data":[' + ",".join([f'{{{fields}:"{text}"}}'] * limits.records) + "]}"


def objects(limits: Limits) -> str:
    """Of a record type that takes any shape: the longest records, one decoded after the other."""
    record = f'{{"more":["\U0001f600",{repeated(DEEP, API_MAX_RECORD_BYTES - 100)}]}}'
    return f'{{{ANY_SHAPE}"data":[{repeated(record, limits.body - 100)}]}}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (tiny_records, 413),
        (one_deep_record, 413),
        (beside_the_records, 413),
        (many_members, 413),
        (names, 200),
        (rejected, 200),
        (valid, 200),
        (objects, 200),
    ],
)
def test_the_worst_bodies_need_no_more_memory_than_settings_count_on(
    environment: dict[str, str], limits: Limits, body: Callable[[Limits], str], status: int
) -> None:
    text = body(limits)
    allowed = API_BASE_BYTES + API_BYTES_PER_BODY_BYTE * limits.body + API_BYTES_PER_RECORD * limits.records
    if body is objects:
        allowed += API_BYTES_PER_OBJECT_BYTE * API_MAX_RECORD_BYTES

    answered, peak = ask(text, environment, limits)

    assert answered == status
    assert peak <= allowed <= limits.memory, f"{peak / MEGABYTE:.0f} of {allowed / MEGABYTE:.0f} MB"

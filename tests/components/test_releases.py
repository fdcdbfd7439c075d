"""Releases: what calls a function calls a version of it that has started."""

from __future__ import annotations

import json

import pytest

from components.function import ALIAS, CHECK_EVENT
from operate.session import LIVE
from shared import check
from tests.conftest import declare
from tests.declared_stack import Declared, DeclaredStack, texts

PURPOSES = ("ingest", "api", "reconcile", "forward", "delivery")


@pytest.fixture(scope="module")
def delivering() -> DeclaredStack:
    return declare("prod-delivery")


def alias_of(stack: DeclaredStack, purpose: str) -> Declared:
    return stack.one("Alias", f"-{purpose}-alias")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_alias_moves_to_a_new_version_when_that_has_started(delivering: DeclaredStack, purpose: str) -> None:
    function, alias = delivering.one("Function", f"-{purpose}"), alias_of(delivering, purpose)
    start = delivering.one("Invocation", f"-{purpose}-check")

    assert function.inputs["publish"] is True
    assert json.loads(start.text("input")) == CHECK_EVENT
    for resource, version in ((start, "qualifier"), (alias, "functionVersion")):
        assert resource.text("functionName") == function.name
        assert resource.sources[version] == [function.urn], "it follows the function's own version"
    assert "lifecycleScope" not in start.inputs, "a version is invoked once, and nothing when it is deleted"
    assert start.urn in alias.dependencies


@pytest.mark.parametrize("purpose", ["ingest", "forward", "delivery"])
def test_queues_and_the_stream_call_the_alias(delivering: DeclaredStack, purpose: str) -> None:
    source = delivering.one("EventSourceMapping", f"-{purpose}-source")

    assert source.sources["functionName"] == [alias_of(delivering, purpose).urn]


def test_the_api_calls_the_alias_and_may_call_nothing_else(stack: DeclaredStack) -> None:
    alias, permission = alias_of(stack, "api"), stack.one("Permission")

    assert stack.one("Integration").sources["integrationUri"] == [alias.urn]
    assert permission.text("qualifier") == ALIAS
    assert permission.sources["qualifier"] == [alias.urn]


def test_the_schedule_calls_the_alias_and_may_call_nothing_else(stack: DeclaredStack) -> None:
    alias = f"arn:aws:lambda:eu-central-1:123456789012:{stack.one('Function', '-reconcile').name}:live"

    assert stack.one("Schedule").part("target")["arn"] == alias
    assert texts(stack.one("RolePolicy", "-schedule-policy").statements()["Invoke"]["Resource"]) == [alias]


def test_functions_and_operators_know_the_names_that_the_stack_uses() -> None:
    assert set(CHECK_EVENT) == {check.KEY}
    assert LIVE == ALIAS

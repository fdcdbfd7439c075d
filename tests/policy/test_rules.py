"""Each rule passes what keeps its promise and stops what breaks it."""

from __future__ import annotations

import pytest
from pulumi_policy import ResourceValidationPolicy

from policy.guardrails import GUARDRAILS
from policy.resource_types import Type
from tests.policy.breaks import BREAKS
from tests.policy.conftest import Given, broken, violations
from tests.policy.given import UNKNOWN_VALUE
from tests.policy.keeps import KEEPS


@pytest.mark.parametrize(("rule", "resources"), KEEPS)
def test_what_keeps_the_promise_passes(rule: str, resources: tuple[Given, ...]) -> None:
    assert not {found for found in violations(*resources) if found.startswith(f"{rule}: ")}


@pytest.mark.parametrize(("rule", "resources", "complaint"), BREAKS)
def test_what_breaks_the_promise_is_named(rule: str, resources: tuple[Given, ...], complaint: str) -> None:
    assert [found for found in violations(*resources) if found.startswith(f"{rule}: ") and complaint in found]


def test_every_rule_is_shown_to_pass_and_to_stop() -> None:
    rules = {policy.name for policy in GUARDRAILS}

    assert {rule for rule, _ in KEEPS} == rules
    assert {rule for rule, _, _ in BREAKS} == rules


@pytest.mark.parametrize("kind", sorted({resource.type for _, resources in KEEPS for resource in resources}))
def test_a_value_that_is_not_known_yet_is_not_held_against_a_resource(kind: str) -> None:
    """In a preview: every property that any rule reads."""
    cases = [*(resources for _, resources in KEEPS), *(resources for _, resources, _ in BREAKS)]
    names = {name for resources in cases for given in resources for name in given.properties}
    resource = Given(type=kind, properties=dict.fromkeys(names, UNKNOWN_VALUE), protect=True, stage="prod")
    of_one_resource = {policy.name for policy in GUARDRAILS if isinstance(policy, ResourceValidationPolicy)}

    assert not broken(resource) & of_one_resource


@pytest.mark.parametrize("stage", ["prod", "production", "live", "Prod", "prod-eu", "eu_live"])
def test_production_is_known_by_its_name(stage: str) -> None:
    assert "production-retained" in broken(Given(type=Type.KEY, stage=stage))


@pytest.mark.parametrize("stage", ["dev", "local", "product", "delivery", "olive"])
def test_a_name_that_only_looks_like_production_is_not(stage: str) -> None:
    assert "production-retained" not in broken(Given(type=Type.KEY, stage=stage))


def test_tags_that_are_not_known_yet_are_not_held_against_a_resource() -> None:
    assert "tagged" not in broken(Given(type=Type.QUEUE, provider={"defaultTags": UNKNOWN_VALUE}))
    assert "tagged" not in broken(Given(type=Type.QUEUE, provider={}, properties={"tagsAll": UNKNOWN_VALUE}))

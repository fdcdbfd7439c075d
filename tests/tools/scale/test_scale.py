"""How far it goes: the model of the flow, against what was seen and against what must hold."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from local.stack_config import StackConfig
from operate.capacity.quotas import quotas
from tests.conftest import declare
from tests.declared_stack import dig
from tools.costs.idle import SHIPPED as SHIPPED_STAGES
from tools.scale import document
from tools.scale.burst import burst
from tools.scale.flow import Flow, simulate

FLOW = Flow(files=1000, service_seconds=0.1, spread=0.0, concurrency=10, ramp_per_minute=0.0)


def test_the_model_ends_a_burst_as_the_local_cloud_did() -> None:
    seen, model = burst(), document.simulated_burst()

    assert (model.done, model.dead) == (seen.files, 0)
    assert model.seconds == pytest.approx(seen.depth[-1][0], rel=0.2)


def test_every_file_ends_once() -> None:
    ended = simulate(FLOW)

    assert (ended.done, ended.dead, ended.receives) == (1000, 0, 1000)
    assert ended.seconds == pytest.approx(1000 * 0.1 / 10)
    assert ended.depth[-1][1] == 0
    assert max(depth for _, depth in ended.depth) == 1000


def test_the_same_flow_ends_the_same() -> None:
    flow = replace(FLOW, spread=0.3, throttled=0.2, visibility_seconds=5)

    assert simulate(flow) == simulate(flow)


def test_lots_change_the_time_by_little() -> None:
    flow = replace(FLOW, files=10_000, spread=0.2)

    assert simulate(replace(flow, lot=50)).seconds == pytest.approx(simulate(flow).seconds, rel=0.05)


def test_a_rate_below_what_is_taken_leaves_no_queue() -> None:
    ended = simulate(replace(FLOW, rate=50.0))

    assert max(depth for _, depth in ended.depth) <= FLOW.concurrency
    assert ended.seconds == pytest.approx(1000 / 50, rel=0.02)


def test_pollers_are_added_up_to_the_cap() -> None:
    slow, fast = (simulate(replace(FLOW, ramp_per_minute=ramp)).seconds for ramp in (60.0, 0.0))

    assert slow > fast


def test_a_table_that_takes_less_holds_everything_up() -> None:
    ended = simulate(replace(FLOW, writes_per_second=100, writes_per_file=4))

    assert ended.seconds >= 1000 * 4 / 100


def test_throttled_messages_come_again_and_die_of_it_in_the_end() -> None:
    again = simulate(replace(FLOW, throttled=0.1, visibility_seconds=5))
    always = simulate(replace(FLOW, files=10, throttled=1.0, visibility_seconds=5, max_receives=3))

    assert again.receives > 1000
    assert again.done + again.dead == 1000
    assert (always.done, always.dead, always.receives) == (0, 10, 30)
    assert always.seconds == pytest.approx(3 * 5)


def test_the_document_has_a_first_limit_for_each_rate() -> None:
    text = document.scale().partition("### A million files")[0]

    for rate in document.RATES:
        assert sum(line.startswith(f"| {rate:,} |") for line in text.splitlines()) == 2


def test_what_is_said_of_prod_is_what_is_shipped() -> None:
    prod = declare("prod")
    (mapping,) = prod.all("EventSourceMapping")
    ingest = prod.one("Function", "-ingest")

    assert document.SHIPPED.max_concurrency == mapping.part("scalingConfig")["maximumConcurrency"]
    assert document.SHIPPED.memory_mb == ingest.inputs["memorySize"]
    assert str(document.SHIPPED.index_shards) == dig(ingest.inputs, "environment", "variables", "INDEX_SHARDS")


def test_every_quota_says_where_and_when_it_was_read() -> None:
    for quota in quotas().values():
        assert quota.source
        assert quota.date
        assert bool(quota.service) == bool(quota.name) == quota.raisable
        assert all(value > quota.value for value in quota.regions.values()), "the lowest is what is not named"


def test_the_quotas_are_those_of_the_region_that_is_shipped() -> None:
    assert StackConfig.load("prod", folder=SHIPPED_STAGES).values["aws:region"] == document.REGION
    (row,) = (line for line in document.scale().splitlines() if "calls of one action" in line)

    assert row.startswith("| 19,000 |")


@pytest.mark.parametrize("name", sorted(document.drawings()))
def test_a_drawing_reads_on_light_and_dark_and_needs_nothing_from_elsewhere(name: str) -> None:
    text = document.drawings()[name]
    root = ET.fromstring(text)  # noqa: S314 - it is ours

    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "<script" not in text
    assert "@import" not in text
    assert "<!--" not in text, "it would have today's date"
    assert "{background-color:transparent}" in text
    assert not [part for part in root.iter() if "href" in str(part.attrib)]

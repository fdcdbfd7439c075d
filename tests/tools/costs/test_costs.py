"""What files cost: counts times prices, and how write units are counted."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from local.stack_config import ROOT, StackConfig
from operate.capacity.measured import Case, Stage, Work, measured
from operate.capacity.service_time import work_ms
from tests.conftest import declare
from tools.costs import bill, document, idle
from tools.costs.bill import Item, prices, total
from tools.costs.measure import STAGES, middle
from tools.costs.units import Index, item_bytes, write_units
from tools.docs.declared import declared_by

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.type_defs import AttributeValueTypeDef, RecordTypeDef

INDEX = Index(keys=("shard", "at"), projected=frozenset({"object_id", "shard", "at", "note"}))


@pytest.fixture(params=STAGES)
def shipped(request: pytest.FixtureRequest) -> Stage:
    return measured().stages[request.param]


def text(value: str) -> AttributeValueTypeDef:
    return {"S": value}


def changed(old: dict[str, str] | None, new: dict[str, str]) -> RecordTypeDef:
    images = {"NewImage": {name: text(value) for name, value in new.items()}}
    if old:
        images["OldImage"] = {name: text(value) for name, value in old.items()}
    return {"dynamodb": {"Keys": {"object_id": text(new["object_id"])}, **images}}  # type: ignore[typeddict-item]


def test_every_price_says_where_and_when_it_was_read() -> None:
    assert bill.price_table().region
    for price in bill.price_table().prices:
        assert price.source
        assert re.fullmatch(r"20\d\d(-\d\d)?|not verified", price.date), price.key
        assert price.price > 0


def test_an_item_costs_its_count_times_its_price() -> None:
    price = prices()["sqs"]

    assert Item("a million", "sqs", 3_000_000).cost == pytest.approx(3_000_000 * price.price / price.per)


def test_a_file_is_billed_for_each_of_its_calls(shipped: Stage) -> None:
    case = shipped.cases["record1MB"]

    items = {item.name: item for item in bill.file_bill(shipped, case)}

    assert items["results in S3"].count == case.calls("s3.PutObject") == 2
    assert items["reads of S3"].count == case.calls("s3.HeadObject") + case.calls("s3.GetObject") == 2
    assert items["writes of the table"].count == case.write_units["table"]
    ingest = case.functions["ingest"]
    seconds = work_ms("ingest", ingest, shipped.memory_mb) / 1000
    assert items["time, ingest"].count == pytest.approx(seconds * shipped.memory_mb / 1024)
    assert not {name for name in items if "delivery" in name or "forward" in name}, "billed by themselves"


def test_a_delivery_is_billed_by_itself(shipped: Stage) -> None:
    names = {item.name for item in bill.delivery_bill(shipped, shipped.cases["catalogOnly"])}

    assert {"delivery queue", "invocations, forward", "invocations, delivery"} <= names
    assert "invocations, ingest" not in names


def test_a_larger_file_costs_more(shipped: Stage) -> None:
    costs = [
        total(bill.file_bill(shipped, shipped.cases[name])) for name in ("catalogOnly", "record1MB", "recordLargest")
    ]

    assert costs == sorted(costs)


@pytest.mark.parametrize("name", ["validate", "process"])
def test_a_request_is_billed_for_what_it_stores_and_not_for_its_delivery(shipped: Stage, name: str) -> None:
    case = shipped.cases[name]

    items = {item.name: item for item in bill.request_bill(shipped, case)}

    assert items["catalog, stored for a month"].count == case.stored_bytes / 1e9
    assert items["logs"].count == bill.log_bytes(shipped, bill.without_delivery(case)) / 1e9
    assert not {text for text in items if "delivery" in text or "forward" in text}, "billed by themselves"


def test_a_result_of_a_request_is_delivered_once(shipped: Stage) -> None:
    items = {item.name: item.count for item in bill.delivery_bill(shipped, shipped.cases["process"])}

    assert items["delivery queue"] == bill.QUEUE_REQUESTS
    assert (items["invocations, forward"], items["invocations, delivery"]) == (1, 1)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("delivers", [False, True])
def test_an_idle_stack_pays_for_what_it_declares(stage: str, *, delivers: bool) -> None:
    overrides = {"deliveryEndpoint": "https://receiver.example.com/files"} if delivers else {}
    declared = declare(stage, overrides=overrides)
    looked_at = [
        [part for part in alarm.parts("metricQueries") if "metric" in part] if "metricQueries" in alarm.inputs else [1]
        for alarm in declared.all("MetricAlarm")
    ]

    items = {item.name: item.count for item in bill.idle_bill(idle.shipped(stage, delivers=delivers))}

    assert items["metrics of alarms"] == sum(map(len, looked_at)) > len(looked_at)
    assert items["composite alarm"] == len(declared.all("CompositeAlarm")) == 1
    assert items["metric of the search for lost events"] == 1
    assert items["key"] == 1
    assert ("polls of the delivery queue" in items) is delivers


def test_a_stack_that_searches_nothing_writes_no_metric_of_it() -> None:
    config = StackConfig.load("prod", {"reconciliationHours": 0, "layerPlatform": "host"}, folder=idle.SHIPPED)

    names = {item.name for item in bill.idle_bill(idle.idle(declared_by(config)))}

    assert "metric of the search for lost events" not in names
    assert "metrics of alarms" in names


def test_prices_are_of_the_region_that_is_shipped() -> None:
    for stage in STAGES:
        assert StackConfig.load(stage, folder=idle.SHIPPED).values["aws:region"] == bill.price_table().region


def test_the_bytes_that_are_shown_are_those_that_are_billed(shipped: Stage) -> None:
    stage = next(name for name in STAGES if measured().stages[name] is shipped)
    (item,) = (i for i in bill.file_bill(shipped, shipped.cases["catalogOnly"]) if i.name == "logs")

    row = next(
        line
        for line in document.costs().splitlines()
        if line.startswith("| a file of 10 KB") and f"| {stage} |" in line
    )

    assert f"| {item.count * 1e9:,.0f} |" in row


def test_the_median_of_rounds_is_taken_and_their_spread_kept() -> None:
    rounds = [_round(cpu) for cpu in (9.0, 5.0, 6.0)]

    work = middle(rounds).functions["ingest"]

    assert (work.cpu_ms, work.cpu_spread_ms) == (6.0, 4.0)
    assert work.calls == {"s3.HeadObject": 1.0}


def _round(cpu_ms: float) -> Case:
    work = Work(invocations=1.0, cpu_ms=cpu_ms, log_bytes=100, calls={"s3.HeadObject": 1.0})
    return Case(size=1, functions={"ingest": work}, write_units={}, table_writes=0.0, read_units=0.0, stored_bytes=0)


@pytest.mark.parametrize("command", ["tools.costs", "tools.scale"])
def test_a_command_that_is_asked_for_help_measures_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = import_module(f"{command}.__main__")
    monkeypatch.setattr(module, "measure", lambda _console: pytest.fail("it measures"))

    for argument, status in (("--help", 0), ("prod", 2)):
        monkeypatch.setattr("sys.argv", [command, argument])
        with pytest.raises(SystemExit) as ended:
            module.main()
        assert ended.value.code == status

    assert "overwrites" in capsys.readouterr().out


def test_the_document_names_the_five_largest_items_in_their_order(shipped: Stage) -> None:
    items = bill.largest(bill.file_bill(shipped, shipped.cases["catalogOnly"]), 5)

    assert [item.cost for item in items] == sorted((item.cost for item in items), reverse=True)
    if shipped is measured().stages["prod"]:
        row = next(
            line
            for line in document.costs().splitlines()
            if line.startswith("| a file of 10 KB") and "upload by its sender" in line
        )
        assert [item.name in row for item in items] == [True] * 5


def test_a_price_that_changes_changes_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    before = document.costs()
    assert (ROOT / "docs" / "costs.md").read_text().count(before) == 1
    dearer = {
        key: bill.Price(p.key, p.service, p.unit, 2 * p.price, p.per, p.source, p.date) for key, p in prices().items()
    }

    monkeypatch.setattr(bill, "prices", lambda: dearer)

    assert document.costs() != before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, {"shard": "a", "at": "1"}, 1),
        (None, {"at": "1"}, 0),
        ({"shard": "a", "at": "1"}, {"shard": "a", "at": "2"}, 2),
        ({"shard": "a", "at": "1"}, {"shard": "a", "at": "1", "note": "n"}, 1),
        ({"shard": "a", "at": "1"}, {"shard": "a", "at": "1", "other": "o"}, 0),
        ({"shard": "a", "at": "1"}, {"shard": "a", "at": "2", "note": "n" * 1100}, 3),
        ({"shard": "a", "at": "1"}, {"shard": "a", "at": "2", "other": "o" * 1100}, 2),
    ],
    ids=["new", "without a key", "key changes", "attribute changes", "not projected", "larger", "larger elsewhere"],
)
def test_an_index_is_written_as_its_entries_change(
    old: dict[str, str] | None, new: dict[str, str], expected: int
) -> None:
    record = changed(old and {"object_id": "x", **old}, {"object_id": "x", **new})

    assert write_units([record], {"i": INDEX}, Counter())["i"] == expected


def test_a_transaction_counts_twice_of_the_table_alone() -> None:
    record = changed(None, {"object_id": "x", "shard": "a", "at": "1"})

    units = write_units([record, record], {"i": INDEX}, Counter({"x": 1}))

    assert units == {"table": 2 + 1, "i": 2}


def test_an_items_size_is_its_names_and_its_values() -> None:
    assert item_bytes({"name": text("é")}) == 4 + 2
    assert item_bytes({"n": {"N": "12345"}}) == 1 + 3 + 1
    assert item_bytes({"m": {"M": {"k": {"S": "v"}}}}) == 1 + 3 + 1 + 2

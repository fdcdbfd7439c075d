"""What files cost: counts times prices, and how write units are counted."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.stack_config import ROOT
from operate.capacity.measured import Stage, measured
from operate.capacity.service_time import work_ms
from tools.costs import bill, document
from tools.costs.bill import Item, prices, total
from tools.costs.measure import STAGES
from tools.costs.units import Index, item_bytes, write_units

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


def test_an_idle_stack_pays_for_what_it_has(shipped: Stage) -> None:
    items = {item.name: item.count for item in bill.idle_bill(shipped.idle)}

    assert items["key"] == 1
    assert (
        items["metrics of alarms"]
        == shipped.idle.alarm_metrics
        >= shipped.idle.resources["aws:cloudwatch/metricAlarm:MetricAlarm"]
    )
    assert "polls of the delivery queue" not in items
    assert "polls of the delivery queue" in {item.name for item in bill.idle_bill(shipped.idle_delivering)}


def test_the_document_names_the_five_largest_items_in_their_order(shipped: Stage) -> None:
    items = bill.largest(bill.file_bill(shipped, shipped.cases["catalogOnly"]), 5)

    assert [item.cost for item in items] == sorted((item.cost for item in items), reverse=True)
    if shipped is measured().stages["prod"]:
        row = next(
            line for line in document.costs().splitlines() if line.startswith("| a file of 10 KB") and "$5.00" in line
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

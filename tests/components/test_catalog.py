"""The catalog table: capacity, encryption, indexes."""

from __future__ import annotations

from typing import Final

import pytest

from api.models import File
from components.catalog import INDEX_KEYS, INDEX_SORT_KEY, PARTITION_KEY, PROJECTED, SORT_KEY
from tests.conftest import declare
from tests.declared_stack import DeclaredStack


@pytest.fixture(scope="module")
def provisioned() -> DeclaredStack:
    return declare("prod-provisioned")


def test_the_table_is_billed_by_request(stack: DeclaredStack) -> None:
    table = stack.one("Table")

    assert table.text("billingMode") == "PAY_PER_REQUEST"
    assert {"readCapacity", "writeCapacity", "onDemandThroughput"}.isdisjoint(table.inputs)
    assert all("onDemandThroughput" not in index for index in table.parts("globalSecondaryIndexes"))
    assert table.ignore_changes == []
    assert stack.all("Target") == []


def test_a_table_by_request_may_have_a_limit() -> None:
    table = declare("dev", overrides={"tableMaxWriteUnits": 4000}).one("Table")

    assert table.part("onDemandThroughput") == {"maxWriteRequestUnits": 4000}
    assert all(
        index["onDemandThroughput"] == {"maxWriteRequestUnits": 4000} for index in table.parts("globalSecondaryIndexes")
    )


def test_a_provisioned_table_scales(provisioned: DeclaredStack) -> None:
    table = provisioned.one("Table")
    targets = {
        target.text("scalableDimension") + " " + target.text("resourceId"): target
        for target in provisioned.all("Target")
    }

    assert table.text("billingMode") == "PROVISIONED"
    assert (table.number("readCapacity"), table.number("writeCapacity")) == (25, 25)
    for index in table.parts("globalSecondaryIndexes"):
        assert (index["readCapacity"], index["writeCapacity"]) == (10, 10)
    name = "table/file-pipeline-prod-provisioned-catalog-table"
    assert set(targets) == {f"dynamodb:table:{operation}CapacityUnits {name}" for operation in ("Read", "Write")} | {
        f"dynamodb:index:{operation}CapacityUnits {name}/index/{index}"
        for operation in ("Read", "Write")
        for index in INDEX_KEYS
    }
    assert all((t.number("minCapacity"), t.number("maxCapacity")) == (25, 1000) for t in targets.values())
    for policy in provisioned.all("Policy"):
        tracking = policy.part("targetTrackingScalingPolicyConfiguration")
        assert tracking["targetValue"] == 70
    assert len(provisioned.all("Policy")) == len(targets)


def test_an_update_leaves_alone_what_autoscaling_set(provisioned: DeclaredStack) -> None:
    assert set(provisioned.one("Table").ignore_changes) == {
        "readCapacity",
        "writeCapacity",
        "globalSecondaryIndexes[*].readCapacity",
        "globalSecondaryIndexes[*].writeCapacity",
    }


def test_dev_can_be_provisioned_by_config_alone() -> None:
    provisioned = declare("dev", overrides={"tableBillingMode": "PROVISIONED", "tableAutoscaling": False})
    table = provisioned.one("Table")

    assert (table.number("readCapacity"), table.number("writeCapacity")) == (5, 5)
    assert {(i["readCapacity"], i["writeCapacity"]) for i in table.parts("globalSecondaryIndexes")} == {(2, 2)}
    assert (provisioned.all("Target"), table.ignore_changes) == ([], [])


def test_the_table_keeps_streams_and_forgets(stack: DeclaredStack) -> None:
    table = stack.one("Table")

    assert table.part("pointInTimeRecovery") == {"enabled": True}
    assert (table.inputs["streamEnabled"], table.text("streamViewType")) == (True, "NEW_AND_OLD_IMAGES")
    assert table.part("ttl") == {"attributeName": "ttl", "enabled": True}
    assert table.inputs["deletionProtectionEnabled"] is (stack.stage == "prod")


def test_the_indexes_are_sharded_and_sorted_by_processing_time(stack: DeclaredStack) -> None:
    indexes = {str(index["name"]): index["keySchemas"] for index in stack.one("Table").parts("globalSecondaryIndexes")}

    assert indexes == {
        name: [{"attributeName": key, "keyType": "HASH"}, {"attributeName": "processed_at", "keyType": "RANGE"}]
        for name, key in {"by-bucket": "bucket_shard", "by-status": "status_shard"}.items()
    }


MADE_UP: Final = {"id", "path"}
"""Fields that the API makes of an item's key."""

READ_OF_A_BUCKET: Final = {"sequencer", "event_name", "reopened_by", "claim_expires_at"}
READ_OF_A_STATUS: Final = {"event_name", "content_sha256", "claim_expires_at"}
"""What an operator's commands read of an index beside what the API lists: `reprocess --day`, `status`, `end --all`."""


@pytest.mark.parametrize(("index", "read"), [("by-bucket", READ_OF_A_BUCKET), ("by-status", READ_OF_A_STATUS)])
def test_an_index_has_what_is_read_of_it_and_no_more(stack: DeclaredStack, index: str, read: set[str]) -> None:
    (declared,) = (each for each in stack.one("Table").parts("globalSecondaryIndexes") if each["name"] == index)
    keys = {PARTITION_KEY, SORT_KEY, INDEX_KEYS[index], INDEX_SORT_KEY}

    projected = declared["nonKeyAttributes"]
    assert declared["projectionType"] == "INCLUDE"
    assert isinstance(projected, list)
    assert {*projected} | keys == (set(File.model_fields) - MADE_UP) | read | keys
    assert len(projected) == len(PROJECTED[index]) <= 20, "what an index takes"

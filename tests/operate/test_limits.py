"""``limits``: what is compared, and what comes first."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import boto3
import pytest

from operate.capacity.measured import measured
from operate.capacity.needs import Setup, limits, shards_for
from operate.capacity.quotas import applied, is_known, published
from tests.declared_stack import dig
from tests.lambda_src.conftest import Aws, Calls
from tests.operate.conftest import SHARDS, Operate, add_output

CASE = measured().stages["prod"].cases["catalogOnly"]
QUOTAS = published("us-east-1")
ACCOUNT_WIDE = "functions of the account at once (10 invocations a second each)"
REGIONS = ("us-east-1", "eu-central-1", "eu-west-2", "mx-central-1")
SETUP = Setup(memory_mb=1024, max_concurrency=100, index_shards=8)


def by_name(found: object) -> dict[str, Mapping[str, object]]:
    return {str(limit["name"]): limit for limit in cast("list[Mapping[str, object]]", found)}


@pytest.fixture
def stack(aws: Aws, operate: Operate, calls: Calls) -> Calls:
    """The stack's mapping, whose cap is 10, and an account that has its quotas of AWS."""
    del operate
    arn = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("lambda").create_event_source_mapping(
        FunctionName="file-pipeline-dev-ingest", EventSourceArn=arn, ScalingConfig={"MaximumConcurrency": 10}
    )
    calls.answers["ListServiceQuotas"] = {"Quotas": []}
    calls.answers["GetAccountSettings"] = {"AccountLimit": {"ConcurrentExecutions": 50}}
    return calls


def test_a_rate_that_fits_is_well(operate: Operate, stack: Calls) -> None:
    del stack

    ran = operate("limits", "--rate", "1")

    assert ran.status == 0, ran.err
    assert "Raise first" not in ran.out
    assert "As it is set, the stack takes" in ran.out


def test_what_is_short_is_said_the_first_limit_first(operate: Operate, stack: Calls) -> None:
    del stack

    ran = operate("limits", "--rate", "5000", "--json")

    assert ran.status == 1
    result = json.loads(ran.out)
    shares = [limit["share"] for limit in result["limits"]]
    assert shares == sorted(shares, reverse=True)
    assert result["mostRate"] == pytest.approx(5000 / shares[0])
    assert result["raise"][0] == result["limits"][0]["raisedBy"]
    assert f"Raise first: {result['limits'][0]['name']}" in operate("limits", "--rate", "5000").out


def test_the_settings_are_read_from_the_stack(operate: Operate, stack: Calls) -> None:
    del stack

    found = by_name(json.loads(operate("limits", "--rate", "100", "--json").out)["limits"])

    assert found["ingest functions at once"]["given"] == 10
    assert found[ACCOUNT_WIDE]["given"] == 50
    keyed, index = found["write units a second, one index key"], found["write units a second, one index"]
    assert keyed["needed"] == pytest.approx(cast("float", index["needed"]) / SHARDS)


def test_a_quota_that_was_raised_counts(operate: Operate, stack: Calls) -> None:
    raised = {"QuotaName": "Table-level write throughput limit", "Value": 123_456.0}
    stack.answers["ListServiceQuotas"] = {"Quotas": [raised]}

    found = by_name(json.loads(operate("limits", "--rate", "100", "--json").out)["limits"])

    assert found["write units a second, one index"]["given"] == 123_456


def test_without_a_right_to_the_quotas_the_published_ones_are_taken_and_it_is_said(
    operate: Operate, stack: Calls
) -> None:
    stack.fail("ListServiceQuotas", "AccessDeniedException")

    ran = operate("limits", "--rate", "100", "--json")

    assert dig(json.loads(ran.out), "quotasRead") is False
    assert "published ones are taken" in ran.err
    found = by_name(json.loads(ran.out)["limits"])
    assert found[ACCOUNT_WIDE]["given"] == 1000


def test_a_stack_that_delivers_needs_more(operate: Operate, stack: Calls, aws: Aws) -> None:
    del stack
    queue = aws.sqs.create_queue(QueueName="delivery.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("lambda").create_event_source_mapping(
        FunctionName="file-pipeline-dev-ingest", EventSourceArn=arn, ScalingConfig={"MaximumConcurrency": 5}
    )
    add_output("deliveryQueueArn", arn)

    found = by_name(json.loads(operate("limits", "--rate", "100", "--json").out)["limits"])

    assert found["deliveries at once"]["given"] == 5
    assert found["FIFO receives a second"]["given"] == 19_000, "of eu-central-1"
    assert "messages in flight, delivery queue" in found


def test_a_file_with_records_needs_more_than_one_without(operate: Operate, stack: Calls) -> None:
    del stack

    plain, records = (
        by_name(json.loads(operate("limits", "--rate", "100", "--kind", kind, "--json").out)["limits"])
        for kind in ("cataloged", "record")
    )

    name = "ingest functions at once"
    assert cast("float", records[name]["needed"]) > cast("float", plain[name]["needed"])


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "fast"])
def test_a_rate_that_is_none_is_refused(operate: Operate, rate: str) -> None:
    assert operate("limits", "--rate", rate).status == 2


def test_shards_that_are_advised_are_enough() -> None:
    rate = 10_000.0
    setup = Setup(memory_mb=1024, max_concurrency=100, index_shards=shards_for(rate, CASE, QUOTAS))

    (key,) = (limit for limit in limits(rate, CASE, setup, QUOTAS) if "one index key" in limit.name)

    assert key.share <= 1


def test_a_cap_that_is_advised_is_enough() -> None:
    few = Setup(memory_mb=1024, max_concurrency=2, index_shards=8)
    (short,) = (limit for limit in limits(500.0, CASE, few, QUOTAS) if limit.name.startswith("ingest"))
    advised = int(short.raised_by.rpartition(" to ")[2])

    (enough,) = (
        limit
        for limit in limits(500.0, CASE, replace(few, max_concurrency=advised), QUOTAS)
        if limit.name.startswith("ingest")
    )

    assert short.share > 1 >= enough.share
    assert advised == math.ceil(short.needed)


@pytest.mark.parametrize(("rate", "setting"), [(1e6, "maxConcurrency"), (1e6, "indexShards")])
def test_what_a_setting_cannot_give_is_not_advised(rate: float, setting: str) -> None:
    (limit,) = (limit for limit in limits(rate, CASE, SETUP, QUOTAS) if limit.raised_by.startswith(setting))

    assert "at most; beyond" in limit.raised_by


def test_a_tables_own_limit_comes_before_the_quota() -> None:
    capped = Setup(memory_mb=1024, max_concurrency=100, index_shards=8, write_units=40, index_write_units=1000)

    (table,) = (limit for limit in limits(11.0, CASE, capped, QUOTAS) if limit.name.endswith(", table"))

    assert table.given == 40
    assert table.raised_by.startswith("tableMaxWriteUnits")


def test_quotas_are_found_by_the_names_that_aws_gives_them(calls: Calls) -> None:
    calls.answers["ListServiceQuotas"] = {"Quotas": [{"QuotaName": "Concurrent executions", "Value": 7.0}]}

    assert applied(boto3.client("service-quotas"), "eu-central-1")["lambdaConcurrency"] == 7


def test_the_region_is_said_and_its_quotas_are_taken(operate: Operate, stack: Calls) -> None:
    del stack

    result = json.loads(operate("limits", "--rate", "100", "--json").out)

    assert (result["region"], result["regionKnown"]) == ("eu-central-1", True)
    assert by_name(result["limits"])["KMS requests a second"]["given"] == 20_000
    assert "100 files a second, eu-central-1" in operate("limits", "--rate", "100").out


def test_of_a_region_that_is_not_known_the_lowest_is_taken_and_it_is_said(
    operate: Operate, stack: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    del stack
    assert [is_known(region) for region in ("eu-central-1", "mx-central-1")] == [True, False]
    assert published("mx-central-1")["fifoCalls"] == min(published(region)["fifoCalls"] for region in REGIONS) == 2400
    monkeypatch.setattr("operate.limits.is_known", lambda _region: False)

    ran = operate("limits", "--rate", "100", "--json")

    assert json.loads(ran.out)["regionKnown"] is False
    assert "Of eu-central-1 no published quotas are known here" in ran.err


def test_in_flight_messages_are_asked_for_and_can_be_raised(calls: Calls) -> None:
    given = {"QuotaName": "In-flight messages per standard queue", "Value": 500_000.0}
    calls.answers["ListServiceQuotas"] = {"Quotas": [given]}

    values = applied(boto3.client("service-quotas"), "eu-central-1")
    (limit,) = (
        limit for limit in limits(1e6, CASE, SETUP, {**QUOTAS, "inFlight": 1.0}) if "in flight, intake" in limit.name
    )

    assert values["inFlight"] == 500_000
    assert limit.raised_by.startswith("ask for more of the quota In-flight messages")


def test_what_is_enough_needs_no_raising() -> None:
    found = limits(5000.0, CASE, SETUP, QUOTAS)

    assert {bool(limit.raised_by) for limit in found if limit.share > 1} == {True}
    assert {limit.raised_by for limit in found if limit.share <= 1} == {""}

"""``limits``: what a wanted rate of files needs of the stack and of its account, and what to raise first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import Parameter

from operate.capacity.measured import measured
from operate.capacity.needs import Limit, Setup, limits
from operate.capacity.quotas import applied, is_known, published, quotas
from operate.command import ATTENTION, OK, explain
from operate.session import CurrentSession, Session

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef

Kind: TypeAlias = Literal["cataloged", "record"]

_CASES: Final[dict[Kind, str]] = {"cataloged": "catalogOnly", "record": "record1MB"}
_STAGE: Final = "prod"
"""Whose counts are taken: what differs between stages, memory and shards, is read from the stack."""

_MOST_RATE: Final = 1_000_000.0


def _check_rate(_type: object, rate: float) -> None:
    if not 0 < rate <= _MOST_RATE:
        raise ValueError(f"Should be more than 0 and at most {_MOST_RATE:,.0f} files a second.")


def show_limits(
    *,
    rate: Annotated[float, Parameter(validator=_check_rate)],
    kind: Kind = "cataloged",
    session: CurrentSession,
) -> int:
    """Compare what the stack and its account can take with a wanted rate, and say what to raise first.

    Parameters
    ----------
    rate
        Files a second.
    kind
        Whether they are only cataloged, or files of 1 MB with records.
    session
        The stack.

    Returns
    -------
    int
        0 if the rate fits, 1 if something has to be raised.
    """
    setup = _setup(session)
    given, unread = _quotas(session)
    found = limits(rate, measured().stages[_STAGE].cases[_CASES[kind]], setup, given)
    short = [limit for limit in found if limit.share > 1]
    console = session.console
    console.result(
        {
            "rate": rate,
            "kind": kind,
            "region": session.region,
            "regionKnown": is_known(session.region),
            "mostRate": _most(rate, found),
            "quotasRead": not unread,
            "limits": [_as_json(limit) for limit in found],
            "raise": [limit.raised_by for limit in short],
        }
    )
    console.table(
        f"{rate:,g} files a second, {session.region}",
        ("limit", "needed", "there is", "used", "raised by"),
        [
            (limit.name, f"{limit.needed:,.1f}", f"{limit.given:,.0f}", f"{limit.share:.0%}", limit.raised_by)
            for limit in found
        ],
    )
    if unread:
        console.error(f"The account's quotas cannot be read, AWS's published ones are taken: {unread}")
    if not is_known(session.region):
        console.error(
            f"Of {session.region} no published quotas are known here: where regions differ and the account's own are "
            "not read, the lowest is taken."
        )
    for limit in short[:1]:
        console.say(f"Raise first: {limit.name}: {limit.raised_by}.")
    console.say(f"As it is set, the stack takes {_most(rate, found):,.0f} files a second.")
    return ATTENTION if short else OK


def _most(rate: float, found: list[Limit]) -> float:
    """Return the rate at which the first limit is reached."""
    return rate / max(limit.share for limit in found)


def _as_json(limit: Limit) -> dict[str, object]:
    return {
        "name": limit.name,
        "needed": limit.needed,
        "given": limit.given,
        "share": limit.share,
        "raisedBy": limit.raised_by,
    }


def _setup(session: Session) -> Setup:
    """Read what the stack is set to, where AWS has it."""
    table = session.dynamodb.describe_table(TableName=session.outputs.table)["Table"]
    function = session.configuration(session.outputs.ingest_function)
    delivery = session.outputs.delivery_queue_arn
    writes, index_writes = _write_limits(table)
    return Setup(
        memory_mb=function["MemorySize"],
        max_concurrency=_cap(session, session.outputs.queue_arn),
        index_shards=session.catalog.index_shards,
        write_units=writes,
        index_write_units=index_writes,
        delivery_concurrency=_cap(session, delivery) if delivery else 0,
    )


def _cap(session: Session, queue_arn: str) -> int:
    """Return how many executions the queue's mapping starts at once."""
    uncapped = int(quotas()["pollerConcurrency"].of(session.region))
    mappings = session.lambda_.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
    caps = [
        mapping.get("ScalingConfig", {}).get("MaximumConcurrency", uncapped)
        for page in mappings
        for mapping in page["EventSourceMappings"]
    ]
    return min(caps, default=uncapped)


def _write_limits(table: TableDescriptionTypeDef) -> tuple[float, float]:
    """Return the most write units a second of the table and of each index, by its own settings; 0: no limit."""
    if table.get("BillingModeSummary", {}).get("BillingMode") == "PROVISIONED" or _units(table):
        indexes = table.get("GlobalSecondaryIndexes", [])
        return _units(table), min((_units(index) for index in indexes), default=0)
    own = table.get("OnDemandThroughput", {}).get("MaxWriteRequestUnits", 0)
    return max(0, own), max(0, own)


def _units(described: object) -> float:
    throughput = described.get("ProvisionedThroughput") if isinstance(described, dict) else None
    return float(throughput.get("WriteCapacityUnits", 0)) if isinstance(throughput, dict) else 0.0


def _quotas(session: Session) -> tuple[dict[str, float], str]:
    """Return the account's quotas, or the published ones and why."""
    try:
        values = applied(session.service_quotas, session.region)
        account = session.lambda_.get_account_settings()["AccountLimit"]
        values["lambdaConcurrency"] = account["ConcurrentExecutions"]
    except (ClientError, BotoCoreError) as error:
        return published(session.region), explain(error)
    return values, ""

"""What a rate of files needs of each part, and what the part can give: the part with the largest share comes first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from operate.capacity.measured import Case
from operate.capacity.service_time import service_seconds
from shared.catalog.table import LATEST_SHARDS

_POINTER_UNITS: Final = 2
"""Of the item that names the latest version: one unit, in a transaction."""

BUCKET_KEY_SHARE: Final = 0.01
"""Requests to KMS for an object that S3 writes or reads under a bucket key: "up to 99 percent" less (S3 User Guide)."""

_LOG_SECONDS: Final = 1.0
"""How long an execution environment collects what it logs, at least. An assumption."""

_MAPPING_MOST: Final = 1000
"""The most that maximumConcurrency may be (CreateEventSourceMapping, API reference)."""

_MOST_SHARDS: Final = 200
"""The most that indexShards may be."""

_ON_QUOTA: Final = "ask for more of the quota"
_FIXED: Final = "nothing raises it: use a second stack"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a stack is set to.

    Parameters
    ----------
    memory_mb
        Memory of the functions.
    max_concurrency
        Executions of the ingest function, capped at its event source.
    index_shards
        Partition keys that one bucket's or status's index entries are spread over.
    write_units
        Most write units a second of the table by its own settings, provisioned or on demand. 0: no limit.
    index_write_units
        The same, of each index.
    delivery_concurrency
        Deliveries that run at once. 0: nothing is delivered.
    """

    memory_mb: int
    max_concurrency: int
    index_shards: int
    write_units: float = 0
    index_write_units: float = 0
    delivery_concurrency: int = 0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A part, what it is needed for a rate, and what it gives.

    Parameters
    ----------
    name
        What is limited, with its unit.
    needed, given
        How much.
    raised_by
        The setting or the quota that moves it; empty where nothing has to be raised.
    """

    name: str
    needed: float
    given: float
    raised_by: str

    @property
    def share(self) -> float:
        """How much of what is given is needed; above 1 it is not enough."""
        return self.needed / self.given


def limits(rate: float, case: Case, setup: Setup, quotas: Mapping[str, float]) -> list[Limit]:
    """Return every limit of a stack, the one that is reached first at the beginning.

    Parameters
    ----------
    rate
        Files a second.
    case
        What one file needs.
    setup
        What the stack is set to.
    quotas
        What the account has, by the keys of the published quotas.
    """
    found = [*_functions(rate, case, setup, quotas), *_table(rate, case, setup, quotas)]
    found += _around(rate, case, setup, quotas)
    said = [limit if limit.share > 1 else replace(limit, raised_by="") for limit in found]
    return sorted(said, key=lambda limit: -limit.share)


def concurrency(rate: float, case: Case, setup: Setup) -> dict[str, float]:
    """Return how many executions of each function are busy at once."""
    busy = {purpose: rate * service_seconds(case, purpose, setup.memory_mb) for purpose in ("ingest", "delivery")}
    return busy if setup.delivery_concurrency else {"ingest": busy["ingest"]}


def shards_for(rate: float, case: Case, quotas: Mapping[str, float]) -> int:
    """Return the shards that keep each index key below what one partition takes."""
    return max(1, math.ceil(rate * _index_units(case) / quotas["partitionWrites"]))


def _functions(rate: float, case: Case, setup: Setup, quotas: Mapping[str, float]) -> list[Limit]:
    busy = concurrency(rate, case, setup)
    invocations = rate * len(busy)
    found = [
        Limit(
            name="ingest functions at once",
            needed=busy["ingest"],
            given=setup.max_concurrency,
            raised_by=_more_executions("maxConcurrency", busy["ingest"]),
        ),
        Limit(
            name=f"functions of the account at once ({quotas['lambdaRequests']:.0f} invocations a second each)",
            needed=max(sum(busy.values()), invocations / quotas["lambdaRequests"]),
            given=quotas["lambdaConcurrency"],
            raised_by=f"{_ON_QUOTA} Concurrent executions",
        ),
    ]
    if setup.delivery_concurrency:
        found += [
            Limit(
                name="deliveries at once",
                needed=busy["delivery"],
                given=setup.delivery_concurrency,
                raised_by=_more_executions("deliveryMaxConcurrency", busy["delivery"]),
            ),
            Limit(
                name="FIFO receives a second",
                needed=rate,
                given=quotas["fifoCalls"],
                raised_by=_FIXED,
            ),
        ]
    return found


def _table(rate: float, case: Case, setup: Setup, quotas: Mapping[str, float]) -> list[Limit]:
    table, index, partition = case.write_units["table"], _index_units(case), quotas["partitionWrites"]
    most = quotas["tableWrites"]
    own = "tableMaxWriteUnits, or the provisioned capacity"
    quota = f"{_ON_QUOTA} Table-level write throughput"
    return [
        Limit(
            name="write units a second, table",
            needed=rate * table,
            given=min(most, setup.write_units or most),
            raised_by=own if 0 < setup.write_units < most else quota,
        ),
        Limit(
            name="write units a second, one index",
            needed=rate * index,
            given=min(most, setup.index_write_units or most),
            raised_by=own if 0 < setup.index_write_units < most else quota,
        ),
        Limit(
            name="write units a second, one index key",
            needed=rate * index / setup.index_shards,
            given=partition,
            raised_by=_more_shards(shards_for(rate, case, quotas)),
        ),
        Limit(
            name="write units a second, one key of latest versions",
            needed=rate * _POINTER_UNITS / LATEST_SHARDS,
            given=partition,
            raised_by="DynamoDB splits the busy keys itself, in minutes",
        ),
    ]


def _around(rate: float, case: Case, setup: Setup, quotas: Mapping[str, float]) -> list[Limit]:
    objects = 1 + case.calls("s3.GetObject") + case.calls("s3.PutObject") + case.calls("s3.CreateMultipartUpload")
    busy = concurrency(rate, case, setup)
    found = [
        Limit(
            name="KMS requests a second",
            needed=rate * objects * BUCKET_KEY_SHARE,
            given=quotas["kms"],
            raised_by=f"{_ON_QUOTA} Cryptographic operations (symmetric)",
        ),
        Limit(
            name="log batches a second",
            needed=sum(busy.values()) / _LOG_SECONDS,
            given=quotas["logCalls"],
            raised_by=f"{_ON_QUOTA} PutLogEvents",
        ),
        Limit(
            name="uploads a second, one prefix",
            needed=rate,
            given=quotas["s3Writes"],
            raised_by="spread uploads over folders: S3 splits prefixes that are busy",
        ),
        Limit(
            name="messages in flight, intake queue",
            needed=busy["ingest"],
            given=quotas["inFlight"],
            raised_by=f"{_ON_QUOTA} In-flight messages per standard queue",
        ),
    ]
    if setup.delivery_concurrency:
        found.append(
            Limit(
                name="messages in flight, delivery queue",
                needed=busy["delivery"],
                given=quotas["inFlightFifo"],
                raised_by=f"{_ON_QUOTA} In-flight messages per FIFO queue",
            )
        )
    return found


def _more_executions(setting: str, needed: float) -> str:
    most = f"{_MAPPING_MOST:,} at most; beyond, provisioned pollers"
    return f"{setting}, {most if needed > _MAPPING_MOST else f'to {math.ceil(needed):,}'}"


def _more_shards(shards: int) -> str:
    most = f"{_MOST_SHARDS} at most; beyond, a second stack"
    return f"indexShards, {most if shards > _MOST_SHARDS else f'to {shards}'}"


def _index_units(case: Case) -> float:
    """Return the write units of the index that needs the most."""
    return max(units for name, units in case.write_units.items() if name != "table")

"""AWS's published quotas, ``quotas.json``, and what an account has of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from types_boto3_service_quotas import ServiceQuotasClient

_FILE: Final = Path(__file__).with_suffix(".json")


class Quota(Struct, frozen=True, kw_only=True):
    """A quota.

    Parameters
    ----------
    key
        What it is called here.
    value, unit
        What AWS gives an account that asks for no more, in every region that `regions` does not name: the lowest.
    regions
        What it gives in regions where it gives more.
    service, name
        What Service Quotas calls it; empty: it does not know it.
    raisable
        Whether AWS raises it for an account that asks.
    source, date
        Where it is published, and when that was read.
    """

    key: str
    value: float
    unit: str
    service: str
    name: str
    raisable: bool
    source: str
    date: str
    regions: Mapping[str, float] = {}

    def of(self, region: str) -> float:
        """Return what AWS gives in a region."""
        return self.regions.get(region, self.value)


class _Table(Struct, frozen=True, kw_only=True):
    quotas: tuple[Quota, ...]


@cache
def quotas() -> Mapping[str, Quota]:
    """Return AWS's quotas by their keys."""
    return {quota.key: quota for quota in msgspec.json.decode(_FILE.read_bytes(), type=_Table).quotas}


def published(region: str) -> dict[str, float]:
    """Return what AWS gives in a region, by key; of a region that no quota names, the lowest that it gives anywhere."""
    return {key: quota.of(region) for key, quota in quotas().items()}


def is_known(region: str) -> bool:
    """Return whether a quota names the region; where none does, the lowest of all are taken."""
    return any(region in quota.regions for quota in quotas().values())


def applied(client: ServiceQuotasClient, region: str) -> dict[str, float]:
    """Return what an account has, by key: what it was given, and what is published where Service Quotas is silent.

    Raises
    ------
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If Service Quotas cannot be asked.
    """
    values = published(region)
    wanted = {(quota.service, quota.name): key for key, quota in quotas().items() if quota.service}
    for service in sorted({service for service, _ in wanted}):
        for page in client.get_paginator("list_service_quotas").paginate(ServiceCode=service):
            for found in page["Quotas"]:
                key = wanted.get((service, found.get("QuotaName", "")))
                if key:
                    values[key] = found["Value"]
    return values

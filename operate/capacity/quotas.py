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
        What AWS gives an account that asks for no more.
    service, name
        What Service Quotas calls it; empty: it does not know it, and nothing raises it.
    source, date
        Where it is published, and when that was read.
    """

    key: str
    value: float
    unit: str
    service: str
    name: str
    source: str
    date: str


class _Table(Struct, frozen=True, kw_only=True):
    region: str
    quotas: tuple[Quota, ...]


@cache
def published() -> Mapping[str, Quota]:
    """Return AWS's quotas by their keys."""
    return {quota.key: quota for quota in _table().quotas}


def region() -> str:
    """Return the region that the published quotas are of."""
    return _table().region


def applied(client: ServiceQuotasClient) -> dict[str, float]:
    """Return what an account has, by key: what it was given, and what is published where Service Quotas is silent.

    Raises
    ------
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If Service Quotas cannot be asked.
    """
    values = {key: quota.value for key, quota in published().items()}
    wanted = {(quota.service, quota.name): key for key, quota in published().items() if quota.service}
    for service in sorted({service for service, _ in wanted}):
        for page in client.get_paginator("list_service_quotas").paginate(ServiceCode=service):
            for found in page["Quotas"]:
                key = wanted.get((service, found.get("QuotaName", "")))
                if key:
                    values[key] = found["Value"]
    return values


@cache
def _table() -> _Table:
    return msgspec.json.decode(_FILE.read_bytes(), type=_Table)

"""What the catalog says of files, as the demo and the tests read it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from local.cloud import Cloud
from local.waiting import wait_for
from shared.catalog.model import Status
from shared.catalog.table import plain

Item: TypeAlias = Mapping[str, object]
ATTEMPTED: Final = frozenset(status for status in Status if status.ends_attempt)
"""Statuses after which an attempt at a file is over."""


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """One version of an uploaded object."""

    key: str
    version_id: str


def upload(cloud: Cloud, bucket: str, key: str, body: bytes, content_type: str) -> UploadedFile:
    """Put an object through S3's API, as any client would."""
    answer = cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    return UploadedFile(key=key, version_id=answer["VersionId"])


def read_lines(cloud: Cloud, bucket: str, key: str) -> list[str]:
    """Read the lines of a published result."""
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return gzip.decompress(body).decode().splitlines()


def read_items(cloud: Cloud, table: str) -> dict[UploadedFile, Item]:
    """Read every file's catalog item."""
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [plain(item) for page in pages for item in page["Items"]]
    return {
        UploadedFile(key=str(item["key"]), version_id=str(item["version_id"])): item
        for item in items
        if "event_name" in item  # neither a pointer, nor records that came through the API
    }


def wait_for_attempts(
    cloud: Cloud,
    table: str,
    files: Collection[UploadedFile],
    *,
    timeout_seconds: float,
    on_progress: Callable[[int], None] = lambda _count: None,
) -> dict[UploadedFile, Item]:
    """Wait until an attempt at every file is over, or the time is up.

    Returns
    -------
    dict
        The items of those of `files` of which one is.
    """
    over: dict[UploadedFile, Item] = {}

    def all_over() -> bool:
        items = read_items(cloud, table)
        over.update({file: items[file] for file in files if file in items and items[file]["status"] in ATTEMPTED})
        on_progress(len(over))
        return len(over) == len(files)

    wait_for(all_over, timeout_seconds=timeout_seconds)
    return over

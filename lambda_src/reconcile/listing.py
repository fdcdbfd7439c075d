"""The bucket's list of object versions, page by page, from any place on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.catalog.model import ObjectVersion, iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ListObjectVersionsRequestTypeDef, ObjectVersionTypeDef

PAGE_VERSIONS: Final = 1000
"""The most versions that S3 lists at once."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A version as the list has it.

    Parameters
    ----------
    version
        The version; S3 does not list sequencers.
    uploaded_at
        When its upload began.
    """

    version: ObjectVersion
    uploaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the list.

    Parameters
    ----------
    versions
        Up to `PAGE_VERSIONS` versions.
    next_key, next_version_id
        The place to go on after; empty on the last page.
    """

    versions: list[Listed]
    next_key: str
    next_version_id: str


def pages(client: S3Client, bucket: str, prefix: str, *, key: str, version_id: str) -> Iterator[Page]:
    """List the versions under `prefix` after a place; empty: from the beginning.

    Raises
    ------
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If S3 cannot be asked.
    """
    while True:
        request: ListObjectVersionsRequestTypeDef = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": PAGE_VERSIONS}
        if key:
            request["KeyMarker"] = key
        if version_id:
            request["VersionIdMarker"] = version_id
        answer = client.list_object_versions(**request)
        more = answer.get("IsTruncated", False)
        key = answer.get("NextKeyMarker", "") if more else ""
        version_id = answer.get("NextVersionIdMarker", "") if more else ""
        versions = [
            Listed(version=listed_version(bucket, entry), uploaded_at=entry["LastModified"])
            for entry in answer.get("Versions", [])
        ]
        yield Page(versions=versions, next_key=key, next_version_id=version_id)
        if not more:
            return


def listed_version(bucket: str, entry: ObjectVersionTypeDef) -> ObjectVersion:
    """Return an object version as a listing shows it: as if it was put in one request, its sequencer not known."""
    return ObjectVersion(
        bucket=bucket,
        key=entry["Key"],
        version_id=entry["VersionId"],
        etag=entry["ETag"].strip('"'),
        size=entry["Size"],
        sequencer="",
        event_name="ObjectCreated:Put",
        event_time=iso(entry["LastModified"]),
    )

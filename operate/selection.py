"""Which object versions are meant: one key, a prefix, or a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from botocore.exceptions import ClientError

from operate.command import UsageError
from operate.pipeline import Pipeline
from shared.catalog.model import CatalogItem, ObjectVersion, iso
from shared.catalog.reader import CatalogReader

_PAGE: Final = 100
_S3: Final = "s3://"
_OTHERS: Final = ("api/", "processed/", "rejected/")
"""What the ids of the API's requests and the keys of results begin with: those are no uploads."""

_GONE_CODES: Final = frozenset({"404", "405", "NoSuchKey", "NoSuchVersion"})


@dataclass(frozen=True, kw_only=True)
class Selected:
    """An object version.

    Parameters
    ----------
    version
        Which one.
    file
        What the catalog has of it; None for an upload that was never seen.
    is_latest
        Whether it is its key's latest.
    is_there
        Whether S3 still has it.
    """

    version: ObjectVersion
    file: CatalogItem | None
    is_latest: bool
    is_there: bool = True


def key_of(pipeline: Pipeline, text: str) -> str:
    """Return the key, or the beginning of keys, that is meant: uploads/ may be left out, or a bucket named by s3://.

    Raises
    ------
    UsageError
        If another bucket is meant.
    """
    bucket, _, key = text.removeprefix(_S3).partition("/") if text.startswith(_S3) else ("", "", text)
    if bucket:
        if bucket != pipeline.outputs.bucket:
            raise UsageError(
                f"{text!r}: this stack's bucket is {pipeline.outputs.bucket}; "
                "--stack or --outputs names the stack whose bucket that is"
            )
        return key
    return key if key.startswith((pipeline.uploads_prefix, *_OTHERS)) else pipeline.uploads_prefix + key


def of_prefix(pipeline: Pipeline, reader: CatalogReader, prefix: str, *, exact: bool) -> Iterator[Selected]:
    """Read the versions that S3 has of a key or under a prefix, with what the catalog has of each."""
    pages = pipeline.s3.get_paginator("list_object_versions").paginate(Bucket=pipeline.outputs.bucket, Prefix=prefix)
    for page in pages:
        listed = [
            (
                ObjectVersion(
                    bucket=pipeline.outputs.bucket,
                    key=entry["Key"],
                    version_id=entry["VersionId"],
                    etag=entry["ETag"].strip('"'),
                    size=entry["Size"],
                    sequencer="",
                    event_name="ObjectCreated:Put",
                    event_time=iso(entry["LastModified"]),
                ),
                entry["IsLatest"],
            )
            for entry in page.get("Versions", [])
            if not exact or entry["Key"] == prefix
        ]
        for start in range(0, len(listed), _PAGE):
            part = listed[start : start + _PAGE]
            files = reader.get([version for version, _ in part])
            for version, is_latest in part:
                file = files.get((version.object_id, version.version_id))
                yield Selected(version=file.version if file else version, file=file, is_latest=is_latest)
        # Keys come in order, and the shortest that begins so is the prefix itself.
        if exact and any(entry["Key"] != prefix for entry in page.get("Versions", [])):
            return


def of_day(pipeline: Pipeline, reader: CatalogReader, day: str) -> Iterator[Selected]:
    """Read the versions whose status was last changed on a day (UTC), and whether S3 still has each."""
    for file in reader.of_day(pipeline.outputs.bucket, day):
        found = _find(pipeline, file)
        # An item may not know its size, where S3 could not be asked.
        version = file.version if found is None else replace(file.version, size=found)
        latest = reader.latest(file.version.bucket, file.version.key)
        yield Selected(
            version=version,
            file=file,
            is_latest=latest is None or latest.version_id == version.version_id,
            is_there=found is not None,
        )


def _find(pipeline: Pipeline, file: CatalogItem) -> int | None:
    """Return the size of a version, or None if S3 has it no more."""
    version = file.version
    try:
        head = pipeline.s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE_CODES:
            return None
        raise
    return head["ContentLength"]


def is_deleted(pipeline: Pipeline, key: str) -> bool:
    """Return whether a delete marker hides the versions of a key."""
    try:
        pipeline.s3.head_object(Bucket=pipeline.outputs.bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _GONE_CODES:
            raise
        return error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker") == "true"
    return False

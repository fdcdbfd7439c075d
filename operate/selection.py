"""Which object versions are meant: one key, a prefix, or a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from botocore.exceptions import ClientError

from operate.command import UsageError
from operate.session import Session
from reconcile.listing import listed_version
from shared.catalog.model import CatalogItem, ObjectVersion
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


def key_of(session: Session, text: str) -> str:
    """Return the key, or the beginning of keys, that is meant: uploads/ may be left out, or a bucket named by s3://.

    Raises
    ------
    UsageError
        If another bucket is meant.
    """
    bucket, _, key = text.removeprefix(_S3).partition("/") if text.startswith(_S3) else ("", "", text)
    if bucket:
        if bucket != session.outputs.bucket:
            raise UsageError(
                f"{text!r}: this stack's bucket is {session.outputs.bucket}; "
                "--stack or --outputs names the stack whose bucket that is"
            )
        return key
    return key if key.startswith((session.uploads_prefix, *_OTHERS)) else session.uploads_prefix + key


def of_prefix(session: Session, reader: CatalogReader, prefix: str, *, exact: bool) -> Iterator[Selected]:
    """Read the versions that S3 has of a key or under a prefix, with what the catalog has of each."""
    pages = session.s3.get_paginator("list_object_versions").paginate(Bucket=session.outputs.bucket, Prefix=prefix)
    for page in pages:
        listed = [
            (listed_version(session.outputs.bucket, entry), entry["IsLatest"])
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


def of_day(session: Session, reader: CatalogReader, day: str) -> Iterator[Selected]:
    """Read the versions whose status was last changed on a day (UTC), and whether S3 still has each."""
    for file in reader.of_day(session.outputs.bucket, day):
        found = _find(session, file)
        # An item may not know its size, where S3 could not be asked.
        version = file.version if found is None else replace(file.version, size=found)
        latest = reader.latest(file.version.bucket, file.version.key)
        yield Selected(
            version=version,
            file=file,
            is_latest=latest is None or latest.version_id == version.version_id,
            is_there=found is not None,
        )


def _find(session: Session, file: CatalogItem) -> int | None:
    """Return the size of a version, or None if S3 no longer has it."""
    version = file.version
    try:
        head = session.s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE_CODES:
            return None
        raise
    return head["ContentLength"]


def is_deleted(session: Session, key: str) -> bool:
    """Return whether a delete marker hides the versions of a key."""
    try:
        session.s3.head_object(Bucket=session.outputs.bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _GONE_CODES:
            raise
        return error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker") == "true"
    return False

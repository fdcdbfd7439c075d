"""The catalog, as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from api import base64url
from api.cursors import read_key, read_position, write_cursor
from api.errors import not_found
from api.models import File, FileDetail, FileList
from api.requests import SAFE_ID_MARK
from shared.catalog.model import API_VERSION, Status
from shared.catalog.position import position_of
from shared.catalog.writer import REOPENED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from types_boto3_s3 import S3Client

    from api.settings import ApiSettings
    from shared.catalog.model import CatalogItem
    from shared.catalog.reader import CatalogReader

_FIRST: Final = "0"
_LAST: Final = "9"
_MAX_ID_BYTES: Final = 2048
"""What DynamoDB takes as a partition key (DynamoDB Developer Guide, Constraints)."""

FAILED_REASON: Final = "processing failed for now and is retried; the operator's logs have the cause"
"""Shown instead of what AWS said, which names our resources."""

FAILED_REQUEST_REASON: Final = "processing failed; send the same request again"
"""The same, of records that came through the API: nobody but their sender tries again."""


class Files:
    """Lists and shows files.

    Parameters
    ----------
    reader
        The catalog.
    presigner
        Gives the client that signs links, when it is needed.
    settings
        The function's settings.
    """

    def __init__(self, reader: CatalogReader, presigner: Callable[[], S3Client], settings: ApiSettings) -> None:
        self._reader = reader
        self._presigner = presigner
        self._settings = settings

    def list(self, *, status: Status | None, day: date | None, limit: int, cursor: str | None) -> FileList:
        """Return a page of files, the one that changed last first.

        Raises
        ------
        ApiError
            If the cursor is not one of this list.
        """
        question = ("time", status or "", str(day or ""))
        items = self._reader.newest(
            bucket=self._settings.bucket_name,
            status=status,
            first=f"{day}T" if day else _FIRST,
            last=f"{day}Z" if day else _LAST,  # any time of the day is between
            after=read_position(cursor, question) if cursor else None,
            limit=limit + 1,
        )
        more = len(items) > limit
        return _answer(items[:limit], write_cursor(question, *position_of(items[limit - 1])) if more else None)

    def find(self, key: str) -> FileList:
        """Return the latest version of a key, if there is one."""
        item = self._reader.latest(self._settings.bucket_name, key)
        return _answer([item] if item else [], None)

    def under(self, prefix: str, *, limit: int, cursor: str | None) -> FileList:
        """Return a page of the latest versions of the keys that begin with `prefix`, in the order of the keys.

        Raises
        ------
        ApiError
            If the cursor is not one of this list.
        """
        question = ("prefix", prefix)
        after = read_key(cursor, question, prefix) if cursor else None
        page = self._reader.under(self._settings.bucket_name, prefix, after=after, limit=limit)
        return _answer(page.items, write_cursor(question, page.last) if page.last else None)

    def show(self, object_id: str, version_id: str | None) -> FileDetail:
        """Return one file, or one version of it.

        Raises
        ------
        ApiError
            If there is none.
        """
        if len(object_id.encode()) > _MAX_ID_BYTES:
            raise not_found("there is no file with an id that long")
        versions = self._reader.versions(object_id)
        item = next((item for item in versions if version_id in {None, item.version_id}), None)
        if item is None:
            raise not_found("there is no file with this id; an id in a path is URL-encoded, its slashes too")
        return FileDetail.model_validate(
            {
                **_fields(item),
                "user_metadata": item.user_metadata,
                "versions": [version.version_id for version in versions],
                "rejects_url": self._link(item),
            }
        )

    def _link(self, item: CatalogItem) -> str | None:
        if item.rejected_key is None:
            return None
        return self._presigner().generate_presigned_url(
            "get_object",
            Params={"Bucket": self._settings.bucket_name, "Key": item.rejected_key},
            ExpiresIn=self._settings.link_seconds,
        )


def _answer(items: Sequence[CatalogItem], cursor: str | None) -> FileList:
    return FileList(files=[File.model_validate(_fields(item)) for item in items], cursor=cursor)


def _fields(item: CatalogItem) -> Mapping[str, object]:
    path = f"/files/{SAFE_ID_MARK}{base64url.encode(item.object_id.encode())}"
    return {
        **{name: getattr(item, name, None) for name in File.model_fields},
        "id": item.object_id,
        "path": path,
        "reason": _reason(item),
        "uploaded_by": unquote(item.uploaded_by) if item.uploaded_by else None,
    }


def _reason(item: CatalogItem) -> str | None:
    if item.status is not Status.FAILED or item.reason == REOPENED:
        return item.reason
    return FAILED_REQUEST_REASON if item.version_id == API_VERSION else FAILED_REASON

"""Uploads past the API: a form that S3 takes, for one key, one type and one size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from api.errors import invalid
from api.models import UploadAnswer
from shared.catalog.model import MAX_KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

    from api.access import Caller
    from api.models import UploadRequest
    from api.settings import ApiSettings
    from shared.rules import IntakeRules

MAX_POST_BYTES = 5 * 1024**3
"""The most that S3 takes in one request (S3 User Guide, Uploading objects)."""

_DOTS = frozenset({".", ".."})
_UPLOADER_FIELD = "x-amz-meta-uploaded-by"
_FILE_NAME = "${"  # S3 would put the name of the posted file in its place


class Uploads:
    """Signs uploads.

    Parameters
    ----------
    presigner
        Gives the client that signs, when it is needed.
    rules
        Which objects are accepted.
    settings
        The function's settings.
    """

    def __init__(self, presigner: Callable[[], S3Client], rules: IntakeRules, settings: ApiSettings) -> None:
        self._presigner = presigner
        self._rules = rules
        self._settings = settings

    def sign(self, request: UploadRequest, caller: Caller) -> UploadAnswer:
        """Return the form to upload a file with.

        Raises
        ------
        ApiError
            If the file would not be accepted.
        """
        key = self._settings.uploads_prefix + request.name
        problem = self._check_name(request.name) or self._rules.check_key(key)
        if problem:
            raise invalid(problem, {"name": problem})
        fixed = {
            "Content-Type": request.content_type,
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": self._settings.key_arn,
            "x-amz-storage-class": self._settings.storage_class,
            _UPLOADER_FIELD: caller.name,
        }
        max_bytes = min(self._settings.max_object_bytes, MAX_POST_BYTES)
        expires_at = datetime.now(UTC) + timedelta(seconds=self._settings.link_seconds)
        form = self._presigner().generate_presigned_post(
            self._settings.bucket_name,
            key,
            Fields=dict(fixed),
            Conditions=[
                ["content-length-range", 0, max_bytes],
                *({name: value} for name, value in fixed.items()),
            ],
            ExpiresIn=self._settings.link_seconds,
        )
        return UploadAnswer(
            url=form["url"],
            fields=form["fields"],
            key=key,
            max_bytes=max_bytes,
            expires_at=expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        )

    def _check_name(self, name: str) -> str | None:
        if not name.isprintable() or name.startswith("/") or _FILE_NAME in name or _DOTS & set(name.split("/")):
            return "name should be printable, such as shipments/2026-11-20.csv: no / in front, no ${, no part . or .."
        if (self._settings.uploads_prefix + name).startswith(self._settings.checks_prefix):
            folder = self._settings.checks_prefix.removeprefix(self._settings.uploads_prefix)
            return f"name should not begin with {folder}: that is for the checks of the pipeline itself"
        room = MAX_KEY_BYTES - len(self._settings.uploads_prefix.encode())
        if len(name.encode()) > room:
            return f"name is longer than {room} bytes"
        return None

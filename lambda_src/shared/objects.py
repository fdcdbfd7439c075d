"""Reading objects of the landing bucket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from shared.catalog.model import ObjectFacts, ObjectVersion
from shared.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

# HeadObject has no body, so S3's error code is the HTTP status; a delete marker answers 405.
_GONE_CODES: Final = frozenset({"404", "405", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed"})
_ARCHIVED_CODE: Final = "InvalidObjectState"
_BROKEN: Final = (ConnectionClosedError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)

NO_VERSION: Final = "null"
"""S3's own name for the version of an object that was stored without versioning."""

CHUNK_BYTES: Final = 256 * 1024
MAX_BREAKS: Final = 5


class ObjectUnreadableError(Exception):
    """The object version cannot be read, now or on a retry. The message says why, as the file's reason."""


class ObjectGoneError(ObjectUnreadableError):
    """The object version does not exist any more."""

    def __init__(self) -> None:
        super().__init__("object version was deleted before it was read")


class ObjectArchivedError(ObjectUnreadableError):
    """The object version is archived: it can be read when it has been restored."""

    def __init__(self) -> None:
        super().__init__("object version is archived: restore it, then reprocess it")


class Objects:
    """The objects of the landing bucket.

    Parameters
    ----------
    client
        The S3 client to read with.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def stream(self, version: ObjectVersion) -> Iterator[bytes]:
        """Read exactly this version, chunk by chunk. A connection that breaks is taken up where it broke.

        Raises
        ------
        ObjectUnreadableError
            If the version was deleted, or is archived.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If S3 cannot be read, or breaks `MAX_BREAKS` times in a row without giving a byte.
        """
        position, breaks, size = 0, 0, None
        while size is None or position < size:
            before = position
            try:
                body, size = self._open(version, position)
                while chunk := body.read(CHUNK_BYTES):
                    position += len(chunk)
                    yield chunk
            except _BROKEN as error:
                breaks = breaks + 1 if position == before else 1
                if breaks > MAX_BREAKS:
                    raise
                logger.warning(
                    "connection broke", extra={"key": version.key, "position": position, "error": str(error)}
                )

    def _open(self, version: ObjectVersion, position: int) -> tuple[StreamingBody, int]:
        """Ask for the rest of the version; returns it and the version's whole size."""
        try:
            if position:
                answer = self._client.get_object(
                    Bucket=version.bucket,
                    Key=version.key,
                    VersionId=version.version_id,
                    Range=f"bytes={position}-",
                )
            else:  # not "bytes=0-", which S3 refuses for an empty object
                answer = self._client.get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
        except ClientError as error:
            if _code(error) in _GONE_CODES:
                raise ObjectGoneError from error
            if _code(error) == _ARCHIVED_CODE:
                raise ObjectArchivedError from error
            raise
        return answer["Body"], position + answer["ContentLength"]

    def facts(self, version: ObjectVersion) -> ObjectFacts:
        """Ask S3 what it knows of exactly this version, in one call; of the latest, if the event named none.

        Raises
        ------
        ObjectGoneError
            If the version was deleted.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If S3 cannot be asked: denied, throttled, broken, out of reach.
        """
        try:
            if version.version_id:
                head = self._client.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
            else:
                head = self._client.head_object(Bucket=version.bucket, Key=version.key)
        except ClientError as error:
            if _code(error) in _GONE_CODES:
                raise ObjectGoneError from error
            raise
        expires: object = head.get("ExpiresString")  # as it was sent: S3 takes any text
        return ObjectFacts(
            version_id=head.get("VersionId"),
            etag=head.get("ETag", "").strip('"') or None,
            size=head.get("ContentLength"),
            content_type=head.get("ContentType"),
            last_modified=head.get("LastModified"),
            encryption=head.get("ServerSideEncryption"),
            kms_key_id=head.get("SSEKMSKeyId"),
            cache_control=head.get("CacheControl"),
            content_encoding=head.get("ContentEncoding"),
            expires=expires if isinstance(expires, str) else None,
            # DynamoDB takes no map key that is empty.
            user_metadata={name: value for name, value in head.get("Metadata", {}).items() if name},
        )

    def current(self, version: ObjectVersion) -> ObjectVersion | None:
        """Ask S3 which version of the object is the latest now; None if the object was deleted.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If S3 cannot be asked.
        """
        latest = replace(version, version_id="", etag="", size=None, sequencer="", event_name="", event_time="")
        try:
            facts = self.facts(latest)
        except ObjectGoneError:
            return None
        return replace(latest, version_id=facts.version_id or NO_VERSION, etag=facts.etag or "", size=facts.size)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")

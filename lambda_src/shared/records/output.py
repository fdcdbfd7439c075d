"""The results of a record file: gzipped NDJSON, uploaded as it grows, there only when it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import StorageClassType
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 6 * 1024 * 1024
"""Size of a part. S3 takes parts of 5 MiB or more and 10,000 of them (S3 User Guide, Multipart upload limits)."""

CONTENT_TYPE: Final = "application/gzip"
_COMPLETED_BEFORE: Final = "NoSuchUpload"
_LEVEL: Final = 1
_GZIP_WINDOW_BITS: Final = 31


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """The clients that results are published with.

    Parameters
    ----------
    client
        For all calls but one.
    completion
        Gives the client that completes multipart uploads, which waits for minutes, when it is needed.
    """

    client: S3Client
    completion: Callable[[], S3Client]

    def complete(self, bucket: str, key: str, upload_id: str, parts: Sequence[CompletedPartTypeDef]) -> None:
        """Complete a multipart upload, though an answer gets lost.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If S3 does not complete it.
        """
        try:
            self.completion().complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": list(parts)}
            )
        except ClientError as error:
            # Repeated because its answer was lost, it finds no upload any more: the one before was done.
            repeated = error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
            if not repeated or error.response.get("Error", {}).get("Code") != _COMPLETED_BEFORE:
                raise


class OutputFile:
    """An object that grows line by line.

    A retry writes the same key again, so a file that is processed twice is published once.

    Parameters
    ----------
    publisher, bucket, key
        Where it is published.
    storage_class
        The storage class that it is stored in.
    """

    def __init__(self, publisher: Publisher, bucket: str, key: str, storage_class: StorageClassType) -> None:
        self._publisher = publisher
        self._client = publisher.client
        self._bucket = bucket
        self._storage_class = storage_class
        self._gzip = _start_gzip()
        self._waiting = bytearray()
        self._upload_id = ""
        self._parts: list[CompletedPartTypeDef] = []
        self.key = key
        self.lines = 0

    def write(self, lines: bytes, count: int) -> None:
        """Add lines, each with its line feed; uploads a part when there is enough for one."""
        self.lines += count
        self._waiting += self._gzip.compress(lines)
        if len(self._waiting) >= PART_BYTES:
            self._upload_part()

    def publish(self) -> None:
        """Make the object appear, as a whole."""
        self._waiting += self._gzip.flush()
        if not self._upload_id:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self.key,
                Body=bytes(self._waiting),
                ContentType=CONTENT_TYPE,
                StorageClass=self._storage_class,
            )
            return
        self._upload_part()
        self._publisher.complete(self._bucket, self.key, self._upload_id, self._parts)

    def abandon(self) -> None:
        """Give up what has been uploaded; nothing appears."""
        if self._upload_id:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self.key, UploadId=self._upload_id)

    def _upload_part(self) -> None:
        if not self._upload_id:
            created = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self.key, ContentType=CONTENT_TYPE, StorageClass=self._storage_class
            )
            self._upload_id = created["UploadId"]
        number = len(self._parts) + 1
        part = self._client.upload_part(
            Bucket=self._bucket,
            Key=self.key,
            UploadId=self._upload_id,
            PartNumber=number,
            Body=bytes(self._waiting),
        )
        self._parts.append({"PartNumber": number, "ETag": part["ETag"]})
        self._waiting = bytearray()


def compress(parts: Iterable[bytes]) -> bytes:
    """Return lines as the object that they are published as, where they come from memory."""
    gzip = _start_gzip()
    return b"".join([*map(gzip.compress, parts), gzip.flush()])


def _start_gzip() -> isal_zlib.Compress:
    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW_BITS)

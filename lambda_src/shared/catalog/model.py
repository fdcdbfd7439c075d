"""The vocabulary of the catalog: an object version, what S3 knows of it, how its processing ended, and its item."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from msgspec import Struct

MAX_KEY_BYTES = 1024
"""The longest key (Amazon S3 User Guide, Naming Amazon S3 objects)."""

API_VERSION = "api"
"""Sort key of the items of records that came through the API, which have no versions."""

UPLOADER = "uploaded-by"
"""The user metadata of an object that says who uploaded it, as the API's form has it."""

_ID_DIGITS = 16
_SEQUENCER_WIDTH = 64

FIRST_ORDER = "0" * _SEQUENCER_WIDTH
"""Before every sequencer: the order of an event that has none."""


class Status(StrEnum):
    """The states of a file."""

    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"
    VALIDATED = "VALIDATED"
    """Not a file: records that were only checked, through the API."""

    @property
    def is_final(self) -> bool:
        """Whether the state is never left, unless an operator reopens the file. FAILED is: its message is retried."""
        return self not in {Status.PROCESSING, Status.FAILED}

    @property
    def ends_attempt(self) -> bool:
        """Whether an attempt is over: by a final status, or FAILED, after which the file may be tried again."""
        return self.is_final or self is Status.FAILED


class Claim(Enum):
    """The result of a write that needs the file to be free."""

    TAKEN = auto()
    """Written: the file was new, had failed, or its worker's claim had lapsed."""
    FINISHED = auto()
    """Not written: the file has its final status already."""
    HELD = auto()
    """Not written: another worker is processing it."""


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """One version of one object, as its event names it.

    Parameters
    ----------
    bucket, key
        The object; the key as it is, not URL-encoded.
    version_id
        The version; empty where the event has none.
    etag
        The ETag without quotes; empty where the event has none.
    size
        Bytes; None where the event does not say.
    sequencer
        S3's order of the key's events, in hex; empty where the event has none.
    event_name, event_time
        What happened, and when, as the event says it.
    reprocessed
        Whether the event is no upload's: an operator wants the version processed again.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int | None
    sequencer: str
    event_name: str
    event_time: str
    reprocessed: bool = False

    @property
    def object_id(self) -> str:
        """``bucket/key#`` and 16 hex digits over bucket, key and ETag: same input, same id; other ETag, other id."""
        # A NUL can be in no bucket name and in no ETag, so two different inputs never join to the same text.
        digest = hashlib.sha256(f"{self.bucket}\0{self.key}\0{self.etag}".encode()).hexdigest()
        return f"{self.bucket}/{self.key}#{digest[:_ID_DIGITS]}"

    @property
    def order(self) -> str:
        """The sequencer, comparable as text: S3 says to pad the shorter of two with zeros on the right."""
        return self.sequencer.upper().ljust(_SEQUENCER_WIDTH, "0")


@dataclass(frozen=True, kw_only=True)
class ObjectFacts:
    """What S3 knows of an object version. None: it does not say."""

    version_id: str | None = None
    etag: str | None = None
    size: int | None = None
    content_type: str | None = None
    last_modified: datetime | None = None
    encryption: str | None = None
    kms_key_id: str | None = None
    cache_control: str | None = None
    content_encoding: str | None = None
    expires: str | None = None
    user_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the processing of a file ended.

    Parameters
    ----------
    status
        The state that the file is in now.
    reason
        Why, for every state but COMPLETED.
    results
        What the content work gave: attributes of the catalog item.
    """

    status: Status
    reason: str | None = None
    results: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One worker at one file.

    Parameters
    ----------
    request_id
        The invocation, which owns what it claims.
    function_name
        The function.
    attempt
        How often the message has been received.
    started_at
        When it began with this file.
    deadline
        When the invocation ends at the latest: it works on nothing after it.
    """

    request_id: str
    function_name: str
    attempt: int
    started_at: datetime
    deadline: datetime


@dataclass(frozen=True, kw_only=True)
class ApiResult:
    """The result of a request that sent records.

    Parameters
    ----------
    object_id
        The id of its item: the same request has the same.
    content_sha256
        Hex digest of the records as they came.
    bucket, key, size
        The object that they were stored in, and its bytes; None where they were only checked.
    received_at
        When the request came, the first time.
    uploaded_by
        Who sent them.
    function_name, request_id, duration_ms
        Who did the work, for which request, and for how long.
    deadline
        When the invocation ends at the latest: it works on nothing after it.
    outcome
        How it ended.
    """

    object_id: str
    content_sha256: str
    bucket: str
    key: str | None
    size: int | None
    received_at: datetime
    uploaded_by: str
    function_name: str
    request_id: str
    duration_ms: int
    deadline: datetime
    outcome: Outcome


class StoredRequest(NamedTuple):
    """What the item of a request says that came before.

    Parameters
    ----------
    content
        The digest of its records.
    status
        Its state.
    received_at
        When it came, the first time.
    processed_key
        The object that holds its valid records, if there are any.
    """

    content: str
    status: Status
    received_at: datetime
    processed_key: str | None


class CatalogItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item of the catalog: an object version, or a request that sent records. None: the item does not say."""

    object_id: str
    version_id: str
    status: Status
    processed_at: str
    """Time of the last change: ISO 8601 in UTC, as all times here that are text."""
    bucket: str
    key: str | None = None
    size: int | None = None
    etag: str | None = None
    sequencer: str | None = None
    event_name: str | None = None
    event_time: str | None = None
    content_type: str | None = None
    last_modified: str | None = None
    encryption: str | None = None
    kms_key_id: str | None = None
    cache_control: str | None = None
    content_encoding: str | None = None
    expires: str | None = None
    user_metadata: dict[str, str] = {}
    stage: str | None = None
    region: str | None = None
    processed_by: str | None = None
    request_id: str | None = None
    owner: str | None = None
    claim_expires_at: int | None = None
    """Seconds since 1970."""
    attempt: int | None = None
    duration_ms: int | None = None
    reason: str | None = None
    records_valid: int | None = None
    records_rejected: int | None = None
    processed_key: str | None = None
    rejected_key: str | None = None
    content_sha256: str | None = None
    uploaded_by: str | None = None
    reopened_by: str | None = None
    ended_by: str | None = None
    is_check: bool | None = None
    """Whether ``operate check`` uploaded it."""
    bucket_shard: str | None = None
    status_shard: str | None = None
    ttl: int | None = None
    """Seconds since 1970."""

    @property
    def version(self) -> ObjectVersion:
        """The object version, as far as the item knows it."""
        return ObjectVersion(
            bucket=self.bucket,
            key=self.key or "",
            version_id=self.version_id,
            etag=self.etag or "",
            size=self.size,
            sequencer=self.sequencer or "",
            event_name=self.event_name or "",
            event_time=self.event_time or "",
        )

    @property
    def is_reopened(self) -> bool:
        """Whether it waits for the event that somebody reopened it for, rather than failed."""
        return self.status is Status.FAILED and self.reopened_by is not None


def iso(moment: datetime) -> str:
    """Return `moment` in UTC as ISO 8601 with milliseconds, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

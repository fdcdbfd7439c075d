"""The vocabulary of the catalog: an object version, what S3 knows of it, and how its processing ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_KEY_BYTES = 1024
"""The longest key (Amazon S3 User Guide, Naming Amazon S3 objects)."""

API_VERSION = "api"
"""Sort key of the items of records that came through the API, which have no versions."""

_ID_DIGITS = 16
_SEQUENCER_WIDTH = 64

FIRST_ORDER = "0" * _SEQUENCER_WIDTH
"""Before every sequencer: the order of an event that has none."""


class Status(StrEnum):
    """The states of a file. FAILED may still become another: its message is retried."""

    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"
    VALIDATED = "VALIDATED"
    """Not a file: records that were only checked, through the API."""


FINAL = frozenset({Status.COMPLETED, Status.REJECTED, Status.SKIPPED, Status.VALIDATED})
"""States that are never left."""


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
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int | None
    sequencer: str
    event_name: str
    event_time: str

    @property
    def object_id(self) -> str:
        """``bucket/key#`` and 16 hex digits over bucket, key and ETag: same input, same id; other ETag, other id."""
        # A NUL can stand in no bucket name and in no ETag, so two different inputs never join to the same text.
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
class ApiResult:
    """What became of records that came through the API.

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
        When the invocation ends at the latest: nothing of it is being worked on after it.
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

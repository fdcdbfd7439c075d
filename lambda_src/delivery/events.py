"""What the catalog's stream sends, and which of its records are deliveries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from shared.catalog.model import API_VERSION, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

DELIVERED: Final = frozenset({Status.COMPLETED, Status.REJECTED, Status.FAILED})
"""States that the next system is told of. What is SKIPPED was never taken in."""

_TEXTS: Final = ("content_type", "etag", "sequencer", "reason", "processed_key", "rejected_key")
_TIMES: Final = ("event_time", "last_modified", "processed_at")
_NUMBERS: Final = ("size", "records_valid", "records_rejected", "attempt", "duration_ms")
_ID_DIGITS: Final = 32

_REOPENED: Final = "reopened_by"

_Image: TypeAlias = "Mapping[str, object]"


class MalformedRecordError(ValueError):
    """The record tells of a finished file, and not of which. The message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One change of one file's status, as the next system is told.

    Parameters
    ----------
    id
        The same for the same change, however often it is sent.
    object_id, status
        The file and its state: for logs.
    body
        JSON, the same bytes for the same change.
    changed_at
        When the status changed; None for a delivery whose age is no matter.
    """

    id: str
    object_id: str
    status: str
    body: str
    changed_at: datetime | None = None


def parse_change(record: Mapping[str, object]) -> Delivery | None:
    """Read a record of the stream.

    Returns
    -------
    Delivery or None
        The delivery; None if no file came to a final status: another item, another attribute, another status.

    Raises
    ------
    MalformedRecordError
        If the record is none, or tells of a finished file and lacks what names it.
    """
    change = record.get("dynamodb")
    if not isinstance(change, dict):
        raise MalformedRecordError("has no dynamodb")
    new, old = _image(change, "NewImage"), _image(change, "OldImage")
    status = _value(new, "status", "S")
    # The event source's filter passes little else. It cannot compare the two images, so this decides.
    # An operator who puts a file through again makes it FAILED first, which is no news of the file.
    if status not in DELIVERED or status == _value(old, "status", "S") or _REOPENED in new:
        return None
    names: dict[str, str | None] = {name: _required(new, name) for name in ("object_id", "version_id", "bucket")}
    # Records that came through the API, of which none is valid, are stored nowhere.
    names["key"] = _value(new, "key", "S") if names["version_id"] == API_VERSION else _required(new, "key")
    run = _required(new, "request_id"), _value(new, "attempt", "N") or "", _value(new, "processed_at", "S") or ""
    object_id = str(names["object_id"])
    parts = (object_id, str(names["version_id"]), status, *run)
    # A NUL can stand in none of the parts, so two different changes never join to the same text.
    delivery_id = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_ID_DIGITS]
    body: dict[str, str | int | None] = {
        "delivery_id": delivery_id,
        "status": status,
        **names,
        **{name: _value(new, name, "S") for name in (*_TEXTS, *_TIMES)},
        **{name: _number(new, name) for name in _NUMBERS},
    }
    created = change.get("ApproximateCreationDateTime")
    return Delivery(
        id=delivery_id,
        object_id=object_id,
        status=status,
        body=json.dumps(body, sort_keys=True),
        changed_at=_moment(created),
    )


def sequence_number(record: Mapping[str, object]) -> str:
    """Return what the record goes by in its shard; empty if it has none, which Lambda takes for the whole batch."""
    change = record.get("dynamodb")
    number = change.get("SequenceNumber") if isinstance(change, dict) else None
    return number if isinstance(number, str) else ""


def _image(change: Mapping[str, object], name: str) -> _Image:
    image = change.get(name) or {}
    if not isinstance(image, dict):
        raise MalformedRecordError(f"has no {name}")
    return image


def _value(image: _Image, name: str, kind: str) -> str | None:
    cell = image.get(name)
    value = cell.get(kind) if isinstance(cell, dict) else None
    return value if isinstance(value, str) else None


def _required(image: _Image, name: str) -> str:
    value = _value(image, name, "S")
    if not value:
        raise MalformedRecordError(f"the item has no {name}")
    return value


def _number(image: _Image, name: str) -> int | None:
    value = _value(image, name, "N")
    try:
        return None if value is None else int(value)
    except ValueError as error:
        raise MalformedRecordError(f"the item's {name} is no whole number") from error


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None

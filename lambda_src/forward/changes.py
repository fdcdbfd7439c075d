"""The records of the catalog's stream, and what the next system is sent of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct, field

from shared.catalog.model import API_VERSION, Status

DELIVERED: Final = frozenset({Status.COMPLETED, Status.REJECTED, Status.FAILED})
"""Statuses that are sent. What is SKIPPED was never accepted."""

MAX_BODY_BYTES: Final = 262_144
"""What a queue takes of one message, and of one batch, unless it is set to take more (CreateQueue, API reference)."""

_TEXTS: Final = (
    *("content_type", "etag", "sequencer", "reason", "processed_key", "rejected_key"),
    *("event_time", "last_modified", "processed_at"),
)
_NUMBERS: Final = ("size", "records_valid", "records_rejected", "attempt", "duration_ms")
_ID_DIGITS: Final = 32
_REOPENED: Final = "reopened_by"
_IS_CHECK: Final = "is_check"


class _Value(Struct, frozen=True):
    """An attribute's value in DynamoDB's JSON. Of other types, nothing is known."""

    text: str | None = field(default=None, name="S")
    number: str | None = field(default=None, name="N")
    flag: bool | None = field(default=None, name="BOOL")


_Item: TypeAlias = Mapping[str, _Value]


class _Change(Struct, frozen=True):
    new: _Item = field(default_factory=dict, name="NewImage")
    old: _Item = field(default_factory=dict, name="OldImage")


class _Record(Struct, frozen=True):
    change: _Change = field(name="dynamodb")


class MalformedRecordError(ValueError):
    """No message can be made of the record, now or ever. The message says why."""


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """One change of one file's status, as it waits in the delivery queue.

    Parameters
    ----------
    id
        The same for the same change, however often it is read and sent.
    group
        The same for all changes of a file, in hex: 64 of the 128 characters that SQS takes.
    body
        What is posted: JSON in ASCII, the same bytes for the same change.
    """

    id: str
    group: str
    body: str


def parse_change(record: Mapping[str, object]) -> StatusChange | None:
    """Read a record of the stream.

    Returns
    -------
    StatusChange or None
        The message; None if no file came to a status that is delivered.

    Raises
    ------
    MalformedRecordError
        If the record is of another shape, lacks what names the file, or makes a message that is too large.
    """
    try:
        change = msgspec.convert(record, _Record).change
    except msgspec.ValidationError as error:
        raise MalformedRecordError(f"the record has another shape: {error}") from error
    new = change.new
    status = _text(new, "status")
    # The event source's filter passes little else. It cannot compare the two images, so this decides.
    # An operator who puts a file through again makes it FAILED first, which is no news of the file; if it fails then,
    # that is.
    same = status == _text(change.old, "status") and _REOPENED not in change.old
    if status not in DELIVERED or same or _REOPENED in new:
        return None
    names: dict[str, str | None] = {name: _required(new, name) for name in ("object_id", "version_id", "bucket")}
    # Records that came through the API, of which none is valid, are stored nowhere.
    names["key"] = _text(new, "key") if names["version_id"] == API_VERSION else _required(new, "key")
    delivery_id = _delivery_id(new, status)
    body = json.dumps(
        {
            "delivery_id": delivery_id,
            "status": status,
            **names,
            **{name: _text(new, name) for name in _TEXTS},
            **{name: _number(new, name) for name in _NUMBERS},
        },
        sort_keys=True,
    )
    if len(body) > MAX_BODY_BYTES:
        raise MalformedRecordError(f"the message would have {len(body)} bytes, and a queue takes {MAX_BODY_BYTES}")
    return StatusChange(id=delivery_id, group=_group(new), body=body)


def is_check(record: Mapping[str, object]) -> bool:
    """Return whether a record is of a file that ``operate check`` uploaded; one of another shape is not."""
    try:
        image = msgspec.convert(record, _Record).change.new
    except msgspec.ValidationError:
        return False
    return _IS_CHECK in image and image[_IS_CHECK].flag is True


def sequence_number(record: Mapping[str, object]) -> str:
    """Return the record's place in its shard; empty if it has none, which Lambda takes for the whole batch."""
    change = record.get("dynamodb")
    number = change.get("SequenceNumber") if isinstance(change, dict) else None
    return number if isinstance(number, str) else ""


def _delivery_id(item: _Item, status: str) -> str:
    run = _required(item, "request_id"), _number(item, "attempt"), _text(item, "processed_at")
    parts = (_required(item, "object_id"), _required(item, "version_id"), status, *run)
    # A NUL can stand in none of the parts, so two different changes never join to the same text.
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:_ID_DIGITS]


def _group(item: _Item) -> str:
    key = _text(item, "key")
    name = _required(item, "object_id") if key is None else f"{_required(item, 'bucket')}/{key}"
    return hashlib.sha256(name.encode()).hexdigest()


def _text(item: _Item, name: str) -> str | None:
    value = item.get(name)
    return value.text if value else None


def _required(item: _Item, name: str) -> str:
    value = _text(item, name)
    if not value:
        raise MalformedRecordError(f"the item has no {name}")
    return value


def _number(item: _Item, name: str) -> int | None:
    value = item.get(name)
    try:
        return None if value is None or value.number is None else int(value.number)
    except ValueError as error:
        raise MalformedRecordError(f"the item's {name} is no whole number") from error

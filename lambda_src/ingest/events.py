"""What S3 sends to the intake queue, and what counts as an upload in it."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import unquote_plus

from shared.catalog.model import MAX_KEY_BYTES, ObjectVersion
from shared.created_event import REPROCESS

_CREATED: Final = "ObjectCreated:"
_MAX_SIZE: Final = 2**53  # far beyond S3's largest object, and exact in every JSON reader
# Version ids and ETags are opaque, but printable and short; a sort key of DynamoDB holds 1,024 bytes.
_VERSION_ID: Final = re.compile(r"[!-~]{1,1024}")
_ETAG: Final = re.compile(r"[!-~]{0,256}")
_SEQUENCER: Final = re.compile(r"[0-9A-Fa-f]{0,64}")
_TIME: Final = re.compile(r"[0-9TZ:.+-]{0,40}")


class MalformedEventError(ValueError):
    """The message is no upload, now or ever. The message of the error says why."""


def parse_uploads(body: str, bucket: str) -> tuple[list[ObjectVersion], list[str]]:
    """Read the uploads that one message of the intake queue tells of.

    Parameters
    ----------
    body
        The message's text: an S3 event notification.
    bucket
        The bucket whose uploads are ours.

    Returns
    -------
    tuple
        The uploads, and what is wrong with each record that is none. Both are empty for ``s3:TestEvent``, which
        S3 sends when a notification is set up.

    Raises
    ------
    MalformedEventError
        If the message as a whole is no S3 event.
    """
    try:
        event: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError("the message is not JSON") from error
    if not isinstance(event, dict):
        raise MalformedEventError("the message is not a JSON object")
    if event.get("Event") == "s3:TestEvent" and "Records" not in event:
        return [], []
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise MalformedEventError("the message has no Records")
    uploads: list[ObjectVersion] = []
    problems: list[str] = []
    for number, record in enumerate(records):
        try:
            uploads.append(_parse_record(record, bucket))
        except MalformedEventError as error:
            problems.append(f"record {number}: {error}")
    return uploads, problems


def _parse_record(record: object, own_bucket: str) -> ObjectVersion:
    if not isinstance(record, dict):
        raise MalformedEventError("is not a JSON object")
    source, event_name = record.get("eventSource"), record.get("eventName")
    if source != "aws:s3":
        raise MalformedEventError(f"eventSource is {source!r:.100}, not 'aws:s3'")
    if not isinstance(event_name, str) or not event_name.removeprefix("s3:").startswith(_CREATED):
        raise MalformedEventError(f"eventName is {event_name!r:.100}, not ObjectCreated")
    entity = _part(record, "s3")
    bucket = _part(entity, "bucket").get("name")
    if not isinstance(bucket, str) or not bucket:
        raise MalformedEventError("has no bucket name")
    if bucket != own_bucket:
        raise MalformedEventError(f"bucket is {bucket!r}, not {own_bucket!r}")
    stored = _part(entity, "object")
    return ObjectVersion(
        bucket=bucket,
        key=_decode_key(stored.get("key")),
        version_id=_text(stored, "versionId", _VERSION_ID),
        etag=_text(stored, "eTag", _ETAG).strip('"'),
        size=_size(stored.get("size")),
        sequencer=_text(stored, "sequencer", _SEQUENCER),
        event_name=event_name,
        event_time=_text(record, "eventTime", _TIME),
        reprocessed=entity.get("configurationId") == REPROCESS,
    )


def _part(parent: dict[str, object], name: str) -> dict[str, object]:
    part = parent.get(name)
    if not isinstance(part, dict):
        raise MalformedEventError(f"has no {name}")
    return part


def _text(parent: dict[str, object], name: str, form: re.Pattern[str]) -> str:
    """Return a text that may be missing; one of another form would be refused by AWS, now and on every retry."""
    value = parent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not form.fullmatch(value):
        raise MalformedEventError(f"{name} is {value!r:.100}")
    return value


def _size(value: object) -> int | None:
    if value is None or (type(value) is int and 0 <= value <= _MAX_SIZE):
        return value
    raise MalformedEventError(f"size is {value!r:.100}")


def _decode_key(encoded: object) -> str:
    if not isinstance(encoded, str) or not encoded:
        raise MalformedEventError("has no object key")
    try:
        # As in a form: a space is a plus, a plus is %2B. Strict, or a damaged key would name another object.
        key = unquote_plus(encoded, errors="strict")
        length = len(key.encode())
    except UnicodeError as error:
        raise MalformedEventError(f"object key {encoded!r} is not URL-encoded UTF-8") from error
    if length > MAX_KEY_BYTES:
        raise MalformedEventError(f"object key has {length} bytes, more than S3's {MAX_KEY_BYTES}")
    return key

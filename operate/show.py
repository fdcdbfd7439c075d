"""``show``: everything that is known of one file, or of records that came through the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct, field, to_builtins

from ingest.events import MalformedEventError, parse_uploads
from operate.command import ATTENTION, OK, UsageError
from operate.dead_letters import DeadLetterMessage, DeadLetters, depth
from operate.logs import logs_command
from operate.selection import is_deleted, key_of, of_prefix
from operate.session import CurrentSession, Session
from operate.show_request import IDS, show_request
from shared.catalog.model import CatalogItem, ObjectVersion

PEEKED_MESSAGES: Final = 200
"""Dead-letter messages that are read: reading hides them from others for a moment."""

_NOT_SEEN: Final = "not in the catalog"


def show(key: str, /, *, search: bool = False, session: CurrentSession) -> int:
    """Show everything that is known of one file or request.

    Parameters
    ----------
    key
        The object's key, without or with uploads/ in front, its s3:// URI, or the id of a request to the API.
    search
        Also find old versions that S3 no longer has: slow, since it reads the index of the whole bucket.
    session
        The stack.

    Returns
    -------
    int
        0 if the latest version has its final status; 1 if it is FAILED, PROCESSING or unknown, or has dead-letter
        messages.
    """
    if key.startswith(IDS):
        return show_request(session, key)
    found = _find(session, key, search=search)
    session.console.result(found.as_json(session))
    _print(session, found)
    return OK if found.is_settled else ATTENTION


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What is known of a key.

    Parameters
    ----------
    key
        The key.
    files
        The versions that the catalog knows, the latest first.
    unseen
        The versions in S3 that it does not know.
    latest
        The version that the catalog takes for the latest.
    in_s3
        Ids of the versions that S3 has.
    deleted
        Whether a delete marker hides them.
    dead
        Id and reason of each dead-letter message of the key.
    dead_not_seen
        How many dead-letter messages were not read.
    """

    key: str
    files: Sequence[CatalogItem]
    unseen: Sequence[ObjectVersion]
    latest: CatalogItem | None
    in_s3: frozenset[str]
    deleted: bool
    dead: Sequence[dict[str, str]]
    dead_not_seen: int

    @property
    def is_settled(self) -> bool:
        """Whether nobody has to do anything more."""
        ended = self.latest is not None and self.latest.status.is_final
        return ended and not self.dead and not self.dead_not_seen and not self.unseen

    def is_latest(self, file: CatalogItem) -> bool:
        """Whether a version is the latest."""
        return self.latest is not None and file.version.version_id == self.latest.version.version_id

    def as_json(self, session: Session) -> dict[str, object]:
        """Return all of it for JSON."""
        return {
            "key": self.key,
            "deleted": self.deleted,
            "versions": [
                {
                    **to_builtins(file),
                    "is_latest": self.is_latest(file),
                    "in_s3": file.version.version_id in self.in_s3,
                    "logs": _logs(session, file),
                }
                for file in self.files
            ],
            "not_in_catalog": [version.version_id for version in self.unseen],
            "dead_letters": self.dead,
            "dead_letters_not_seen": self.dead_not_seen,
        }


def _find(session: Session, text: str, *, search: bool) -> _Found:
    key, reader, bucket = key_of(session, text), session.reader(), session.outputs.bucket
    if not key.startswith(session.uploads_prefix):
        uploads = session.uploads_prefix
        raise UsageError(
            f"{key!r} is not an upload: give a key under {uploads}, such as {uploads}shipments/a.csv, "
            "or the id of a request, such as api/process/0f3a…"
        )
    latest = reader.latest(bucket, key)
    listed = list(of_prefix(session, reader, key, exact=True))
    known = [*(selected.file for selected in listed), latest, *(reader.search(bucket, key) if search else ())]
    versions = {file.version.version_id: file for file in known if file}
    dead, dead_not_seen = _dead(session, key)
    return _Found(
        key=key,
        files=sorted(versions.values(), key=lambda file: file.version.order, reverse=True),
        unseen=[selected.version for selected in listed if not selected.file],
        latest=latest,
        in_s3=frozenset(selected.version.version_id for selected in listed),
        deleted=is_deleted(session, key),
        dead=dead,
        dead_not_seen=dead_not_seen,
    )


def _print(session: Session, found: _Found) -> None:
    console, key = session.console, found.key
    for file in found.files:
        notes = [
            *(["latest"] if found.is_latest(file) else []),
            *(["gone from S3"] if file.version.version_id not in found.in_s3 else []),
        ]
        console.table(", ".join((key, *notes)), ("", ""), _rows(file))
    for file in found.files:
        for name, result in (("processed", file.processed_key), ("rejected", file.rejected_key)):
            if result:
                console.say(f"{name}: s3://{file.bucket}/{result}")
        console.say(f"logs of {file.version.version_id}: {_logs(session, file)}")
    for version in found.unseen:
        rows = [("version", version.version_id), ("status", _NOT_SEEN), ("uploaded", version.event_time)]
        console.table(key, ("", ""), rows)
    if found.deleted:
        console.say(f"{key} is deleted: a delete marker hides its versions until they expire or the marker is removed.")
    for message in found.dead:
        console.say(f"dead-letter message {message['id']}: {message['reason']}")
    if found.dead_not_seen:
        console.say(f"About {found.dead_not_seen} dead-letter messages were not read: they are in flight, or too many.")
    if not found.files and not found.unseen:
        console.say(f"{key} is neither in S3 nor in the catalog. --search looks for its old versions.")


def _rows(file: CatalogItem) -> list[tuple[str, object]]:
    counted = (("valid", file.records_valid), ("rejected", file.records_rejected))
    counts = [f"{count} {kind}" for kind, count in counted if count is not None]
    rows: list[tuple[str, object]] = [
        ("version", file.version.version_id),
        ("status", file.status),
        ("reason", file.reason),
        ("records", ", ".join(counts)),
        ("bytes", file.version.size),
        ("uploaded", file.event_time),
        ("processed", file.processed_at),
        ("reopened by", file.reopened_by),
        ("attempt", file.attempt),
        ("took, ms", file.duration_ms),
    ]
    return [(name, value) for name, value in rows if value not in {None, ""}]


def _logs(session: Session, file: CatalogItem) -> str:
    """Return the command that prints the log lines of the invocation that had the file last."""
    request = file.request_id or file.owner
    return logs_command(session.region, session.log_group, file, f'$.function_request_id = "{request}"')


def _dead(session: Session, key: str) -> tuple[list[dict[str, str]], int]:
    """Find dead-letter messages of a key among the first ones of each queue, and leave them there.

    Returns
    -------
    list, int
        Those of the key, and how many others were not read.
    """
    outputs = session.outputs
    queues: list[tuple[str, Callable[[DeadLetterMessage], bool]]] = [
        (outputs.dead_letter_queue_url, lambda message: key in _keys(message, outputs.bucket))
    ]
    if url := outputs.delivery_dead_letter_queue_url:
        queues.append((url, lambda message: _delivered_key(message) == key))
    found: list[dict[str, str]] = []
    not_seen = 0
    for url, is_of_key in queues:
        seen, expected = 0, sum(depth(session.sqs, url))
        with DeadLetters(session.sqs, url, complain=session.console.error) as dead:
            for message in dead.take(PEEKED_MESSAGES):
                seen += 1
                if is_of_key(message):
                    found.append({"id": message.id, "reason": message.reason})
        not_seen += max(0, expected - seen)
    return found, not_seen


def _keys(message: DeadLetterMessage, bucket: str) -> set[str]:
    try:
        uploads, _ = parse_uploads(message.body, bucket)
    except MalformedEventError:
        return set()
    return {upload.key for upload in uploads}


class _Text(Struct):
    value: str = field(default="", name="S")


class _Change(Struct):
    item: dict[str, _Text] = field(default_factory=dict, name="NewImage")


class _Undelivered(Struct):
    """What a dead-letter message of the delivery says of its file: a message, or a record of the table's stream."""

    key: str | None = None
    change: _Change = field(default_factory=_Change, name="dynamodb")


def _delivered_key(message: DeadLetterMessage) -> str:
    try:
        undelivered = msgspec.json.decode(message.body, type=_Undelivered)
    except msgspec.MsgspecError:
        return ""
    return undelivered.key or undelivered.change.item.get("key", _Text()).value

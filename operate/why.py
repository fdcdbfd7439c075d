"""``why``: everything that is known of one file, or of records that came through the API."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Final

from msgspec import to_builtins

from ingest.events import MalformedEventError, parse_uploads
from operate import why_request
from operate.command import FAILED, WELL, Command, UsageError
from operate.dead_letters import DeadLetters, Letter, depth
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.selection import is_deleted, key_of, of_prefix
from operate.stack_outputs import StackOutputs
from operate.undelivered import Undelivered
from shared.catalog.model import CatalogItem

PEEKED_LETTERS: Final = 200
"""Dead letters that are looked at: each look hides them from others for a moment."""

_NOT_SEEN: Final = "not in the catalog"


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """Print what is known of a file.

    Returns
    -------
    int
        0 if its latest version has its final status, 1 if it failed, is unfinished, dead or unknown.
    """
    pipeline = Pipeline(outputs)
    if options.key.startswith(why_request.IDS):
        return why_request.run(pipeline, options.key, screen)
    key = key_of(pipeline, options.key)
    if not key.startswith(pipeline.uploads_prefix):
        raise UsageError(f"{key!r}: only what lies under {pipeline.uploads_prefix} is a file; ask the API for the rest")
    reader = pipeline.reader
    latest = reader.latest(outputs.bucket, key)
    listed = list(of_prefix(pipeline, reader, key, exact=True))
    known = [selected.file for selected in listed if selected.file]
    known += [latest] if latest else []
    if options.search:
        known += reader.search(outputs.bucket, key)
    files = sorted(
        {file.version.version_id: file for file in known}.values(), key=lambda file: file.version.order, reverse=True
    )
    unseen = [selected.version for selected in listed if not selected.file]
    letters, not_seen = _letters(pipeline, key, screen)
    newest = latest.version.version_id if latest else ""
    there = {selected.version.version_id for selected in listed}
    deleted = is_deleted(pipeline, key)
    screen.result(
        {
            "key": key,
            "deleted": deleted,
            "versions": [
                {
                    **to_builtins(file),
                    "is_latest": file.version.version_id == newest,
                    "in_s3": file.version.version_id in there,
                    "logs": _logs(pipeline, file),
                }
                for file in files
            ],
            "not_in_catalog": [version.version_id for version in unseen],
            "dead_letters": letters,
            "dead_letters_not_seen": not_seen,
        }
    )
    _show(pipeline, screen, files, newest, there)
    for version in unseen:
        rows = [("version", version.version_id), ("status", _NOT_SEEN), ("uploaded", version.event_time)]
        screen.table(key, ("", ""), rows)
    if deleted:
        screen.say(f"{key} is deleted: a delete marker hides its versions, until they expire or the marker is removed.")
    for letter in letters:
        screen.say(f"dead letter {letter['id']}: {letter['reason']}")
    if not_seen:
        screen.say(f"About {not_seen} dead letters were not looked at: others have them, or they are too many.")
    if not files and not unseen:
        screen.say(f"Nothing is known of {key}: not in S3, not in the catalog. --search looks for its old versions.")
    settled = latest is not None and latest.status.is_final
    return WELL if settled and not letters and not not_seen and not unseen else FAILED


def _show(pipeline: Pipeline, screen: Screen, files: Sequence[CatalogItem], newest: str, there: Container[str]) -> None:
    """Show what the catalog says of each version, the latest marked, and those that S3 has no more."""
    for file in files:
        notes = [
            *(["latest"] if file.version.version_id == newest else []),
            *(["gone from S3"] if file.version.version_id not in there else []),
        ]
        screen.table(", ".join((file.version.key, *notes)), ("", ""), _rows(file))
    for file in files:
        for name, key in (("processed", file.processed_key), ("rejected", file.rejected_key)):
            if key:
                screen.say(f"{name}: s3://{file.bucket}/{key}")
        screen.say(f"logs of {file.version.version_id}: {_logs(pipeline, file)}")


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


def _logs(pipeline: Pipeline, file: CatalogItem) -> str:
    """Return the AWS CLI command that prints the log lines of the invocation that had the file last."""
    begun = datetime.fromisoformat(file.processed_at).timestamp()
    start = int(begun * 1000) - (file.duration_ms or 0) - 60_000
    pattern = f'{{ $.function_request_id = "{file.request_id or file.owner}" }}'
    return (
        f"aws logs filter-log-events --region {pipeline.region} --log-group-name {pipeline.log_group}"
        f" --start-time {start} --filter-pattern {shlex.quote(pattern)} --query 'events[].message' --output text"
    )


def _letters(pipeline: Pipeline, key: str, screen: Screen) -> tuple[list[dict[str, str]], int]:
    """Find dead letters of a key among the first ones of each queue, and leave them where they are.

    Returns
    -------
    list, int
        Those of the key, and how many of other letters were not looked at.
    """
    outputs = pipeline.outputs
    queues: list[tuple[str, Callable[[Letter], bool]]] = [
        (outputs.dead_letter_queue_url, lambda letter: key in _keys(letter, outputs.bucket))
    ]
    if url := outputs.delivery_dead_letter_queue_url:
        queues.append((url, lambda letter: Undelivered.of(letter).file.get("key") == key))
    found: list[dict[str, str]] = []
    not_seen = 0
    for url, is_of_key in queues:
        seen, expected = 0, sum(depth(pipeline.sqs, url))
        with DeadLetters(pipeline.sqs, url, complain=screen.complain) as dead:
            for letter in dead.take(PEEKED_LETTERS):
                seen += 1
                if is_of_key(letter):
                    found.append({"id": letter.id, "reason": Undelivered.of(letter).reason or letter.reason})
        not_seen += max(0, expected - seen)
    return found, not_seen


def _keys(letter: Letter, bucket: str) -> set[str]:
    try:
        uploads, _ = parse_uploads(letter.body, bucket)
    except MalformedEventError:
        return set()
    return {upload.key for upload in uploads}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "key",
        metavar="KEY|ID",
        help="the object's key (uploads/ may be left out, its s3:// URI will do), or an id that the API gave",
    )
    parser.add_argument(
        "--search",
        action="store_true",
        help="find old versions that S3 has no more, too: reads the index of the whole bucket",
    )


COMMAND: Final = Command(
    name="why", summary="print everything that is known of one file or request", configure=_configure, run=run
)

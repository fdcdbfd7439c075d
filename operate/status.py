"""``status``: how many files are in which state, what waits, and what needs attention."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import structs

from operate.command import FAILED, WELL, Command
from operate.dead_letters import depth
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.stack_outputs import StackOutputs
from shared.catalog.model import CatalogItem, Status
from shared.catalog.reader import CatalogReader

_WAITING: Final = (Status.PROCESSING, Status.FAILED)
"""States that an upload leaves by itself. What came through the API does not: its sender goes on, or nobody does."""

_MAX_SHARDS: Final = 200
"""The most that ``indexShards`` may be."""


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """Print the state of a stack.

    Returns
    -------
    int
        0 if all is well, 1 if something needs attention: dead letters, failed files, or a file that nobody finishes.
    """
    pipeline = Pipeline(outputs)
    catalog = structs.replace(pipeline.catalog, index_shards=options.shards or pipeline.catalog.index_shards)
    reader = CatalogReader(pipeline.dynamodb, catalog)
    counts, requests = _count(reader, screen, _WAITING if options.waiting else tuple(Status))
    stuck = sorted(pipeline.reader.lapsed_requests(datetime.now(UTC)), key=lambda request: request.processed_at)
    oldest = {status: reader.oldest_upload(status) for status in _WAITING if counts[status]}
    waiting, in_flight = depth(pipeline.sqs, outputs.queue_url)
    dead = sum(depth(pipeline.sqs, outputs.dead_letter_queue_url))
    delivery_url = outputs.delivery_dead_letter_queue_url
    undelivered = sum(depth(pipeline.sqs, delivery_url)) if delivery_url else 0
    attention = [
        *_attention_of_letters(dead, undelivered),
        *_attention_of_files(counts, oldest, _patience(pipeline)),
        *_attention_of_requests(stuck),
    ]
    screen.result(
        {
            "files": counts,
            "requests": requests,
            "stuckRequests": [{"object_id": request.object_id, "since": request.processed_at} for request in stuck],
            "oldest": {status: _describe(file) for status, file in oldest.items() if file},
            "queue": {"waiting": waiting, "inFlight": in_flight},
            "deadLetters": dead,
            "deliveryDeadLetters": undelivered,
            "attention": attention,
        }
    )
    screen.table(
        "Files",
        ("status", "files", "of the API", "oldest, since", "key"),
        [(status, count, requests[status], *_since(oldest.get(status))) for status, count in counts.items()],
    )
    screen.table(
        "Messages",
        ("", ""),
        [
            ("waiting in the intake queue", waiting),
            ("being worked on", in_flight),
            ("dead letters", dead),
            ("dead letters of the delivery", undelivered),
        ],
    )
    for line in attention:
        screen.say(f"Needs attention: {line}")
    if refused := _refused(counts):
        screen.say(f"{refused}, which their senders can put right: `why KEY` gives the reason.")
    if not attention:
        screen.say("Nothing needs attention." if refused or options.waiting else "All is well.")
    return FAILED if attention else WELL


def _count(
    reader: CatalogReader, screen: Screen, statuses: Sequence[Status]
) -> tuple[dict[Status, int], dict[Status, int]]:
    """Count the files in each state, and what came through the API."""
    counts, requests = dict.fromkeys(statuses, 0), dict.fromkeys(statuses, 0)
    with screen.progress() as bars:
        for status, shard in bars.track(
            [(status, shard) for status in statuses for shard in range(reader.shards)], description="Counting files"
        ):
            of_files, of_requests = reader.count(status, shard)
            counts[status] += of_files
            requests[status] += of_requests
    return counts, requests


def _refused(counts: Mapping[Status, int]) -> str:
    return " and ".join(f"{counts[s]} {s}" for s in (Status.REJECTED, Status.SKIPPED) if counts.get(s))


def _attention_of_letters(dead: int, undelivered: int) -> list[str]:
    found = []
    if dead:
        found.append(f"{dead} in the dead-letter queue: `redrive --dry-run` says why, `redrive` sends them again")
    if undelivered:
        found.append(f"{undelivered} not delivered: `redeliver --dry-run` says why, `redeliver` sends them again")
    return found


def _attention_of_files(
    counts: dict[Status, int], oldest: dict[Status, CatalogItem | None], patience: timedelta
) -> list[str]:
    found = []
    if counts[Status.FAILED]:
        found.append(f"{counts[Status.FAILED]} FAILED: the queue retries them, or `reprocess` does")
    stuck = oldest.get(Status.PROCESSING)
    if stuck and datetime.now(UTC) - datetime.fromisoformat(stuck.processed_at) > patience:
        found.append(f"{stuck.version.key} is PROCESSING for more than {patience}: `reprocess` takes it up again")
    return found


def _attention_of_requests(stuck: Sequence[CatalogItem]) -> list[str]:
    if not stuck:
        return []
    oldest = f"{stuck[0].object_id} since {stuck[0].processed_at}"
    return [f"{len(stuck)} of the API PROCESSING whose worker died, the oldest {oldest}: `end --all` ends them"]


def _patience(pipeline: Pipeline) -> timedelta:
    """How long a file may be PROCESSING: a worker that dies is followed when its message is visible again."""
    answer = pipeline.sqs.get_queue_attributes(
        QueueUrl=pipeline.outputs.queue_url, AttributeNames=["VisibilityTimeout"]
    )
    return 2 * timedelta(seconds=int(answer["Attributes"]["VisibilityTimeout"]))


def _since(file: CatalogItem | None) -> tuple[str | None, str | None]:
    return (file.processed_at, file.version.key) if file else (None, None)


def _describe(file: CatalogItem) -> dict[str, str]:
    return {"key": file.version.key, "versionId": file.version.version_id, "since": file.processed_at}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--waiting",
        action="store_true",
        help="count only what is PROCESSING or FAILED: to count all reads the whole index, as much as all items weigh",
    )
    parser.add_argument(
        "--shards",
        type=_shards,
        metavar="N",
        help="index shards to ask, if once there were more; default: what the function writes to",
    )


def _shards(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_SHARDS:
        raise argparse.ArgumentTypeError(f"{text!r}: should be a number of shards, from 1 to {_MAX_SHARDS}")
    return int(text)


COMMAND: Final = Command(
    name="status", summary="count files by state, and say what waits", configure=_configure, run=run
)

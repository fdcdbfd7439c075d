"""``status``: how many files are in which state, what waits, and what needs attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from cyclopts import Parameter, validators

from operate.command import ATTENTION, OK
from operate.console import Console
from operate.dead_letters import depth
from operate.session import CurrentSession, Session
from shared.catalog.model import CatalogItem, Status
from shared.catalog.reader import CatalogReader

_WAITING: Final = (Status.PROCESSING, Status.FAILED)
"""States that an upload leaves by itself. What came through the API does not: its sender goes on, or nobody does."""

_MAX_SHARDS: Final = 200
"""The most that ``indexShards`` may be."""


def status(
    *,
    waiting: bool = False,
    shards: Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=_MAX_SHARDS))] = None,
    session: CurrentSession,
) -> int:
    """Count files by status, and say what needs attention.

    Parameters
    ----------
    waiting
        Count only PROCESSING and FAILED: faster and cheaper, since counting all statuses reads the whole index.
    shards
        Index shards to read, if indexShards was once higher; default: the present indexShards.
    session
        The stack.

    Returns
    -------
    int
        0 if nothing failed or is stuck, 1 if something needs attention: dead-letter messages, failed files, or
        unfinished ones.
    """
    reader, console, queues = session.reader(shards), session.console, _Queues(session)
    counts, requests = _count(reader, console, _WAITING if waiting else tuple(Status))
    stuck = sorted(reader.lapsed_requests(datetime.now(UTC)), key=lambda request: request.processed_at)
    oldest = {status: reader.oldest_upload(status) for status in _WAITING if counts[status]}
    attention = [
        *queues.attention(),
        *_attention_of_files(counts, oldest, queues.longest_work),
        *_attention_of_requests(stuck),
    ]
    console.result(
        {
            "files": counts,
            "requests": requests,
            "stuckRequests": [{"object_id": request.object_id, "since": request.processed_at} for request in stuck],
            "oldest": {status: _describe(file) for status, file in oldest.items() if file},
            **queues.result(),
            "attention": attention,
        }
    )
    console.table(
        "Files",
        ("status", "files", "API requests", "oldest since", "oldest key"),
        [(status, count, requests[status], *_since(oldest.get(status))) for status, count in counts.items()],
    )
    console.table("Queues", ("", "messages"), queues.rows())
    for line in attention:
        console.say(f"Needs attention: {line}")
    if refused := " and ".join(f"{counts[s]} {s}" for s in (Status.REJECTED, Status.SKIPPED) if counts.get(s)):
        console.say(f"{refused}: for their senders to correct; `show KEY` gives the reason.")
    if not attention:
        console.say("Nothing failed, nothing stuck. Whether each part of the stack is on and connected, `check` says.")
    return ATTENTION if attention else OK


class _Queues:
    """What lies in the stack's queues.

    Parameters
    ----------
    session
        The stack.
    """

    def __init__(self, session: Session) -> None:
        sqs, outputs = session.sqs, session.outputs
        self._waiting, self._in_flight = depth(sqs, outputs.queue_url)
        self._dead = sum(depth(sqs, outputs.dead_letter_queue_url))
        delivery_url = outputs.delivery_dead_letter_queue_url
        self._undelivered = sum(depth(sqs, delivery_url)) if delivery_url else None
        answer = sqs.get_queue_attributes(QueueUrl=outputs.queue_url, AttributeNames=["VisibilityTimeout"])
        # A worker that dies is followed when its message is visible again.
        self.longest_work = 2 * timedelta(seconds=int(answer["Attributes"]["VisibilityTimeout"]))

    def attention(self) -> list[str]:
        """Return what needs attention."""
        found = []
        if self._dead:
            found.append(
                f"{_messages(self._dead)} in the intake dead-letter queue: `redrive --dry-run` gives the reasons, "
                "`redrive` sends again those that are not malformed"
            )
        if self._undelivered:
            found.append(
                f"{_messages(self._undelivered)} in the delivery dead-letter queue: "
                "`redrive --queue delivery --dry-run` gives the reasons, without --dry-run it sends again those that "
                "are not malformed"
            )
        return found

    def result(self) -> dict[str, object]:
        """Return the counts for JSON."""
        return {
            "queue": {"waiting": self._waiting, "inFlight": self._in_flight},
            "deadLetters": self._dead,
            "deliveryDeadLetters": self._undelivered or 0,
        }

    def rows(self) -> list[tuple[str, int]]:
        """Return the counts for a table."""
        return [
            ("intake queue, waiting", self._waiting),
            ("intake queue, in flight", self._in_flight),
            ("intake dead-letter queue", self._dead),
            *([] if self._undelivered is None else [("delivery dead-letter queue", self._undelivered)]),
        ]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _count(
    reader: CatalogReader, console: Console, statuses: Sequence[Status]
) -> tuple[dict[Status, int], dict[Status, int]]:
    """Count the files in each state, and what came through the API."""
    counts, requests = dict.fromkeys(statuses, 0), dict.fromkeys(statuses, 0)
    with console.progress() as bars:
        for status, shard in bars.track(
            [(status, shard) for status in statuses for shard in range(reader.shards)], description="Counting files"
        ):
            of_files, of_requests = reader.count(status, shard)
            counts[status] += of_files
            requests[status] += of_requests
    return counts, requests


def _attention_of_files(
    counts: Mapping[Status, int], oldest: Mapping[Status, CatalogItem | None], longest_work: timedelta
) -> list[str]:
    found = []
    if counts[Status.FAILED]:
        found.append(
            f"{counts[Status.FAILED]} FAILED: the queue retries them; if not, send them again with `reprocess`"
        )
    stuck = oldest.get(Status.PROCESSING)
    if stuck and datetime.now(UTC) - datetime.fromisoformat(stuck.processed_at) > longest_work:
        found.append(f"{stuck.version.key} is PROCESSING for more than {longest_work}: send it again with `reprocess`")
    return found


def _attention_of_requests(stuck: Sequence[CatalogItem]) -> list[str]:
    if not stuck:
        return []
    oldest = f"{stuck[0].object_id} since {stuck[0].processed_at}"
    return [f"{len(stuck)} API requests stuck in PROCESSING, the oldest {oldest}: `end --all` sets them to FAILED"]


def _since(file: CatalogItem | None) -> tuple[str | None, str | None]:
    return (file.processed_at, file.version.key) if file else (None, None)


def _describe(file: CatalogItem) -> dict[str, str]:
    return {"key": file.version.key, "versionId": file.version.version_id, "since": file.processed_at}

"""``reprocess``: puts files through again.

A finished version is never processed twice by itself, so its item is first set to FAILED, with who asked for it in
``reopened_by``, and then an event for it is sent to the intake queue. Dying between the two leaves such an item, which
``status`` shows, and which any selection that reaches it takes, whatever ``--status`` it asks for: its time has not
changed, so ``--day`` reaches it too. Its event is sent then; sent twice, it is processed once, since its file is
claimed. The catalog's condition lets one operator have a file, and no other change is lost.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from operate.command import FAILED, WELL, Command, UsageError, add_rate
from operate.pace import Pace
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.selection import Selected, key_of, of_day, of_prefix
from operate.stack_outputs import StackOutputs
from shared.catalog.model import Status
from shared.catalog.reader import CatalogReader
from shared.created_event import created_event

SENDER: Final = "reprocess"

READY: Final = "to be sent"
SENT: Final = "sent"
GONE: Final = "gone from S3"
AT_WORK: Final = "being worked on"
CHANGED: Final = "changed meanwhile"
NOT_SENT: Final = "failed"
NEVER_SEEN: Final = "never seen"
"""The state of an upload without an item: its event was lost. It is sent too."""

_SHOWN: Final = 50


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """Put files through again.

    Returns
    -------
    int
        0 if all of them were sent, else 1; 1 too if there was none.
    """
    pipeline = Pipeline(outputs)
    chosen = _choose(options, pipeline, screen)
    sender = _Sender(pipeline, screen, () if options.dry_run else chosen)
    pace, done, counts = Pace(options.rate), list[tuple[str, str, str]](), Counter[str]()
    try:
        with screen.progress() as bars:
            for selected in bars.track(chosen, description="Sending files again"):
                outcome = _judge(selected)
                if outcome == READY and not options.dry_run:
                    pace.keep()
                    outcome = sender.send(selected)
                counts[outcome] += 1
                done.append((selected.version.key, _state(selected), outcome))
                if outcome == NOT_SENT:
                    break  # AWS is not well: what follows would fail too
    finally:  # interrupted or not, say how far it came
        not_reached = len(chosen) - len(done)
        _report(screen, done, counts, sender.unsent, not_reached=not_reached, dry_run=options.dry_run)
    return WELL if done and counts.keys() <= {READY, SENT} else FAILED


def _choose(options: argparse.Namespace, pipeline: Pipeline, screen: Screen) -> list[Selected]:
    """Find the files, all of them before the first is sent: sending moves them in the index that is read."""
    reader = pipeline.reader
    chosen: dict[tuple[str, str], Selected] = {}
    with screen.progress() as bars:
        for selected in bars.track(_select(options, pipeline, reader), total=None, description="Finding files"):
            wanted = (options.all_versions or selected.is_latest) and (
                not options.status or _state(selected) in options.status
            )
            if wanted or _is_reopened(selected):
                chosen[_identity(selected)] = selected
    return list(chosen.values())


def _select(options: argparse.Namespace, pipeline: Pipeline, reader: CatalogReader) -> Iterator[Selected]:
    if options.day:
        return of_day(pipeline, reader, options.day)
    target = key_of(pipeline, options.target)
    prefix = target.removesuffix("*")
    if not prefix.startswith(pipeline.uploads_prefix):
        raise UsageError(f"{target!r}: only what lies under {pipeline.uploads_prefix} is processed")
    return of_prefix(pipeline, reader, prefix, exact=not target.endswith(("/", "*")))


def _state(selected: Selected) -> str:
    return selected.file.status if selected.file else NEVER_SEEN


def _is_reopened(selected: Selected) -> bool:
    return selected.file is not None and selected.file.is_reopened


def _judge(selected: Selected) -> str:
    """Say what becomes of a file: to be sent, or why not."""
    if not selected.is_there:
        # Sent, it would become SKIPPED, and what the catalog knows of it would be lost.
        return GONE
    expiry = selected.file.claim_expires_at if selected.file else None
    if selected.file and selected.file.status is Status.PROCESSING and (expiry or 0) >= datetime.now(UTC).timestamp():
        return AT_WORK
    return READY


class _Sender:
    """Reopens files and sends their events, and knows which events are owed.

    Parameters
    ----------
    pipeline, screen
        The stack, and where a failure is said.
    chosen
        The files; some may have been reopened before.
    """

    def __init__(self, pipeline: Pipeline, screen: Screen, chosen: Iterable[Selected]) -> None:
        self._pipeline = pipeline
        self._screen = screen
        self._caller = pipeline.caller()
        self._owed = {
            _identity(selected): selected.version.key
            for selected in chosen
            if _is_reopened(selected) and _judge(selected) == READY
        }

    @property
    def unsent(self) -> list[str]:
        """Keys of the files that were reopened and whose event was not sent."""
        return list(self._owed.values())

    def send(self, selected: Selected) -> str:
        """Put a file through again; returns what became of it."""
        try:
            return self._send(selected)
        except (ClientError, BotoCoreError) as error:
            self._screen.complain(f"reprocess: {selected.version.key}: {error}")
            return NOT_SENT

    def _send(self, selected: Selected) -> str:
        file, identity = selected.file, _identity(selected)
        if file and file.status.is_final:
            # Noted first: interrupted within the call, nobody knows whether it was reopened.
            self._owed[identity] = selected.version.key
            free = self._pipeline.writer.reopen(
                selected.version, status=file.status, processed_at=file.processed_at, by=self._caller
            )
            if not free:
                del self._owed[identity]
                return CHANGED
        event = created_event(selected.version, self._pipeline.region, sender=SENDER)
        self._pipeline.sqs.send_message(QueueUrl=self._pipeline.outputs.queue_url, MessageBody=event)
        self._owed.pop(identity, None)
        return SENT


def _identity(selected: Selected) -> tuple[str, str]:
    return selected.version.object_id, selected.version.version_id


def _report(
    screen: Screen,
    done: Sequence[tuple[str, str, str]],
    counts: Counter[str],
    unsent: Sequence[str],
    *,
    not_reached: int,
    dry_run: bool,
) -> None:
    screen.result(
        {
            "dryRun": dry_run,
            "files": [{"key": key, "was": state, "outcome": outcome} for key, state, outcome in done],
            "counts": counts,
            "reopenedNotSent": unsent,
            "notReached": not_reached,
        }
    )
    screen.table("Files", ("key", "was", "outcome"), done[:_SHOWN])
    if len(done) > _SHOWN:
        screen.say(f"… and {len(done) - _SHOWN} more; --json lists all.")
    for key in unsent:
        screen.say(f"reopened, its event not sent: {key}")
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no file fits"
    screen.say(f"Dry run: {summary}." if dry_run else f"{summary}.")
    if not_reached:
        screen.say(f"{not_reached} not reached, and as they were.")
    if unsent:
        screen.say(f"{len(unsent)} reopened and not sent: the same command sends them.")


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: should be a day such as 2026-11-20") from error


def _configure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "target",
        nargs="?",
        metavar="KEY|PREFIX",
        help="a key, or a prefix that ends in / or *; uploads/ may be left out, an s3:// URI will do",
    )
    which.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="files that were last processed on a day (UTC)")
    parser.add_argument(
        "--status",
        action="append",
        choices=[*(str(status) for status in Status), NEVER_SEEN],
        help="only files in this state; may be given several times",
    )
    parser.add_argument("--all-versions", action="store_true", help="older versions of a key too, not its latest alone")
    parser.add_argument("--dry-run", action="store_true", help="say which files, and change nothing")
    add_rate(parser)


COMMAND: Final = Command(
    name="reprocess",
    summary="put files through the pipeline again",
    configure=_configure,
    run=run,
    interrupted="nothing is lost; run again, it begins anew: --status or a longer prefix leaves out what was sent",
)

"""``reprocess``: puts files through again.

A finished version is never processed twice by itself, so its item is first set to FAILED, with who asked for it, and
then an event for it is sent to the intake queue. Dying between the two leaves a FAILED item, which ``status`` shows and
the same command takes up again. The catalog's condition lets one operator have a file, and no other change is lost.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from operate.catalog_reader import CatalogReader
from operate.command import FAILED, WELL, Command, UsageError, add_rate
from operate.events import created_event
from operate.pace import Pace
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.selection import Selected, of_day, of_prefix
from operate.stack_outputs import StackOutputs
from shared.files import FINAL, Status

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
    send = partial(_try_to_send, pipeline, screen, f"reprocess requested by {pipeline.caller()}")
    pace, done, counts = Pace(options.rate), list[tuple[str, str, str]](), Counter[str]()
    try:
        with screen.progress() as bars:
            for selected in bars.track(chosen, description="Sending files again"):
                outcome = _judge(selected)
                if outcome == READY and not options.dry_run:
                    pace.keep()
                    outcome = send(selected)
                counts[outcome] += 1
                done.append((selected.version.key, _state(selected), outcome))
                if outcome == NOT_SENT:
                    break  # AWS is not well: what follows would fail too
    finally:  # interrupted or not, say how far it came
        _report(screen, done, counts, dry_run=options.dry_run)
    return WELL if done and counts.keys() <= {READY, SENT} else FAILED


def _choose(options: argparse.Namespace, pipeline: Pipeline, screen: Screen) -> list[Selected]:
    """Find the files, all of them before the first is sent: sending moves them in the index that is read."""
    reader = CatalogReader(pipeline.dynamodb, pipeline.outputs.table, pipeline.shards)
    chosen: dict[tuple[str, str], Selected] = {}
    with screen.progress() as bars:
        for selected in bars.track(_select(options, pipeline, reader), total=None, description="Finding files"):
            if (options.all_versions or selected.is_latest) and (
                not options.status or _state(selected) in options.status
            ):
                chosen[selected.version.object_id, selected.version.version_id] = selected
    return list(chosen.values())


def _select(options: argparse.Namespace, pipeline: Pipeline, reader: CatalogReader) -> Iterator[Selected]:
    if options.day:
        return of_day(pipeline, reader, options.day)
    target: str = options.target
    prefix = target.removesuffix("*")
    if not prefix.startswith(pipeline.uploads_prefix):
        raise UsageError(f"{target!r}: only what lies under {pipeline.uploads_prefix} is processed")
    return of_prefix(pipeline, reader, prefix, exact=not target.endswith(("/", "*")))


def _state(selected: Selected) -> str:
    return selected.file.status if selected.file else NEVER_SEEN


def _judge(selected: Selected) -> str:
    """Say what becomes of a file: to be sent, or why not."""
    if not selected.is_there:
        # Sent, it would become SKIPPED, and what the catalog knows of it would be lost.
        return GONE
    expiry = selected.file.number("claim_expires_at") if selected.file else None
    if selected.file and selected.file.status is Status.PROCESSING and (expiry or 0) >= datetime.now(UTC).timestamp():
        return AT_WORK
    return READY


def _try_to_send(pipeline: Pipeline, screen: Screen, reason: str, selected: Selected) -> str:
    try:
        return _send(pipeline, reason, selected)
    except (ClientError, BotoCoreError) as error:
        screen.complain(f"reprocess: {selected.version.key}: {error}")
        return NOT_SENT


def _send(pipeline: Pipeline, reason: str, selected: Selected) -> str:
    file = selected.file
    if file and file.status in FINAL:
        free = pipeline.catalog.reopen(
            selected.version, status=file.status, processed_at=file.text("processed_at"), reason=reason
        )
        if not free:
            return CHANGED
    event = created_event(selected.version, pipeline.region)
    pipeline.sqs.send_message(QueueUrl=pipeline.outputs.queue_url, MessageBody=event)
    return SENT


def _report(screen: Screen, done: list[tuple[str, str, str]], counts: Counter[str], *, dry_run: bool) -> None:
    screen.result(
        {
            "dryRun": dry_run,
            "files": [{"key": key, "was": state, "outcome": outcome} for key, state, outcome in done],
            "counts": counts,
        }
    )
    screen.table("Files", ("key", "was", "outcome"), done[:_SHOWN])
    if len(done) > _SHOWN:
        screen.say(f"… and {len(done) - _SHOWN} more; --json lists all.")
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no file fits"
    screen.say(f"Dry run: {summary}." if dry_run else f"{summary}.")


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: should be a day such as 2026-11-20") from error


def _configure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("target", nargs="?", metavar="KEY|PREFIX", help="a key, or a prefix that ends in / or *")
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
    name="reprocess", summary="put files through the pipeline again", configure=_configure, run=run
)

"""``end``: gives what came through the API, and whose worker died, its end."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Final

from operate.command import FAILED, WELL, Command, UsageError
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.stack_outputs import StackOutputs
from shared.catalog.model import Status

ENDED: Final = "ended"
UNKNOWN: Final = "not in the catalog"


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """End requests: PROCESSING becomes FAILED, where the claim of the worker has lapsed.

    Returns
    -------
    int
        0 if all of them were ended, else 1.
    """
    if bool(options.ids) is options.all:
        raise UsageError("name the ids to end, or --all for each whose worker died")
    pipeline = Pipeline(outputs)
    caller, now = pipeline.caller(), datetime.now(UTC)
    ids = [item.object_id for item in pipeline.reader.lapsed_requests(now)] if options.all else options.ids
    done: list[tuple[str, str]] = []
    for object_id in ids:
        ended = pipeline.requests.end_lapsed(object_id, by=caller)
        done.append((object_id, ENDED if ended else _explain(pipeline, object_id)))
    screen.result({"requests": [{"id": object_id, "outcome": outcome} for object_id, outcome in done]})
    screen.table("Requests", ("id", "outcome"), done)
    if not done:
        screen.say("There is none whose worker died.")
    return WELL if all(outcome == ENDED for _, outcome in done) else FAILED


def _explain(pipeline: Pipeline, object_id: str) -> str:
    """Say why a request was not ended."""
    found = pipeline.reader.request(object_id)
    if found is None:
        return UNKNOWN
    if found.status is not Status.PROCESSING:
        return f"is {found.status} already"
    expiry = datetime.fromtimestamp(found.claim_expires_at or 0, UTC)
    return f"being worked on, until {expiry.isoformat()} at the latest"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="the id that the API gave, such as api/process/…")
    parser.add_argument("--all", action="store_true", help="each that is PROCESSING and whose worker died")


COMMAND: Final = Command(
    name="end", summary="end requests to the API whose worker died: FAILED", configure=_configure, run=run
)

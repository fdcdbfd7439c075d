"""``end``: sets requests to the API to FAILED that no worker will finish."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from cyclopts import Parameter

from operate.command import ATTENTION, OK, UsageError
from operate.session import CurrentSession, Session
from shared.catalog.model import Status

ENDED: Final = "set to FAILED"
UNKNOWN: Final = "not in the catalog"


def end(*ids: str, every: Annotated[bool, Parameter(name="--all")] = False, session: CurrentSession) -> int:
    """Set requests to the API to FAILED that are stuck in PROCESSING.

    Parameters
    ----------
    ids
        The requests' ids, as the API answered them, such as api/process/0f3a….
    every
        All requests that are stuck: in PROCESSING for longer than their worker could run.
    session
        The stack.

    Returns
    -------
    int
        0 if all of them were set to FAILED, else 1.
    """
    if bool(ids) is every:
        raise UsageError("give the ids of the requests to end, or --all for every stuck request")
    session.announce_change()
    requests, caller, console = session.requests, session.caller(), session.console
    if every:
        ids = tuple(item.object_id for item in session.reader().lapsed_requests(datetime.now(UTC)))
    done = [
        (object_id, ENDED if requests.end_lapsed(object_id, by=caller) else _explain(session, object_id))
        for object_id in ids
    ]
    console.result({"requests": [{"id": object_id, "outcome": outcome} for object_id, outcome in done]})
    console.table("Requests", ("id", "outcome"), done)
    if not done:
        console.say("No request is stuck.")
    return OK if all(outcome == ENDED for _, outcome in done) else ATTENTION


def _explain(session: Session, object_id: str) -> str:
    """Say why a request was not ended."""
    found = session.reader().request(object_id)
    if found is None:
        return UNKNOWN
    if found.status is not Status.PROCESSING:
        return f"already {found.status}"
    expiry = datetime.fromtimestamp(found.claim_expires_at or 0, UTC)
    return f"still being processed, until {expiry.isoformat()} at the latest"

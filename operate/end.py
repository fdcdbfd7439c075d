"""``end``: gives what came through the API, and whose worker died, its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from cyclopts import Parameter

from operate.command import ATTENTION, OK, UsageError
from operate.session import CurrentSession, Session
from shared.catalog.model import Status

ENDED: Final = "ended"
UNKNOWN: Final = "not in the catalog"


def end(*ids: str, every: Annotated[bool, Parameter(name="--all")] = False, session: CurrentSession) -> int:
    """End requests to the API whose worker died: FAILED.

    Parameters
    ----------
    ids
        The ids that the API gave, such as api/process/…
    every
        Each that is PROCESSING and whose worker died.
    session
        The stack.

    Returns
    -------
    int
        0 if all of them were ended, else 1.
    """
    if bool(ids) is every:
        raise UsageError("name the ids to end, or --all for each whose worker died")
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
        console.say("No request's worker died.")
    return OK if all(outcome == ENDED for _, outcome in done) else ATTENTION


def _explain(session: Session, object_id: str) -> str:
    """Say why a request was not ended."""
    found = session.reader().request(object_id)
    if found is None:
        return UNKNOWN
    if found.status is not Status.PROCESSING:
        return f"is {found.status} already"
    expiry = datetime.fromtimestamp(found.claim_expires_at or 0, UTC)
    return f"being worked on, until {expiry.isoformat()} at the latest"

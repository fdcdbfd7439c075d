"""``show``, of records that came through the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from operate.command import ATTENTION, OK, UsageError
from operate.logs import logs_command
from operate.session import Session
from shared.files import Status

IDS: Final = ("api/process/", "api/validate/")
"""What ids of requests begin with."""


def show_request(session: Session, object_id: str) -> int:
    """Print what is known of a request.

    Returns
    -------
    int
        0 if it has its final status, 1 if it failed or is unfinished.

    Raises
    ------
    UsageError
        If it is the id of none.
    """
    found, console = session.reader().request(object_id), session.console
    if found is None:
        raise UsageError(f"{object_id!r}: the catalog knows no request of this id")
    expiry = found.number("claim_expires_at")
    alive_until = datetime.fromtimestamp(expiry, UTC) if expiry else None
    lapsed = alive_until is not None and alive_until < datetime.now(UTC)
    group = f"/aws/lambda/{session.outputs.api_function}"
    logs = logs_command(session.region, group, found, f'$.correlation_id = "{found.text("request_id")}"')
    console.result({**found.attributes, "lapsed": lapsed, "logs": logs})
    rows: list[tuple[str, object]] = [
        ("status", found.status),
        ("reason", found.text("reason")),
        ("valid", found.number("records_valid")),
        ("rejected", found.number("records_rejected")),
        ("bytes", found.version.size),
        ("sent by", found.text("uploaded_by")),
        ("processed", found.text("processed_at")),
        ("worker ends at", alive_until and alive_until.isoformat()),
        ("ended by", found.text("ended_by")),
        ("took, ms", found.number("duration_ms")),
    ]
    console.table(object_id, ("", ""), [(name, value) for name, value in rows if value not in {None, ""}])
    if found.text("processed_key"):
        console.say(f"stored: s3://{found.version.bucket}/{found.text('processed_key')}")
    if lapsed:
        console.say(f"Its worker died: the sender's same request goes on with it, or `end {object_id}` ends it.")
    console.say(f"logs: {logs}")
    return ATTENTION if found.status in {Status.FAILED, Status.PROCESSING} else OK

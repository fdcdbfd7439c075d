"""``show``, of records that came through the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import to_builtins

from operate.command import ATTENTION, OK, UsageError
from operate.logs import logs_command
from operate.session import Session

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
        raise UsageError(f"{object_id!r}: there is no request with this id in the catalog")
    expiry = found.claim_expires_at
    alive_until = datetime.fromtimestamp(expiry, UTC) if expiry else None
    lapsed = alive_until is not None and alive_until < datetime.now(UTC)
    group = f"/aws/lambda/{session.outputs.api_function}"
    logs = logs_command(session.region, group, found, f'$.correlation_id = "{found.request_id}"')
    console.result({**to_builtins(found), "lapsed": lapsed, "logs": logs})
    rows: list[tuple[str, object]] = [
        ("status", found.status),
        ("reason", found.reason),
        ("valid", found.records_valid),
        ("rejected", found.records_rejected),
        ("bytes", found.version.size),
        ("sent by", found.uploaded_by),
        ("processed", found.processed_at),
        ("worker ends by", alive_until and alive_until.isoformat()),
        ("ended by", found.ended_by),
        ("took, ms", found.duration_ms),
    ]
    console.table(object_id, ("", ""), [(name, value) for name, value in rows if value not in {None, ""}])
    if found.processed_key:
        console.say(f"stored: s3://{found.version.bucket}/{found.processed_key}")
    if lapsed:
        console.say(f"It is stuck: the sender sends the same request again, or `end {object_id}` sets it to FAILED.")
    console.say(f"logs: {logs}")
    return OK if found.status.is_final else ATTENTION

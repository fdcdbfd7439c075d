"""``why``, of records that came through the API."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Final

from msgspec import to_builtins

from operate.command import FAILED, WELL, UsageError
from operate.pipeline import Pipeline
from operate.screen import Screen
from shared.catalog.model import CatalogItem

IDS: Final = ("api/process/", "api/validate/")
"""What ids of requests begin with."""


def run(pipeline: Pipeline, object_id: str, screen: Screen) -> int:
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
    found = pipeline.reader.request(object_id)
    if found is None:
        raise UsageError(f"{object_id!r}: is the id of no request that the catalog knows")
    expiry = found.claim_expires_at
    alive_until = datetime.fromtimestamp(expiry, UTC) if expiry else None
    lapsed = alive_until is not None and alive_until < datetime.now(UTC)
    logs = _logs(pipeline, found)
    screen.result({**to_builtins(found), "lapsed": lapsed, "logs": logs})
    rows: list[tuple[str, object]] = [
        ("status", found.status),
        ("reason", found.reason),
        ("valid", found.records_valid),
        ("rejected", found.records_rejected),
        ("bytes", found.version.size),
        ("sent by", found.uploaded_by),
        ("processed", found.processed_at),
        ("worker ends at", alive_until and alive_until.isoformat()),
        ("ended by", found.ended_by),
        ("took, ms", found.duration_ms),
    ]
    screen.table(object_id, ("", ""), [(name, value) for name, value in rows if value not in {None, ""}])
    if found.processed_key:
        screen.say(f"stored: s3://{found.version.bucket}/{found.processed_key}")
    if lapsed:
        screen.say(f"Its worker died: the sender's same request goes on with it, or `end {object_id}` ends it.")
    screen.say(f"logs: {logs}")
    return WELL if found.status.is_final else FAILED


def _logs(pipeline: Pipeline, found: CatalogItem) -> str:
    """Return the AWS CLI command that prints the log lines of the request."""
    last = datetime.fromisoformat(found.processed_at).timestamp()
    start = int(last * 1000) - (found.duration_ms or 0) - 60_000
    pattern = f'{{ $.correlation_id = "{found.request_id}" }}'
    return (
        f"aws logs filter-log-events --region {pipeline.region}"
        f" --log-group-name /aws/lambda/{pipeline.outputs.api_function}"
        f" --start-time {start} --filter-pattern {shlex.quote(pattern)} --query 'events[].message' --output text"
    )

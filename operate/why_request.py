"""``why``, of records that came through the API."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Final

from operate.catalog_reader import CatalogFile, CatalogReader
from operate.command import FAILED, WELL, UsageError
from operate.pipeline import Pipeline
from operate.screen import Screen
from shared.files import Status

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
    found = CatalogReader(pipeline.dynamodb, pipeline.outputs.table, pipeline.shards).request(object_id)
    if found is None:
        raise UsageError(f"{object_id!r}: is the id of no request that the catalog knows")
    expiry = found.number("claim_expires_at")
    alive_until = datetime.fromtimestamp(expiry, UTC) if expiry else None
    lapsed = alive_until is not None and alive_until < datetime.now(UTC)
    logs = _logs(pipeline, found)
    screen.result({**found.attributes, "lapsed": lapsed, "logs": logs})
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
    screen.table(object_id, ("", ""), [(name, value) for name, value in rows if value not in {None, ""}])
    if found.text("processed_key"):
        screen.say(f"stored: s3://{found.version.bucket}/{found.text('processed_key')}")
    if lapsed:
        screen.say(f"Its worker died: the sender's same request goes on with it, or `end {object_id}` ends it.")
    screen.say(f"logs: {logs}")
    return FAILED if found.status in {Status.FAILED, Status.PROCESSING} else WELL


def _logs(pipeline: Pipeline, found: CatalogFile) -> str:
    """Return the AWS CLI command that prints the log lines of the request."""
    last = datetime.fromisoformat(found.text("processed_at")).timestamp()
    start = int(last * 1000) - (found.number("duration_ms") or 0) - 60_000
    pattern = f'{{ $.correlation_id = "{found.text("request_id")}" }}'
    return (
        f"aws logs filter-log-events --region {pipeline.region}"
        f" --log-group-name /aws/lambda/{pipeline.outputs.api_function}"
        f" --start-time {start} --filter-pattern {shlex.quote(pattern)} --query 'events[].message' --output text"
    )

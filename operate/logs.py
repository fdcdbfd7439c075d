"""The AWS CLI command that prints what a function logged of a file or request."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Final

from shared.catalog.model import CatalogItem

_MARGIN_MS: Final = 60_000


def logs_command(region: str, log_group: str, file: CatalogItem, pattern: str) -> str:
    """Return the command for the log lines that match `pattern`, from a minute before the work on `file` began."""
    ended = datetime.fromisoformat(file.processed_at).timestamp()
    start = int(ended * 1000) - (file.duration_ms or 0) - _MARGIN_MS
    return (
        f"aws logs filter-log-events --region {region} --log-group-name {log_group} --start-time {start}"
        f" --filter-pattern {shlex.quote(f'{{ {pattern} }}')} --query 'events[].message' --output text"
    )

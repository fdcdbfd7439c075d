"""The search for uploads whose event never came."""

from __future__ import annotations

from pydantic import Field

from components.settings.values import Group


class ReconciliationGroup(Group):
    """The search for uploads whose event never came."""

    reconciliation_hours: int = Field(
        24,
        ge=0,
        le=168,
        description="Hours between two searches for uploads whose event never came. 0: no search.",
    )
    reconciliation_delay_seconds: int = Field(
        3600,
        ge=1,
        le=86_400,
        description="Seconds that an upload must be older than the intake's oldest message to be searched for.",
    )

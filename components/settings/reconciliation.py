"""How often uploads are searched for whose event never came."""

from __future__ import annotations

from pydantic import Field

from components.settings.values import Group


class ReconciliationGroup(Group):
    """How often uploads are searched for whose event never came."""

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
        description="How much older than the intake's oldest message an upload must be to be searched for.",
    )

"""What holds for the whole stack: tags, and what becomes of its data."""

from __future__ import annotations

from pydantic import Field

from components.settings.values import Group, Tag


class StackGroup(Group):
    """What holds for the whole stack: tags, and what becomes of its data."""

    owner: Tag = Field("platform", description="Value of the Owner tag.")
    cost_center: Tag = Field("shared", description="Value of the CostCenter tag.")
    backup: bool = Field(default=False, description="Value of the Backup tag, for backup plans that select by it.")
    retain_data: bool = Field(
        default=True,
        description="Keep bucket, table and key when the stack is destroyed, and protect them from deletion. "
        "false: the stack can be destroyed with objects inside.",
    )
    key_deletion_days: int = Field(30, ge=7, le=30, description="Days between a KMS key's deletion and its end.")

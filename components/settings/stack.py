"""What holds for the whole stack: tags, and what becomes of its data."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, model_validator

from components.settings.values import BoundaryArn, Group, IamPath, KeyArn, Tag, TagPair, check_once

OWN_TAGS: Final = ("Environment", "Project", "ManagedBy", "Owner", "CostCenter", "Backup")
"""Keys of the tags that every resource has."""

MAX_TAGS: Final = 50
"""Tags of one resource (AWS General Reference, Tag naming limits)."""


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
    kms_key_arn: KeyArn = Field(
        "",
        description="ARN of a key of your own, in the stack's account and region, in place of the stack's. "
        "`python -m tools.key_policy` prints, and checks, what its policy must say.",
    )
    permissions_boundary_arn: BoundaryArn = Field(
        "", description="ARN of the policy that limits every role of the stack. Empty: no boundary."
    )
    iam_path: IamPath = Field("/", description="Path of every role's name.")
    tags: list[TagPair] = Field(
        [],
        max_length=MAX_TAGS - len(OWN_TAGS),
        description="Tags of your own on every resource, each a key, =, and a value.",
    )

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        keys = [pair.partition("=")[0] for pair in self.tags]
        # Of two keys that differ in case alone, IAM takes one (IAM User Guide, Rules for tagging).
        check_once("tags", [key.casefold() for key in keys])
        own = sorted(key for key in keys if key.casefold() in {name.casefold() for name in OWN_TAGS})
        if own:
            raise ValueError(
                f"tags: {own[0]!r} is a tag that every resource has already: Owner, CostCenter and Backup have "
                "settings of their own, the others are the stack's"
            )
        return self

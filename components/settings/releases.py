"""How a new version of the functions takes over."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from components.settings.values import Group

ALL_AT_ONCE = "allAtOnce"

Release: TypeAlias = Literal[
    "allAtOnce",
    "canary10Percent5Minutes",
    "canary10Percent10Minutes",
    "canary10Percent15Minutes",
    "canary10Percent30Minutes",
    "linear10PercentEvery1Minute",
    "linear10PercentEvery2Minutes",
    "linear10PercentEvery3Minutes",
    "linear10PercentEvery10Minutes",
]
"""The shifts that CodeDeploy has (CodeDeploy User Guide, Predefined deployment configurations for AWS Lambda)."""


class ReleasesGroup(Group):
    """How a new version of the functions takes over."""

    release: Release = Field(
        "allAtOnce",
        description="How a new version takes over: allAtOnce with the update; the others step by step, by CodeDeploy, "
        "when `operate release` is run, with a rollback on alarms.",
    )
    kept_versions: int = Field(
        5,
        ge=1,
        le=50,
        description="Old versions of each function that `operate release` keeps, to go back to.",
    )

    api_snap_start: bool = Field(
        default=False,
        description="Start the API's function from a snapshot (SnapStart): shorter cold starts. Each published version "
        "is billed for as long as it exists, and each start from it.",
    )

    @property
    def shift(self) -> str:
        """CodeDeploy's own name of the shift. Empty: there is none."""
        name = self.release
        return "" if name == ALL_AT_ONCE else f"CodeDeployDefault.Lambda{name[:1].upper()}{name[1:]}"

"""How the landing bucket keeps what arrives."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from components.settings.values import Group, Origin, check_origins


class LandingGroup(Group):
    """How the landing bucket keeps what arrives."""

    upload_retention_days: int = Field(90, ge=0, description="Days after which an uploaded object expires. 0: never.")
    processed_retention_days: int = Field(
        0, ge=0, description="Days after which published valid records expire. 0: never."
    )
    rejected_retention_days: int = Field(
        0,
        ge=0,
        description="Days after which published rejected records expire, which may hold personal data. "
        "0: when the uploads do.",
    )
    old_version_retention_days: int = Field(
        180, ge=0, description="Days after which an old object version expires. 0: never."
    )
    multipart_upload_days: int = Field(7, ge=1, description="Days after which an unfinished multipart upload ends.")
    intelligent_tiering: bool = Field(
        default=False, description="Store objects of 128 KB and more in S3 Intelligent-Tiering."
    )
    archive_after_days: int = Field(
        0,
        ge=0,
        le=730,
        description="Days without access before Intelligent-Tiering archives an object, which then cannot be read "
        "until it is restored. 0: never. Allowed: 0, or 90 to 730.",
    )
    deep_archive_after_days: int = Field(
        0,
        ge=0,
        le=730,
        description="Days without access before Intelligent-Tiering moves an object to the deep archive. "
        "0: never. Allowed: 0, or 180 to 730.",
    )
    event_bridge_notifications: bool = Field(
        default=False,
        description="Send the bucket's events to EventBridge too, for consumers of your own. Each event is billed.",
    )
    cors_origins: list[Origin] = Field([], description="Origins that may upload from a browser. Empty: no CORS rule.")
    cors_max_age_seconds: int = Field(3000, ge=0, le=86400, description="Seconds a browser may cache a CORS answer.")
    access_log_retention_days: int = Field(365, ge=1, description="Days the bucket's access logs are kept.")

    @property
    def rejected_days(self) -> int:
        """Days after which rejected records expire; 0: never."""
        return self.rejected_retention_days or self.upload_retention_days

    @model_validator(mode="after")
    def _check_landing(self) -> Self:
        check_origins("corsOrigins", self.cors_origins)
        tiers = (
            ("archiveAfterDays", self.archive_after_days, 90),
            ("deepArchiveAfterDays", self.deep_archive_after_days, 180),
        )
        for name, days, least in tiers:
            if 0 < days < least:
                raise ValueError(f"{name} = {days}: should be 0, or {least} to 730")
        if 0 < self.deep_archive_after_days <= self.archive_after_days:
            raise ValueError(
                f"archiveAfterDays = {self.archive_after_days}: should be less than "
                f"deepArchiveAfterDays ({self.deep_archive_after_days})"
            )
        return self

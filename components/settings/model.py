"""Every setting of a stage, and the rules between groups."""

from __future__ import annotations

from pydantic import model_validator

from components.dead_letters import DAY_SECONDS
from components.queues import VISIBILITY_PER_TIMEOUT
from components.settings.alerting import AlertingGroup
from components.settings.api import ApiGroup
from components.settings.catalog import CatalogGroup
from components.settings.delivery import DeliveryGroup
from components.settings.files import FilesGroup
from components.settings.functions import FunctionsGroup
from components.settings.identity import IdentityGroup
from components.settings.intake import IntakeGroup
from components.settings.landing import LandingGroup
from components.settings.needs import find_unmet
from components.settings.places import find_apart
from components.settings.reconciliation import ReconciliationGroup
from components.settings.releases import ReleasesGroup
from components.settings.stack import StackGroup

MIN_CATALOG_RETENTION_DAYS = 30
"""A dead-letter message may be sent again after 14 days, and then be retried for days."""

LIFECYCLE_LAG_DAYS = 2
"""S3 counts days to the next midnight UTC, and deletes later (S3 User Guide, Lifecycle configuration elements)."""


class Settings(
    # The last is the first in Pulumi.yaml and in the docs.
    AlertingGroup,
    DeliveryGroup,
    IdentityGroup,
    ApiGroup,
    FilesGroup,
    ReleasesGroup,
    FunctionsGroup,
    ReconciliationGroup,
    CatalogGroup,
    IntakeGroup,
    LandingGroup,
    StackGroup,
):
    """Every setting of a stage, as one flat list of keys."""

    @model_validator(mode="after")
    def _check_across_groups(self) -> Settings:
        problems = [*find_unmet(self), *find_apart(self)]
        if problems:
            raise ValueError("\n".join(problems))
        self._check_times()
        self._check_retention()
        if self.api and self.api_memory_mb > self.function_memory_mb:
            raise ValueError(
                f"functionMemoryMb = {self.function_memory_mb}: should be at least {self.api_memory_mb} for requests "
                f"to the API: raise it, or lower apiMaxBodyBytes ({self.api_max_body_bytes}) or apiMaxRecords "
                f"({self.api_max_records})"
            )
        if self.test_user and self.retain_data:
            raise ValueError("testUser = true: only in a stage that keeps no data (retainData = false)")
        if self.delivery_endpoint:
            self._check_delivery()
        if self.shift and not self.alarms:
            raise ValueError(
                f"release = {self.release}: is rolled back by alarms, but alarms = false: set alarms, or "
                "release = allAtOnce"
            )
        return self

    def _check_times(self) -> None:
        if 2 * self.time_reserve_seconds >= self.function_timeout_seconds:
            raise ValueError(
                f"timeReserveSeconds = {self.time_reserve_seconds}: should be less than half of functionTimeoutSeconds "
                f"({self.function_timeout_seconds}), or no time is left to read a file"
            )
        if self.dead_letter_retention_days <= self.intake_retention_days:
            raise ValueError(
                f"deadLetterRetentionDays = {self.dead_letter_retention_days}: should be more than intakeRetentionDays "
                f"({self.intake_retention_days}): it counts from when the message entered the intake queue"
            )
        if self.retry_seconds > self.intake_retention_days * DAY_SECONDS / 2:
            raise ValueError(
                f"maxReceiveCount = {self.max_receive_count}: with {self.visibility_seconds} s of visibility, the last "
                f"receive comes after {self.retry_seconds} s; should be within half of intakeRetentionDays "
                f"({self.intake_retention_days}), or messages are dropped before they are dead-lettered"
            )

    def _check_retention(self) -> None:
        kept = self.catalog_retention_days
        if not kept:
            return
        if kept < MIN_CATALOG_RETENTION_DAYS:
            raise ValueError(f"catalogRetentionDays = {kept}: should be 0, or {MIN_CATALOG_RETENTION_DAYS} to 3650")
        for name, days in (
            ("uploadRetentionDays", self.upload_retention_days),
            ("rejectedRetentionDays", self.rejected_days),
        ):
            # What expires becomes an old version first.
            in_bucket = days + self.old_version_retention_days + LIFECYCLE_LAG_DAYS
            if not days or not self.old_version_retention_days:
                raise ValueError(
                    f"catalogRetentionDays = {kept}: should be 0 (never), since {name} ({days}) or "
                    f"oldVersionRetentionDays ({self.old_version_retention_days}) keeps versions for ever, and the "
                    "catalog should not forget a file before the bucket does"
                )
            if kept < in_bucket:
                raise ValueError(
                    f"catalogRetentionDays = {kept}: should be 0 (never) or at least {in_bucket}: {name} ({days}), "
                    f"then oldVersionRetentionDays ({self.old_version_retention_days}) and {LIFECYCLE_LAG_DAYS} days "
                    "until S3 deletes, or the catalog forgets a file before the bucket does"
                )

    def _check_delivery(self) -> None:
        if self.delivery_alarm_seconds >= self.delivery_retry_seconds:
            raise ValueError(
                f"deliveryAlarmSeconds = {self.delivery_alarm_seconds}: should be less than deliveryRetrySeconds "
                f"({self.delivery_retry_seconds}), or the alarm comes after the messages are dead-lettered"
            )

    @property
    def visibility_seconds(self) -> int:
        """How long a received message stays hidden, derived from the time-out of the function that receives it."""
        return VISIBILITY_PER_TIMEOUT * self.function_timeout_seconds

    @property
    def retry_seconds(self) -> int:
        """How long a message that always fails is retried before it is dead-lettered."""
        return self.max_receive_count * self.visibility_seconds

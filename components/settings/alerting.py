"""Who is told of alarms, and when."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from components.settings.values import Email, Group


class AlertingGroup(Group):
    """Who is told of alarms, and when."""

    alert_emails: list[Email] = Field(
        [], description="Addresses that the alarms are sent to; each must confirm its subscription."
    )
    failed_alarm_percent: int = Field(
        5, ge=0, le=99, description="Share of the files of five minutes above which failed ones raise an alarm."
    )
    rejected_alarm_percent: int = Field(
        20,
        ge=0,
        le=100,
        description="Share of an hour's files above which rejected ones raise an alarm. 100: no alarm.",
    )
    silence_alarm_hours: int = Field(
        0, ge=0, le=168, description="Hours without a new file after which an alarm is raised. 0: no alarm."
    )

    @model_validator(mode="after")
    def _check_alerting(self) -> Self:
        twice = {address for address in self.alert_emails if self.alert_emails.count(address) > 1}
        if twice:
            raise ValueError(f"alertEmails: {min(twice)!r} is given twice")
        return self

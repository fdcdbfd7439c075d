"""What the operator sees, and which alarms are raised."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from components.settings.values import Email, Group, TopicArn, check_once


class AlertingGroup(Group):
    """What the operator sees, and which alarms are raised."""

    alarms: bool = Field(default=True, description="Create the alarms, and the topic that they are published to.")
    dashboard: bool = Field(default=True, description="Create the dashboard.")
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
    final_within_seconds: int = Field(
        300,
        ge=0,
        le=86_400,
        description="Seconds from its upload to its final status after which a file is late. 0: no target, no alarm.",
    )
    final_within_percent: int = Field(
        99,
        # A burn rate of 14.4 times the rest must be less than all files.
        ge=95,
        le=99,
        description="Share of the files that should not be late. The alarm is raised while so many are late that the "
        "rest would be used up long before a month has passed.",
    )
    silence_alarm_hours: int = Field(
        0, ge=0, le=168, description="Hours without a new file after which an alarm is raised. 0: no alarm."
    )
    alarm_topic_arns: list[TopicArn] = Field(
        [],
        # CloudWatch takes five actions for a state (PutMetricAlarm, AlarmActions), one of which is the stack's topic.
        max_length=4,
        description="ARNs of topics of your own that the alarms are published to too, in the stack's region.",
    )

    @model_validator(mode="after")
    def _check_alerting(self) -> Self:
        check_once("alertEmails", self.alert_emails)
        check_once("alarmTopicArns", self.alarm_topic_arns)
        return self

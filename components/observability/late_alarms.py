"""The alarm on files that come to their final status too late, by how fast the budget for them burns.

As the Site Reliability Workbook has it (Alerting on SLOs, 6: Multiwindow, Multi-Burn-Rate Alerts), for a budget of 30
days: 2 % of it is used in an hour, or 5 % in six, and it still burns as fast in the last twelfth of that time.
"""

from __future__ import annotations

from typing import Final

from components.observability.alarm import HOUR_SECONDS, PERIOD_SECONDS, Alarm, CompositeAlarm, Expression
from components.observability.flow import Flow
from components.observability.metrics import IngestMetrics

WINDOWS: Final = (
    (14.4, HOUR_SECONDS, PERIOD_SECONDS),
    (6.0, 6 * HOUR_SECONDS, 6 * PERIOD_SECONDS),
)
"""Burn rate, and the seconds of the long and of the short window in which it must be exceeded."""

_MEANING: Final = "Files come to their final status late: faster than the target allows for a month."
_CAUSES: Final = (
    "a burst that maxConcurrency holds back, files that are tried again, a slow AWS service, events that came late"
)
_RUNBOOK: Final = "Late files"


def late_alarms(flow: Flow) -> list[CompositeAlarm]:
    """Return the alarm, if there is a target."""
    if not flow.final_within_seconds:
        return []
    return [
        CompositeAlarm(
            name="ingest-late",
            meaning=_MEANING,
            causes=_CAUSES,
            runbook=_RUNBOOK,
            any_of=[
                [
                    _burning(flow, rate, long, formula="100 * (late > 1) * late / files"),
                    _burning(flow, rate, short, formula="100 * late / files"),
                ]
                for rate, long, short in WINDOWS
            ],
        )
    ]


def _burning(flow: Flow, rate: float, seconds: int, *, formula: str) -> Alarm:
    """Return the alarm of one window.

    One late file in a long window is no news: where few come, it would be a large share. No data means that no file
    ended.
    """
    late = IngestMetrics(flow.namespace).late
    return Alarm(
        name=f"ingest-late-{seconds // 60}-minutes",
        meaning=_MEANING,
        causes=_CAUSES,
        runbook=_RUNBOOK,
        metric=Expression(
            label="Late files, in percent",
            formula=formula,
            metrics={"late": late, "files": late.by("SampleCount")},
        ),
        threshold=round(rate * (100 - flow.final_within_percent), 1),
        comparison="GreaterThanThreshold",
        missing="notBreaching",
        period_seconds=seconds,
    )

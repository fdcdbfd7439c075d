"""The alarms that roll a release back: on the new version alone, wherever AWS tells versions apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi

from components.observability.alarm import Alarm
from components.observability.alarms import share
from components.observability.metrics import (
    DeliveryMetrics,
    ForwardMetrics,
    HttpApiMetrics,
    IngestMetrics,
    Metric,
    VersionMetrics,
)

PERIOD_SECONDS: Final = 60
"""The shortest that Lambda's metrics have: a step of a shift takes minutes, and CodeDeploy looks on throughout."""

_RUNBOOK: Final = "Release rolled back"


@dataclass(frozen=True, kw_only=True)
class ReleasedVersion:
    """A function's newest version, which its alias shifts to.

    Parameters
    ----------
    purpose
        What the function does, in a word.
    function_name, alias, version
        The function, its alias, and the version.
    namespace
        The namespace of the function's own metrics.
    api_id
        The HTTP API that calls the function, if one does.
    failed_alarm_percent
        Share of its files above which failed ones roll the ingest function back.
    """

    purpose: str
    function_name: pulumi.Input[str]
    alias: str
    version: pulumi.Input[str]
    namespace: str
    api_id: pulumi.Input[str] | None = None
    failed_alarm_percent: int = 5


def release_alarms(released: ReleasedVersion) -> list[Alarm]:
    """Return the alarms on a new version. No data means that it was not called."""
    metrics = VersionMetrics(released.function_name, released.alias, released.version)
    errors = Alarm(
        name=f"{released.purpose}-errors",
        meaning=f"The new version of the {released.purpose} function failed as a whole.",
        causes="a mistake in the new version, a permission that it lacks, too little memory or time",
        runbook=_RUNBOOK,
        metric=metrics.errors,
        threshold=1,
        missing="notBreaching",
        period_seconds=PERIOD_SECONDS,
    )
    return [errors, *_outcomes(released)]


def _outcomes(released: ReleasedVersion) -> list[Alarm]:
    """Return the alarms on what comes out: a function that hands its work back has not failed, to Lambda."""
    namespace, version = released.namespace, released.version
    if released.purpose == "ingest":
        return [
            Alarm(
                name="ingest-failures",
                meaning=f"More than {released.failed_alarm_percent} % of the new version's files failed; they are "
                "retried.",
                causes="a mistake in the new version, a permission that it lacks",
                runbook=_RUNBOOK,
                metric=share("failed", IngestMetrics(namespace, version)),
                threshold=released.failed_alarm_percent,
                comparison="GreaterThanThreshold",
                missing="notBreaching",
                period_seconds=PERIOD_SECONDS,
            ),
            _once(
                "ingest-dead-letters",
                "The new version dead-lettered a message that it could not read.",
                IngestMetrics(namespace, version).messages_dead_lettered,
            ),
        ]
    if released.purpose == "forward":
        metrics = ForwardMetrics(namespace, version)
        return [
            _once("forward-failures", "The new version handed back changes of the catalog.", metrics.returned),
            _once("forward-dead-letters", "The new version dead-lettered a change.", metrics.dead_lettered),
        ]
    if released.purpose == "delivery":
        dead_lettered = DeliveryMetrics(namespace, version).dead_lettered
        return [_once("delivery-failures", "The new version dead-lettered a finished file.", dead_lettered)]
    if released.purpose == "api" and released.api_id is not None:
        # API Gateway does not tell versions apart.
        meaning = "The API answered a request with an error of its own during a release."
        return [_once("api-failures", meaning, HttpApiMetrics(released.api_id).server_errors)]
    return []


def _once(name: str, meaning: str, metric: Metric) -> Alarm:
    """Return an alarm that one event raises."""
    return Alarm(
        name=name,
        meaning=meaning,
        causes="a mistake in the new version, or what it works with failed at the same time",
        runbook=_RUNBOOK,
        metric=metric,
        threshold=1,
        missing="notBreaching",
        period_seconds=PERIOD_SECONDS,
    )

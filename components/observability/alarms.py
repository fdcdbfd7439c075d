"""Which alarms there are, by what they watch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

from components.observability.alarm import HOUR_SECONDS, Alarm, Expression
from components.observability.flow import Flow, ObservedApi, ObservedFunction
from components.observability.metrics import (
    DynamoDbMetrics,
    HttpApiMetrics,
    IngestMetrics,
    LambdaMetrics,
    Metric,
    ReconcileMetrics,
    SqsMetrics,
)
from components.observability.queue_alarms import delivery_alarms, intake_alarms

DURATION_SHARE = 0.9
"""Share of its time-out that a function may take."""

ERROR_CAUSES: Final[Mapping[str, str]] = {
    "ingest": "a file too large for memory or time-out",
    "api": "a request too large for memory or time-out",
    "reconcile": "S3, CloudWatch, DynamoDB or SQS deny or throttle",
    "forward": "too little memory for a batch, or a slow AWS service",
    "delivery": "too little memory, or a slow AWS service",
}
"""Purpose of a function → why it may fail, besides what is common to all."""

DURATION_CAUSES: Final[Mapping[str, str]] = {
    "ingest": "a slow AWS service, recordBytesPerSecond set too high",
    "api": "a slow AWS service, requests with many records",
    "reconcile": "a slow AWS service, timeReserveSeconds set too low",
    "forward": "a slow AWS service",
    "delivery": "an endpoint that answers slowly, a slow AWS service",
}
"""Purpose of a function → why it may be slow, besides what is common to all."""

MAX_WARM_UP_MINUTES = 2880
"""The longest that CloudWatch waits with a new alarm (CloudWatch User Guide, Alarm warm-up periods)."""

_SECOND_MS = 1000


def pipeline_alarms(flow: Flow) -> list[Alarm]:
    """Return every alarm of a pipeline."""
    alarms = [
        *(alarm for function in flow.functions for alarm in function_alarms(function)),
        *file_alarms(flow),
        *table_alarms(flow.table_name),
        *intake_alarms(flow.intake),
    ]
    if flow.reconciles:
        alarms += reconcile_alarms(ReconcileMetrics(flow.namespace))
    if flow.api:
        alarms += api_alarms(flow.api)
    if flow.delivery:
        alarms += delivery_alarms(flow.delivery)
    return alarms


def function_alarms(function: ObservedFunction) -> list[Alarm]:
    """Return the alarms of a function. Lambda reports with invocations: no data means that it was not needed."""
    purpose, metrics = function.purpose, LambdaMetrics(function.name)
    return [
        Alarm(
            name=f"{purpose}-errors",
            meaning=f"The {purpose} function failed as a whole: it crashed, or ran out of time or memory.",
            causes=f"a mistake in a new version, a missing permission at start, {ERROR_CAUSES[purpose]}",
            runbook="Function errors",
            metric=metrics.errors,
            threshold=1,
            missing="notBreaching",
        ),
        Alarm(
            name=f"{purpose}-duration",
            meaning=f"The {purpose} function takes more of its time-out than its work should.",
            causes=f"{DURATION_CAUSES[purpose]}, too little memory",
            runbook="Function duration",
            metric=metrics.duration,
            # A largest file is planned to take nearly all of an invocation.
            threshold=_SECOND_MS * max(DURATION_SHARE * function.timeout_seconds, function.planned_seconds),
            comparison="GreaterThanThreshold",
            missing="notBreaching",
            periods=2,
        ),
        Alarm(
            name=f"{purpose}-throttles",
            meaning=f"The {purpose} function was throttled.",
            causes="the account's concurrent executions are used up, by this stack or another",
            runbook="Function throttles",
            metric=metrics.throttles,
            threshold=1,
            missing="notBreaching",
        ),
    ]


def file_alarms(flow: Flow) -> list[Alarm]:
    """Return the alarms on how files end, and that none does.

    No data means, for how they end, that none ended: `intake_alarms` has an alarm for that.
    """
    metrics = IngestMetrics(flow.namespace)
    alarms = [
        # To Lambda a partial batch is a success, so our own metrics count.
        Alarm(
            name="ingest-failures",
            meaning=f"More than {flow.failed_alarm_percent} % of the files failed; they are retried, and then are "
            "dead-letter messages.",
            causes="S3, KMS or DynamoDB deny or throttle, a permission was taken away, the key is disabled",
            runbook="Failure rate",
            metric=share("failed", metrics),
            threshold=flow.failed_alarm_percent,
            comparison="GreaterThanThreshold",
            missing="notBreaching",
        )
    ]
    if flow.rejected_alarm_percent < 100:  # noqa: PLR2004 - percent: no share is larger
        alarms.append(
            Alarm(
                name="ingest-rejections",
                meaning=f"More than {flow.rejected_alarm_percent} % of an hour's files were rejected.",
                causes="a sender changed its format, or a new version of a schema is stricter than the files",
                runbook="Rejected files",
                metric=share("rejected", metrics),
                threshold=flow.rejected_alarm_percent,
                comparison="GreaterThanThreshold",
                missing="notBreaching",
                # One bad file is no news where many come; in five minutes it may be the only one.
                period_seconds=HOUR_SECONDS,
            )
        )
    if flow.intake.silence_alarm_hours:
        alarms.append(_silence(flow, flow.intake.silence_alarm_hours))
    return alarms


def table_alarms(table_name: pulumi.Input[str]) -> list[Alarm]:
    """Return the alarms of the table and its indexes, each of which throttles on its own.

    One for each metric: they are reported only when a request was throttled, and what a sum does with a metric that
    never had a value is not documented.
    """
    return [
        Alarm(
            name=f"{source}-{kind.lower()}-throttles",
            meaning=f"A {kind.lower()} of the catalog was throttled, at {_source(source)}.",
            causes="provisioned capacity is lower than the load, autoscaling has not caught up with a burst, "
            "or one partition takes too much of it",
            runbook="Table throttles",
            metric=metric,
            threshold=1,
            missing="notBreaching",
        )
        for source, metrics in DynamoDbMetrics.of(table_name).items()
        for kind, metric in metrics.throttles.items()
    ]


def reconcile_alarms(metrics: ReconcileMetrics) -> list[Alarm]:
    """Return the alarms of the search for lost events. It counts with each invocation: no data means that none ran."""
    return [
        Alarm(
            name="reconcile-missed",
            meaning="Uploads were found whose event never came; their events were sent.",
            causes="the bucket's notification or the queue's policy was changed, or S3 lost an event",
            runbook="Missed uploads",
            metric=metrics.missed,
            threshold=1,
            missing="notBreaching",
            period_seconds=HOUR_SECONDS,
        )
    ]


def api_alarms(api: ObservedApi) -> list[Alarm]:
    """Return the alarms of the API. No data means that nobody asked."""
    metrics = HttpApiMetrics(api.api_id)
    return [
        Alarm(
            name="api-5xx",
            meaning="The API answered a request with an error of its own.",
            causes="the function crashed or was throttled, AWS failed, or a mistake in a new version",
            runbook="API errors",
            metric=metrics.server_errors,
            threshold=1,
            missing="notBreaching",
        ),
        Alarm(
            name="api-latency",
            meaning="The slowest hundredth of the API's requests takes too long.",
            causes="cold starts, large requests, a throttled table",
            runbook="API latency",
            metric=metrics.latency,
            threshold=api.latency_alarm_ms,
            comparison="GreaterThanThreshold",
            missing="notBreaching",
            periods=3,
        ),
    ]


def _silence(flow: Flow, hours: int) -> Alarm:
    """Return the alarm on files that do not come. A check's file is not counted, though the queue has its message."""
    outcomes: dict[str, Metric] = IngestMetrics(flow.namespace).outcomes
    return Alarm(
        name="intake-silence",
        meaning=f"No file has come to its end for {hours} hours.",
        causes="a sender has stopped or may not upload any more, or the bucket's notification is gone",
        runbook="Silence",
        metric=Expression(
            label="Files that ended",
            # No file is no data, not 0: what is always reported of a queue that is read gives it its zeros.
            formula=f"{' + '.join(outcomes)} + 0 * visible",
            metrics={**outcomes, "visible": SqsMetrics(flow.intake.queue_name).visible},
        ),
        threshold=1,
        comparison="LessThanThreshold",
        missing="breaching",
        # Periods of an hour may add up to a week, shorter ones to a day (PutMetricAlarm, EvaluationPeriods).
        period_seconds=HOUR_SECONDS,
        periods=hours,
        # In a new stack nothing has arrived yet.
        warm_up_minutes=min(60 * hours, MAX_WARM_UP_MINUTES),
    )


def share(outcome: str, metrics: IngestMetrics) -> Expression:
    """Return the share of files with an outcome, in percent. All outcomes come together, at least one of them 1."""
    outcomes: dict[str, Metric] = metrics.outcomes
    return Expression(
        label=f"{outcome.title()} files, in percent",
        formula=f"100 * {outcome} / ({' + '.join(outcomes)})",
        metrics=outcomes,
    )


def _source(name: str) -> str:
    return "the table" if name == "table" else f"the index {name}"

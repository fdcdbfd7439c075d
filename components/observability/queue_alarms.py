"""The alarms of queues: that messages wait, that none are taken, that some are in a dead-letter queue."""

from __future__ import annotations

import math

import pulumi

from components.observability.alarm import PERIOD_SECONDS, Alarm, Expression
from components.observability.flow import ObservedDelivery, ObservedIntake
from components.observability.metrics import LambdaMetrics, SqsMetrics

STALLED_SECONDS = 900
"""How long messages may wait with none deleted."""

_SECOND_MS = 1000


def intake_alarms(intake: ObservedIntake) -> list[Alarm]:
    """Return the alarms of the intake queue: that messages wait, that none are taken."""
    metrics = SqsMetrics(intake.queue_name)
    # A file may take a whole invocation, and be the only one that is deleted in that time.
    stalled = max(STALLED_SECONDS, intake.consumer_timeout_seconds + PERIOD_SECONDS)
    return [
        dead_letter_alarm("intake", intake.dead_letters_name, "files that were not processed"),
        Alarm(
            name="intake-age",
            meaning="A message has waited in the intake queue longer than retries explain.",
            causes="the function is far behind a burst, fails at start, or the event source mapping is disabled",
            runbook="Intake age",
            metric=metrics.oldest,
            threshold=intake.retry_seconds + PERIOD_SECONDS,
            missing="notBreaching",  # reported while there is a message
        ),
        Alarm(
            name="intake-stalled",
            meaning="Messages wait in the intake queue, and none was deleted: nothing takes them.",
            causes="the event source mapping is disabled, or the function is throttled, fails at start or with "
            "every file",
            runbook="Intake stalled",
            metric=Expression(
                label="Messages wait and none is deleted",
                # Nothing deleted is no data, not 0. Between two series, CloudWatch takes what is missing in one for 0.
                formula="(visible > 0) > (deleted > 0)",
                metrics={"visible": metrics.visible, "deleted": metrics.deleted},
            ),
            threshold=1,
            missing="notBreaching",  # a queue is active, and reports, while it holds messages
            periods=math.ceil(stalled / PERIOD_SECONDS),
        ),
    ]


def delivery_alarms(delivery: ObservedDelivery) -> list[Alarm]:
    """Return the alarms of the delivery: of what is dead-lettered, not queued, not delivered.

    The age of a stream's records comes with invocations. A stream that nobody reads has none, but neither has one in
    which nothing is written: an alarm that silence raises would be raised every night.
    """
    return [
        dead_letter_alarm("delivery", delivery.dead_letters_name, "finished files that were not delivered"),
        Alarm(
            name="forward-age",
            meaning="A finished file waits to be queued for delivery.",
            causes="the delivery queue cannot be written, or the forwarding function fails at start",
            runbook="Delivery age",
            metric=LambdaMetrics(delivery.forward_function_name).iterator_age,
            threshold=_SECOND_MS * delivery.alarm_seconds,
            missing="notBreaching",
        ),
        Alarm(
            name="delivery-age",
            meaning="A finished file waits in the delivery queue.",
            causes="the endpoint is down, refuses for now, or is slower than files finish",
            runbook="Delivery age",
            metric=SqsMetrics(delivery.queue_name).oldest,
            threshold=delivery.alarm_seconds,
            missing="notBreaching",  # reported while there is a message
        ),
    ]


def dead_letter_alarm(purpose: str, queue_name: pulumi.Input[str], holding: str) -> Alarm:
    """Return the alarm that is raised while a dead-letter queue holds anything."""
    return Alarm(
        name=f"{purpose}-dead-letters",
        meaning=f"Messages wait in the {purpose} dead-letter queue: {holding}.",
        causes="what failed for longer than it is retried, or can never pass; `redrive --dry-run` counts them by "
        "reason",
        runbook=f"{purpose.title()} dead-letter queue",
        metric=SqsMetrics(queue_name).visible,
        threshold=1,
        # SQS stops to report of a queue that nobody has asked for six hours, full or empty: it is as it was.
        missing="ignore",
    )

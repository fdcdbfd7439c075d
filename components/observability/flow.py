"""What is observed of a pipeline: the parts that report metrics, and the limits that they are held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class ObservedFunction:
    """A function.

    Parameters
    ----------
    purpose
        What it does, in a word.
    name
        Its name.
    timeout_seconds
        Its time-out.
    planned_seconds
        How long an invocation may take that does all that it is meant to. 0: it is always done long before.
    """

    purpose: str
    name: pulumi.Input[str]
    timeout_seconds: int
    planned_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class ObservedIntake:
    """The intake queue.

    Parameters
    ----------
    queue_name, dead_letters_name
        Its name, and its dead-letter queue's.
    retry_seconds
        How long a message that always fails is retried before it is dead-lettered.
    consumer_timeout_seconds
        Time-out of the function that takes its messages.
    silence_alarm_hours
        Hours without a new file after which an alarm is raised. 0: no alarm.
    """

    queue_name: pulumi.Input[str]
    dead_letters_name: pulumi.Input[str]
    retry_seconds: int
    consumer_timeout_seconds: int
    silence_alarm_hours: int = 0


@dataclass(frozen=True, kw_only=True)
class ObservedApi:
    """The HTTP API.

    Parameters
    ----------
    api_id
        Its id.
    latency_alarm_ms
        Latency (p99) above which an alarm is raised, in ms.
    """

    api_id: pulumi.Input[str]
    latency_alarm_ms: int = 5_000


@dataclass(frozen=True, kw_only=True)
class ObservedDelivery:
    """The delivery to the next system.

    Parameters
    ----------
    forward_function_name
        The function that reads the stream.
    queue_name, dead_letters_name
        Its queue's name, and its dead-letter queue's.
    alarm_seconds
        Age of a delivery from which an alarm is raised.
    """

    forward_function_name: pulumi.Input[str]
    queue_name: pulumi.Input[str]
    dead_letters_name: pulumi.Input[str]
    alarm_seconds: int = 900


@dataclass(frozen=True, kw_only=True)
class Flow:
    """All that is observed of a pipeline.

    Parameters
    ----------
    namespace
        The CloudWatch namespace of the functions' own metrics.
    functions
        The functions.
    intake
        The intake queue.
    table_name
        The catalog's table.
    api, delivery
        The API and the delivery; None: there is none.
    reconciles
        Whether uploads are searched for whose event never came.
    failed_alarm_percent
        Share of the files of five minutes above which failed ones raise an alarm.
    rejected_alarm_percent
        Share of an hour's files above which rejected ones raise an alarm. 100: no alarm.
    final_within_seconds
        Seconds from its upload to its final status after which a file is late. 0: no target, no alarm.
    final_within_percent
        Share of the files that should not be late.
    """

    namespace: str
    functions: Sequence[ObservedFunction]
    intake: ObservedIntake
    table_name: pulumi.Input[str]
    api: ObservedApi | None = None
    delivery: ObservedDelivery | None = None
    reconciles: bool = True
    failed_alarm_percent: int = 5
    rejected_alarm_percent: int = 20
    final_within_seconds: int = 300
    final_within_percent: int = 99

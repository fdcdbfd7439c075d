"""What a stack has while nothing happens, as the program declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from local.stack_config import ROOT, StackConfig
from tools.docs.declared import Declared, declared_by

SHIPPED: Final = ROOT / "tests" / "stages"
"""Copies of the stages as they are shipped: a team's own may be otherwise."""

_DELIVERY: Final = {"deliveryEndpoint": "https://receiver.example.com/files"}
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"


@dataclass(frozen=True, kw_only=True)
class Idle:
    """What is billed of a stack in which nothing happens.

    Attributes
    ----------
    resources
        How many it declares of each resource type.
    alarm_metrics
        Metrics that its alarms look at: each is billed, and an alarm that calculates looks at several.
    searches
        Whether it searches for lost events: each search writes a metric of its own.
    """

    resources: Mapping[str, int]
    alarm_metrics: int
    searches: bool


@cache
def shipped(stage: str, *, delivers: bool) -> Idle:
    """Return what a stage has as it is shipped, or with a delivery.

    Raises
    ------
    SettingsError
        If the program refuses the stage's settings.
    """
    # This machine's layer is built the fastest; nothing that is billed is in it.
    overrides = {"layerPlatform": "host", **(_DELIVERY if delivers else {})}
    return idle(declared_by(StackConfig.load(stage, overrides, folder=SHIPPED)))


def idle(declared: Declared) -> Idle:
    """Count what is billed of resources that are declared."""
    kinds = [kind for kind, _, _ in declared]
    return Idle(
        resources={kind: kinds.count(kind) for kind in sorted(set(kinds))},
        alarm_metrics=sum(_metrics(inputs) for kind, _, inputs in declared if kind == _ALARM),
        searches="aws:scheduler/schedule:Schedule" in kinds,
    )


def _metrics(alarm: Mapping[str, object]) -> int:
    """Return how many metrics an alarm looks at: one that it names, or those of its queries."""
    queries = alarm.get("metricQueries")
    return sum("metric" in query for query in queries) if isinstance(queries, list) else 1

"""Metrics as alarms and graphs look at them, and as functions write them: the two are held to each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, cast

from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from tests.declared_stack import Declared, DeclaredStack


class Seen(NamedTuple):
    """A metric by all that names it, and the statistic that is looked at."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Sum"


def seen(namespace: str, name: str, dimensions: Mapping[str, str], statistic: str = "Sum") -> Seen:
    return Seen(namespace, name, tuple(sorted(dimensions.items())), statistic)


def alarms(stack: DeclaredStack) -> dict[str, Declared]:
    """Every alarm, by the end of its name."""
    prefix = f"file-pipeline-{stack.stage}-monitoring-"
    return {alarm.name.removeprefix(prefix): alarm for alarm in stack.all("MetricAlarm")}


def of_alarm(alarm: Declared) -> list[Seen]:
    """All that an alarm looks at."""
    if "metricQueries" not in alarm.inputs:
        statistic = alarm.inputs.get("statistic") or alarm.inputs["extendedStatistic"]
        dimensions = cast("dict[str, str]", alarm.part("dimensions"))
        return [seen(alarm.text("namespace"), alarm.text("metricName"), dimensions, str(statistic))]
    return list(queries_of(alarm).values())


def queries_of(alarm: Declared) -> dict[str, Seen]:
    """The id of each metric in an alarm's expression → the metric."""
    metrics = {
        str(query["id"]): cast("dict[str, object]", query["metric"])
        for query in alarm.parts("metricQueries")
        if "metric" in query
    }
    return {
        name: seen(
            str(metric["namespace"]),
            str(metric["metricName"]),
            cast("dict[str, str]", metric["dimensions"]),
            str(metric["stat"]),
        )
        for name, metric in metrics.items()
    }


def of_graphs(stack: DeclaredStack) -> dict[str, list[Seen]]:
    """All that the graphs show: title → metrics."""
    found: dict[str, list[Seen]] = {}
    for widget in json.loads(stack.one("Dashboard", "-board").text("dashboardBody"))["widgets"]:
        for namespace, name, *rest in (line for line in widget["properties"].get("metrics", []) if len(line) > 1):
            *pairs, look = rest
            dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
            metric = seen(namespace, name, dimensions, look["stat"])
            found.setdefault(widget["properties"]["title"], []).append(metric)
    return found


def read_of(stack: DeclaredStack, service: str) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What alarms and graphs look at of the metrics that a function writes itself."""
    everything = [metric for alarm in stack.all("MetricAlarm") for metric in of_alarm(alarm)]
    everything += [metric for graph in of_graphs(stack).values() for metric in graph]
    return {metric[:3] for metric in everything if ("service", service) in metric.dimensions}


def start_cold() -> None:
    """Let Powertools take the next invocation for the first of its process."""
    reset_cold_start_flag()  # type: ignore[no-untyped-call]  # Powertools' is untyped


def written(output: str) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What CloudWatch makes of the lines that a function printed (Embedded metric format specification)."""
    found = set()
    for line in (json.loads(line) for line in output.splitlines() if line.strip()):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                values = tuple(sorted((name, str(line[name])) for name in dimensions))
                found |= {(directive["Namespace"], metric["Name"], values) for metric in directive["Metrics"]}
    return found

"""Graphs, and the JSON that CloudWatch draws them from (API Reference, Dashboard body structure and syntax)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.observability.alarm import PERIOD_SECONDS
from components.observability.metrics import Metric

COLUMNS = 24
"""Width of a dashboard's grid."""

_WIDTH = 6
_HEIGHT = 6
_TITLE_HEIGHT = 1


@dataclass(frozen=True)
class Line:
    """One metric in a graph.

    Parameters
    ----------
    metric, label
        Which, and what it is called.
    right
        Whether it goes by the right axis.
    per_second
        Whether the sum of a period is shown by the second.
    """

    metric: Metric
    label: str
    right: bool = False
    per_second: bool = False


@dataclass(frozen=True)
class Limit:
    """A line that should not be crossed.

    Parameters
    ----------
    label, value
        What it is called, and where it is.
    right
        Whether it goes by the right axis.
    """

    label: str
    value: float
    right: bool = False


@dataclass(frozen=True)
class Graph:
    """One graph.

    Parameters
    ----------
    title, lines, limits
        What it shows.
    """

    title: str
    lines: Sequence[Line]
    limits: Sequence[Limit] = ()


def percentiles(metric: Metric) -> list[Line]:
    """Return how a metric is spread."""
    return [Line(metric.by(percentile), percentile) for percentile in ("p50", "p95", "p99")]


def place(rows: Mapping[str, Sequence[Graph]], region: pulumi.Input[str]) -> list[dict[str, object]]:
    """Lay the graphs out, a title over each row; what has no room in a row goes on below it."""
    widgets: list[dict[str, object]] = []
    y = 0
    for title, graphs in rows.items():
        text = {"markdown": f"## {title}"}
        widgets.append({"type": "text", "x": 0, "y": y, "width": COLUMNS, "height": _TITLE_HEIGHT, "properties": text})
        y += _TITLE_HEIGHT
        for number, graph in enumerate(graphs):
            line, column = divmod(number, COLUMNS // _WIDTH)
            at = {"x": column * _WIDTH, "y": y + line * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
            widgets.append({"type": "metric", **at, "properties": _render(graph, region)})
        y += math.ceil(len(graphs) * _WIDTH / COLUMNS) * _HEIGHT
    return widgets


def _render(graph: Graph, region: pulumi.Input[str]) -> dict[str, object]:
    rendered: dict[str, object] = {
        "title": graph.title,
        "view": "timeSeries",
        "stacked": False,
        "region": region,
        "period": PERIOD_SECONDS,
        "metrics": [part for number, line in enumerate(graph.lines) for part in _render_line(line, number)],
        "yAxis": {"left": {"min": 0}, "right": {"min": 0}},
    }
    if graph.limits:
        lines = [
            {"label": limit.label, "value": limit.value, "yAxis": _axis(right=limit.right)} for limit in graph.limits
        ]
        rendered["annotations"] = {"horizontal": lines}
    return rendered


def _render_line(line: Line, number: int) -> list[list[object]]:
    metric = line.metric
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    named: list[object] = [metric.namespace, metric.name, *dimensions]
    look: dict[str, object] = {"stat": metric.statistic, "label": line.label, "yAxis": _axis(right=line.right)}
    if not line.per_second:
        return [[*named, look]]
    name = f"m{number}"
    rate = {"expression": f"{name} / PERIOD({name})", "label": line.label, "yAxis": _axis(right=line.right)}
    return [[*named, {**look, "id": name, "visible": False}], [rate]]


def _axis(*, right: bool) -> str:
    return "right" if right else "left"

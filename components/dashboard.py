"""One CloudWatch dashboard: the whole flow, from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import Api
from components.catalog import INDEX_KEYS, Catalog
from components.delivery import Delivery
from components.function import metrics_namespace
from components.intake import Intake
from components.monitoring import OUTCOMES, PERIOD_SECONDS, Watched
from components.settings import StackSettings

COLUMNS = 24
"""Width of a dashboard's grid (CloudWatch, Dashboard body structure and syntax)."""

_WIDTH = 6
_HEIGHT = 6
_TITLE_HEIGHT = 1
_PERCENTILES = ("p50", "p95", "p99")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One metric in a graph.

    Parameters
    ----------
    namespace, name, dimensions
        Which metric.
    statistic, label
        What of it, and what it is called.
    right
        Whether it goes by the right axis.
    per_second
        Whether the sum of a period is shown by the second.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    label: str = ""
    right: bool = False
    per_second: bool = False


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph.

    Parameters
    ----------
    title, lines
        What it shows.
    limit, limit_right
        Name and value of a line that should not be crossed, and whether it goes by the right axis.
    """

    title: str
    lines: Sequence[Line]
    limit: tuple[str, float] | None = None
    limit_right: bool = False


class Dashboard(pulumi.ComponentResource):
    """The stack's dashboard: a row for files, for the work on them, for the functions, for the API and the next system.

    Attributes
    ----------
    url
        Where it is in the AWS console.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        intake: Intake,
        catalog: Catalog,
        api: Api,
        functions: Sequence[Watched],
        delivery: Delivery | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Dashboard", name, None, opts)
        rows = {
            "Files: arrivals, waiting, in flight, outcomes": _files(stack, intake),
            "Work: records, catalog and its indexes": _work(stack, catalog),
            "Functions: duration, errors": _functions(functions),
            "Out: API, delivery, dead letters": _out(stack, api, intake, delivery),
        }
        body = pulumi.Output.json_dumps({"widgets": _place(rows, account.region)})
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-board",
            dashboard_name=stack.prefix,
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            "https://",
            account.region,
            ".console.aws.amazon.com/cloudwatch/home?region=",
            account.region,
            "#dashboards/dashboard/",
            dashboard.dashboard_name,
        )
        self.register_outputs({"url": self.url})


def _files(stack: StackSettings, intake: Intake) -> list[Graph]:
    queue = {"QueueName": intake.queue.name}
    ingest = {"service": "ingest"}
    return [
        Graph(
            title="Arrivals",
            lines=[Line(namespace="AWS/SQS", name="NumberOfMessagesSent", dimensions=queue, label="uploads")],
        ),
        Graph(
            title="Waiting",
            lines=[
                _gauge("ApproximateNumberOfMessagesVisible", queue, "messages"),
                _gauge("ApproximateAgeOfOldestMessage", queue, "oldest, seconds", right=True),
            ],
            limit=("retries end", stack.settings.retry_seconds),
            limit_right=True,
        ),
        Graph(
            title="In flight",
            lines=[_gauge("ApproximateNumberOfMessagesNotVisible", queue, "messages")],
        ),
        Graph(
            title="Outcomes",
            lines=[_own(stack, name, ingest, name.removeprefix("Files").lower()) for name in OUTCOMES]
            + [
                _own(stack, "MessagesReturned", ingest, "messages handed back"),
                _own(stack, "MessagesRefused", ingest, "messages refused"),
            ],
        ),
    ]


def _work(stack: StackSettings, catalog: Catalog) -> list[Graph]:
    files = {"service": "ingest"}
    table: dict[str, pulumi.Input[str]] = {"TableName": catalog.table.name}
    indexes = {f"index {index}": {**table, "GlobalSecondaryIndexName": index} for index in INDEX_KEYS}
    return [
        Graph(
            title="Records",
            lines=[
                _own(stack, "RecordsValid", files, "valid"),
                _own(stack, "RecordsRejected", files, "rejected"),
                _own(stack, "FileSize", files, "bytes", right=True),
            ],
        ),
        # An index has a capacity of its own, and throttles on its own.
        *(
            _capacity(f"Catalog, {name}: units a second", source)
            for name, source in {"table": table, **indexes}.items()
        ),
    ]


def _capacity(title: str, source: Mapping[str, pulumi.Input[str]]) -> Graph:
    """Show the use of a table or an index against its capacity, and where it throttled."""
    used = [
        Line(
            namespace="AWS/DynamoDB",
            name=f"Consumed{kind}CapacityUnits",
            dimensions=source,
            label=f"{kind.lower()}, used",
            per_second=True,
        )
        for kind in ("Read", "Write")
    ]
    provisioned = [
        Line(
            namespace="AWS/DynamoDB",
            name=f"Provisioned{kind}CapacityUnits",
            dimensions=source,
            statistic="Maximum",
            label=f"{kind.lower()}, provisioned",
        )
        for kind in ("Read", "Write")
    ]
    throttled = [
        Line(
            namespace="AWS/DynamoDB",
            name=f"{kind}ThrottleEvents",
            dimensions=source,
            label=f"{kind.lower()} throttles",
            right=True,
        )
        for kind in ("Read", "Write")
    ]
    return Graph(title=title, lines=[*used, *provisioned, *throttled])


def _functions(functions: Sequence[Watched]) -> list[Graph]:
    durations = [
        Graph(
            title=f"Duration of the {watched.purpose} function, ms",
            lines=[
                Line(
                    namespace="AWS/Lambda",
                    name="Duration",
                    dimensions={"FunctionName": watched.function.name},
                    statistic=percentile,
                    label=percentile,
                )
                for percentile in _PERCENTILES
            ],
            limit=("time-out", watched.timeout_seconds * 1000),
        )
        for watched in functions
    ]
    errors = Graph(
        title="Errors and throttles",
        lines=[
            Line(
                namespace="AWS/Lambda",
                name=metric,
                dimensions={"FunctionName": watched.function.name},
                label=f"{watched.purpose} {metric.lower()}",
            )
            for watched in functions
            for metric in ("Errors", "Throttles")
        ],
    )
    return [*durations, errors]


def _out(stack: StackSettings, api: Api, intake: Intake, delivery: Delivery | None) -> list[Graph]:
    endpoint = {"ApiId": api.api.id}
    letters = {"intake": intake.dead_letters, **({"delivery": delivery.dead_letters} if delivery else {})}
    graphs = [
        Graph(
            title="API: requests and errors",
            lines=[
                Line(namespace="AWS/ApiGateway", name=name, dimensions=endpoint, label=label)
                for name, label in (("Count", "requests"), ("4xx", "refused"), ("5xx", "failed"))
            ],
        ),
        Graph(
            title="API: latency, ms",
            lines=[
                Line(
                    namespace="AWS/ApiGateway",
                    name="Latency",
                    dimensions=endpoint,
                    statistic=percentile,
                    label=percentile,
                )
                for percentile in _PERCENTILES
            ],
            limit=("alarm", stack.settings.api_latency_alarm_ms),
        ),
    ]
    if delivery is not None:
        sent = {"service": "delivery"}
        graphs.append(
            Graph(
                title="Delivery",
                lines=[
                    _own(stack, "DeliveriesSent", sent, "sent"),
                    _own(stack, "DeliveriesFailed", sent, "failed, tried again"),
                    _own(stack, "DeliveriesDeadLettered", sent, "dead letters"),
                    Line(
                        namespace="AWS/Lambda",
                        name="IteratorAge",
                        dimensions={"FunctionName": delivery.function.name},
                        statistic="Maximum",
                        label="oldest, ms",
                        right=True,
                    ),
                ],
            )
        )
    graphs.append(
        Graph(
            title="Dead letters",
            lines=[
                _gauge("ApproximateNumberOfMessagesVisible", {"QueueName": queue.name}, purpose)
                for purpose, queue in letters.items()
            ],
        )
    )
    return graphs


def _own(stack: StackSettings, name: str, dimensions: Mapping[str, str], label: str, *, right: bool = False) -> Line:
    """Return a metric that our functions write."""
    return Line(namespace=metrics_namespace(stack), name=name, dimensions=dimensions, label=label, right=right)


def _gauge(name: str, dimensions: Mapping[str, pulumi.Input[str]], label: str, *, right: bool = False) -> Line:
    return Line(namespace="AWS/SQS", name=name, dimensions=dimensions, statistic="Maximum", label=label, right=right)


def _place(rows: Mapping[str, Sequence[Graph]], region: pulumi.Input[str]) -> list[dict[str, object]]:
    """Lay the graphs out, a title over each row."""
    widgets: list[dict[str, object]] = []
    y = 0
    for title, graphs in rows.items():
        text = {"markdown": f"## {title}"}
        widgets.append({"type": "text", "x": 0, "y": y, "width": COLUMNS, "height": _TITLE_HEIGHT, "properties": text})
        y += _TITLE_HEIGHT
        for column, graph in enumerate(graphs):
            place = {"x": column * _WIDTH, "y": y, "width": _WIDTH, "height": _HEIGHT}
            widgets.append({"type": "metric", **place, "properties": _render(graph, region)})
        y += _HEIGHT
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
    if graph.limit is not None:
        label, value = graph.limit
        annotation = {"label": label, "value": value, "yAxis": "right" if graph.limit_right else "left"}
        rendered["annotations"] = {"horizontal": [annotation]}
    return rendered


def _render_line(line: Line, number: int) -> list[list[object]]:
    dimensions = [part for pair in line.dimensions.items() for part in pair]
    axis = "right" if line.right else "left"
    look: dict[str, object] = {"stat": line.statistic, "label": line.label, "yAxis": axis}
    if not line.per_second:
        return [[line.namespace, line.name, *dimensions, look]]
    name = f"m{number}"
    rate = {"expression": f"{name} / PERIOD({name})", "label": line.label, "yAxis": axis}
    return [[line.namespace, line.name, *dimensions, {**look, "id": name, "visible": False}], [rate]]

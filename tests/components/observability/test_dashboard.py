"""The dashboard: CloudWatch can draw it, it reads like the flow, and every graph shows what its title says."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest

from tests.conftest import declare
from tests.declared_stack import DeclaredStack, dig
from tests.metrics import Seen, of_graphs, seen

ENDPOINT: Final = "https://receiver.example.com/files"
INDEXES: Final = ("by-bucket", "by-status")
PERCENTILES: Final = ("p50", "p95", "p99")


@pytest.fixture(scope="module", params=["dev", "prod"])
def everything(request: pytest.FixtureRequest) -> DeclaredStack:
    """Each stage with a delivery."""
    return declare(request.param, overrides={"deliveryEndpoint": ENDPOINT})


def widgets_of(stack: DeclaredStack) -> list[dict[str, object]]:
    widgets: list[dict[str, object]] = json.loads(stack.one("Dashboard", "-board").text("dashboardBody"))["widgets"]
    return widgets


def graphs_of(stack: DeclaredStack) -> dict[object, object]:
    """Title → properties of each graph."""
    return {
        dig(widget, "properties", "title"): widget["properties"]
        for widget in widgets_of(stack)
        if widget["type"] == "metric"
    }


def expected_catalog_graphs(table: dict[str, str]) -> dict[str, list[Seen]]:
    sources = {"table": table} | {f"index {i}": table | {"GlobalSecondaryIndexName": i} for i in INDEXES}
    return {
        **{
            f"Catalog, {name}: units a second": [
                *(seen("AWS/DynamoDB", f"Consumed{kind}CapacityUnits", source) for kind in ("Read", "Write")),
                *(
                    seen("AWS/DynamoDB", f"Provisioned{kind}CapacityUnits", source, "Maximum")
                    for kind in ("Read", "Write")
                ),
                *(seen("AWS/DynamoDB", f"{kind}ThrottleEvents", source) for kind in ("Read", "Write")),
            ]
            for name, source in sources.items()
        },
    }


def expected_graphs(stage: str) -> dict[str, list[Seen]]:
    prefix = f"file-pipeline-{stage}"
    own = f"file-pipeline/{stage}"
    queue, *letters = (
        {"QueueName": f"{prefix}-{name}"} for name in ("intake-queue", "intake-dead-letters", "delivery-dead-letters")
    )
    functions = {p: {"FunctionName": f"{prefix}-{p}"} for p in ("ingest", "api", "reconcile", "forward", "delivery")}
    messages = {"QueueName": f"{prefix}-delivery-queue"}
    starts = {p: {"function_name": f"{prefix}-{p}", "service": p} for p in functions}
    api, table = {"ApiId": f"{prefix}-api"}, {"TableName": f"{prefix}-catalog-table"}
    visible = "ApproximateNumberOfMessagesVisible"

    def by(service: str, *names: str) -> list[Seen]:
        return [seen(own, name, {"service": service}) for name in names]

    return {
        "Arrivals": [
            *(seen("AWS/SQS", f"NumberOfMessages{what}", queue) for what in ("Sent", "Deleted")),
            *by("reconcile", "UploadsMissed"),
        ],
        "Waiting and in flight": [
            seen("AWS/SQS", name, queue, "Maximum")
            for name in (visible, "ApproximateNumberOfMessagesNotVisible", "ApproximateAgeOfOldestMessage")
        ],
        "Outcomes": by(
            "ingest",
            *("FilesCompleted", "FilesFailed", "FilesRejected", "FilesSkipped"),
            *("MessagesReturned", "MessagesDeadLettered"),
        ),
        "Time for a file, ms": [seen(own, "ProcessingTime", {"service": "ingest"}, stat) for stat in PERCENTILES],
        "From upload to final status, ms": [
            *(seen(own, "TimeToFinal", {"service": "ingest"}, stat) for stat in PERCENTILES),
            *by("ingest", "FilesLate"),
        ],
        "Records": [
            *by("ingest", "RecordsValid", "RecordsRejected"),
            *by("api", "RecordsValid", "RecordsRejected"),
            *by("ingest", "FileSize"),
        ],
        **expected_catalog_graphs(table),
        **{
            f"Duration of the {purpose} function, ms": [
                seen("AWS/Lambda", "Duration", dimensions, stat) for stat in PERCENTILES
            ]
            for purpose, dimensions in functions.items()
        },
        "Errors, throttles and cold starts": [
            *(seen("AWS/Lambda", name, of) for of in functions.values() for name in ("Errors", "Throttles")),
            *(seen(own, "ColdStart", dimensions) for dimensions in starts.values()),
        ],
        "API: requests and errors": [
            seen("AWS/ApiGateway", "Count", api),
            *by("api", "Requests"),
            *(seen("AWS/ApiGateway", name, api) for name in ("4xx", "5xx")),
        ],
        "API: latency, ms": [seen("AWS/ApiGateway", "Latency", api, stat) for stat in PERCENTILES],
        "Delivery": [
            *by("delivery", "DeliveriesSent", "DeliveriesFailed", "DeliveriesDeadLettered"),
            seen("AWS/SQS", visible, messages, "Maximum"),
            seen("AWS/SQS", "ApproximateAgeOfOldestMessage", messages, "Maximum"),
        ],
        "Forwarding": [
            *by("forward", "ChangesQueued", "BatchesReturned", "ChangesDeadLettered"),
            seen("AWS/Lambda", "IteratorAge", functions["forward"], "Maximum"),
        ],
        "Dead-letter messages": [seen("AWS/SQS", visible, of, "Maximum") for of in letters],
    }


def test_every_graph_shows_what_its_title_says(everything: DeclaredStack) -> None:
    """By namespace, name, dimensions of the declared resources, and statistic; left to right, then down."""
    found, expected = of_graphs(everything), expected_graphs(everything.stage)

    assert found == expected
    assert list(found) == list(expected)


def test_cloudwatch_can_draw_it(everything: DeclaredStack) -> None:
    """Dashboard body structure and syntax, CloudWatch API Reference."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", everything.one("Dashboard", "-board").text("dashboardName"))
    taken: set[tuple[int, int]] = set()
    for widget in widgets_of(everything):
        x, y, width, height = (int(str(widget[name])) for name in ("x", "y", "width", "height"))
        assert widget["type"] in {"text", "metric"}
        assert 0 <= x <= 23
        assert 1 <= width <= 24 - x
        assert 1 <= height <= 1000
        cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert not cells & taken, f"{widget['properties']} lies over another"
        taken |= cells
        if widget["type"] == "text":
            assert dig(widget, "properties", "markdown")
    for properties in graphs_of(everything).values():
        assert dig(properties, "region") == "eu-central-1"
        assert (dig(properties, "view"), dig(properties, "period")) == ("timeSeries", 300)
        lines = dig(properties, "metrics")
        assert isinstance(lines, list)
        ids = {dig(line, len(line) - 1, "id") for line in lines}
        for *_, look in lines:
            assert look["yAxis"] in {"left", "right"}
            assert look["label"]
            rate = re.fullmatch(r"(m\d+) / PERIOD\(\1\)", look.get("expression", "m0 / PERIOD(m0)"))
            assert rate
            assert rate[1] in ids or "expression" not in look


def test_limits_are_where_the_settings_put_them(everything: DeclaredStack) -> None:
    def limit(title: str) -> object:
        return dig(graphs_of(everything)[title], "annotations", "horizontal", 0, "value")

    for purpose in ("ingest", "api", "reconcile", "forward", "delivery"):
        timeout = everything.one("Function", f"-{purpose}").number("timeout")
        assert limit(f"Duration of the {purpose} function, ms") == 1000 * timeout
    assert limit("API: latency, ms") == 5000
    assert limit("From upload to final status, ms") == 300_000
    visibility = everything.one("Queue", "-intake-queue").number("visibilityTimeoutSeconds")
    assert limit("Waiting and in flight") == 5 * visibility


def test_the_dashboard_without_a_target() -> None:
    stack = declare("dev", overrides={"finalWithinSeconds": 0})

    shown = of_graphs(stack)["From upload to final status, ms"]

    assert {metric.name for metric in shown} == {"TimeToFinal"}
    assert dig(graphs_of(stack), "From upload to final status, ms", "annotations") is None


def test_the_dashboard_without_a_delivery(dev: DeclaredStack) -> None:
    assert not [title for title in of_graphs(dev) if "elivery" in title]
    assert str(dev.outputs["dashboardUrl"]).endswith("#dashboards/dashboard/file-pipeline-dev")

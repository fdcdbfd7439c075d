"""Alarms and the dashboard: every metric exists, every alarm has its runbook, every graph has its place."""

from __future__ import annotations

import json
import re
from typing import Final, cast

import pytest

from local.stack_config import ROOT
from tests.conftest import Declared, DeclaredStack, declare

ENDPOINT: Final = "https://receiver.example.com/files"

# What AWS emits, with the dimensions that it emits it by: the user guides of Lambda, SQS, DynamoDB and API Gateway.
AWS_METRICS: Final = {
    "AWS/Lambda": ({"FunctionName"}, {"Duration", "Errors", "IteratorAge", "Throttles"}),
    "AWS/SQS": (
        {"QueueName"},
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesSent",
        },
    ),
    "AWS/ApiGateway": ({"ApiId"}, {"4xx", "5xx", "Count", "Latency"}),
    "AWS/DynamoDB": (
        {"TableName", "GlobalSecondaryIndexName"},
        {
            *("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
            *("ProvisionedReadCapacityUnits", "ProvisionedWriteCapacityUnits"),
            *("ReadThrottleEvents", "WriteThrottleEvents"),
        },
    ),
}


@pytest.fixture(scope="module", params=["dev", "prod"])
def everything(request: pytest.FixtureRequest) -> DeclaredStack:
    """Each stage with a delivery."""
    return declare(request.param, overrides={"deliveryEndpoint": ENDPOINT})


def emitted() -> dict[str, set[str]]:
    """Service → the metrics that its handler writes, read from its code."""
    found: dict[str, set[str]] = {}
    for service in ("ingest", "api", "delivery"):
        text = "".join(path.read_text() for path in (ROOT / "lambda_src" / service).glob("*.py"))
        names = set(
            re.findall(r'"((?:Files|Messages|Records|Deliveries|Requests|ProcessingTime|FileSize)[A-Za-z]*)"', text)
        )
        found[service] = names | (
            {f"Files{status}" for status in ("Completed", "Failed", "Rejected", "Skipped")}
            if service == "ingest"
            else set()
        )
    return found


def named(stack: DeclaredStack, kind: str, name: str = "") -> str:
    """What AWS calls a declared resource."""
    resource = stack.one(kind, name)
    return str(resource.inputs.get("name") or resource.name)


def functions_of(stack: DeclaredStack) -> dict[str, dict[str, str]]:
    """Purpose of each function → the dimensions of its metrics."""
    return {
        purpose: {"FunctionName": named(stack, "Function", f"-{purpose}")} for purpose in ("ingest", "api", "delivery")
    }


def queues_of(stack: DeclaredStack) -> dict[str, dict[str, str]]:
    """What each queue is → the dimensions of its metrics."""
    suffixes = {"intake": "-intake-queue", "intake letters": "-intake-dead-letters"}
    suffixes["delivery letters"] = "-delivery-dead-letters"
    return {what: {"QueueName": named(stack, "Queue", suffix)} for what, suffix in suffixes.items()}


def catalog_of(stack: DeclaredStack) -> dict[str, dict[str, str]]:
    """The table and each index → the dimensions of its metrics."""
    table = {"TableName": named(stack, "Table")}
    indexes = {str(i["name"]) for i in stack.one("Table").parts("globalSecondaryIndexes")}
    return {"table": table, **{f"index {i}": {**table, "GlobalSecondaryIndexName": i} for i in sorted(indexes)}}


def metrics_of(alarm: Declared) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of all that an alarm looks at."""
    if alarm.inputs.get("metricName"):
        return [(alarm.text("namespace"), alarm.text("metricName"), cast("dict[str, str]", alarm.part("dimensions")))]
    parts = [cast("dict[str, object]", query["metric"]) for query in alarm.parts("metricQueries") if "metric" in query]
    return [
        (str(part["namespace"]), str(part["metricName"]), cast("dict[str, str]", part["dimensions"])) for part in parts
    ]


def assert_exists(namespace: str, name: str, dimensions: dict[str, str], stage: str) -> None:
    if namespace in AWS_METRICS:
        keys, names = AWS_METRICS[namespace]
        assert set(dimensions) <= keys
        assert name in names
    else:
        assert namespace == f"file-pipeline/{stage}"
        assert set(dimensions) == {"service"}
        assert name in emitted()[dimensions["service"]], name


def test_every_alarm_looks_at_metrics_that_exist(everything: DeclaredStack) -> None:
    for alarm in everything.all("MetricAlarm"):
        looked_at = metrics_of(alarm)
        assert looked_at, alarm.name
        for metric in looked_at:
            assert_exists(*metric, everything.stage)


def test_every_alarm_has_its_runbook_and_tells_somebody(everything: DeclaredStack) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    sections = set(re.findall(r"^### (.+)$", guide, re.MULTILINE))
    topic = everything.one("Topic")
    used = set()
    for alarm in everything.all("MetricAlarm"):
        text = alarm.text("alarmDescription")
        found = re.search(r"Likely causes: .+\. What to do: docs/operations\.md, section '(.+)'\.$", text)
        assert found, text
        assert found[1] in sections, found[1]
        assert len(text) <= 1024, "CloudWatch takes no longer description"
        assert (
            alarm.inputs["alarmActions"]
            == alarm.inputs["okActions"]
            == [f"arn:aws:sns:eu-central-1:123456789012:{topic.name}"]
        )
        assert alarm.text("treatMissingData") == "notBreaching"
        used.add(found[1])
    before, _, _ = guide.partition("## Without an alarm")
    assert set(re.findall(r"^### (.+)$", before, re.MULTILINE)) == used, "a runbook without an alarm"


def test_every_alarm_of_the_requirements_is_there(everything: DeclaredStack) -> None:
    prefix = f"file-pipeline-{everything.stage}-monitoring-"
    names = {alarm.name.removeprefix(prefix) for alarm in everything.all("MetricAlarm")}

    assert names == {
        *(
            f"{function}-{what}"
            for function in ("ingest", "api", "delivery")
            for what in ("errors", "duration", "throttles")
        ),
        *("ingest-failures", "table-throttles", "intake-age", "intake-dead-letters"),
        *("api-5xx", "api-latency", "delivery-age", "delivery-dead-letters"),
    }


def test_every_alarm_looks_at_its_own_resource(everything: DeclaredStack) -> None:
    queues, own, api = queues_of(everything), f"file-pipeline/{everything.stage}", {"ApiId": named(everything, "Api")}
    letters, outcomes = "ApproximateNumberOfMessagesVisible", ("Completed", "Failed", "Rejected", "Skipped")
    functions = functions_of(everything)
    expected: dict[str, list[tuple[str, str, dict[str, str]]]] = {
        **{
            f"{purpose}-{metric.lower()}": [("AWS/Lambda", metric, dimensions)]
            for purpose, dimensions in functions.items()
            for metric in ("Errors", "Duration", "Throttles")
        },
        "ingest-failures": [(own, f"Files{outcome}", {"service": "ingest"}) for outcome in outcomes],
        "table-throttles": [
            ("AWS/DynamoDB", f"{kind}ThrottleEvents", source)
            for source in catalog_of(everything).values()
            for kind in ("Read", "Write")
        ],
        "intake-age": [("AWS/SQS", "ApproximateAgeOfOldestMessage", queues["intake"])],
        "intake-dead-letters": [("AWS/SQS", letters, queues["intake letters"])],
        "delivery-dead-letters": [("AWS/SQS", letters, queues["delivery letters"])],
        "delivery-age": [("AWS/Lambda", "IteratorAge", functions["delivery"])],
        "api-5xx": [("AWS/ApiGateway", "5xx", api)],
        "api-latency": [("AWS/ApiGateway", "Latency", api)],
    }
    prefix = f"file-pipeline-{everything.stage}-monitoring-"

    found = {alarm.name.removeprefix(prefix): metrics_of(alarm) for alarm in everything.all("MetricAlarm")}

    assert found == expected


@pytest.mark.parametrize(
    ("outcomes", "alarmed"),
    [
        ({}, False),
        ({"FilesCompleted": 100}, False),
        ({"FilesCompleted": 95, "FilesFailed": 5}, False),
        ({"FilesCompleted": 94, "FilesFailed": 6}, True),
        ({"FilesFailed": 1}, True),
        ({"FilesSkipped": 10, "FilesRejected": 10, "FilesFailed": 1}, False),
    ],
)
def test_the_failure_rate_is_silent_without_files(dev: DeclaredStack, outcomes: dict[str, int], alarmed: bool) -> None:
    """CloudWatch's expression, computed here: IF and FILL as its user guide says."""
    alarm = dev.one("MetricAlarm", "-ingest-failures")
    (query,) = [query for query in alarm.parts("metricQueries") if "expression" in query]
    names = {
        str(query["id"]): str(cast("dict[str, object]", query["metric"])["metricName"])
        for query in alarm.parts("metricQueries")
        if "metric" in query
    }
    values = {metric: outcomes.get(name) for metric, name in names.items()}

    def choose(condition: bool, yes: float, no: float) -> float:
        return yes if condition else no

    text = str(query["expression"])
    total = sum(outcomes.values())
    expression = re.sub(r"FILL\((m\d), 0\)", lambda found: str(values[found[1]] or 0), text)
    condition, yes, no = expression.removeprefix("IF(").removesuffix(")").rsplit(", ", 2)
    rate = choose(total > 0, eval(yes) if total else 0, float(no))  # noqa: S307 - the program's own expression

    assert condition == f"({' + '.join(str(values[f'm{n}'] or 0) for n in range(4))}) > 0"
    assert (rate > alarm.number("threshold")) is alarmed


def test_the_dashboard_is_as_cloudwatch_documents_it(everything: DeclaredStack) -> None:
    """Dashboard body structure and syntax, CloudWatch API Reference."""
    board = everything.one("Dashboard", "-board")
    widgets = json.loads(board.text("dashboardBody"))["widgets"]

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", board.text("dashboardName"))
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        assert widget["type"] in {"text", "metric"}
        assert 0 <= widget["x"] <= 23
        assert 1 <= widget["width"] <= 24 - widget["x"]
        assert 1 <= widget["height"] <= 1000
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, f"{widget['properties']} lies over another"
        taken |= cells
        properties = widget["properties"]
        if widget["type"] == "text":
            assert properties["markdown"]
            continue
        assert properties["region"] == "eu-central-1"
        assert properties["view"] == "timeSeries"
        assert properties["period"] % 60 == 0
        assert 1 <= len(properties["metrics"]) <= 500
        ids = {line[-1].get("id") for line in properties["metrics"]}
        for expression in (line[0] for line in properties["metrics"] if len(line) == 1):
            assert set(re.findall(r"m\d+", expression["expression"])) <= ids
        for namespace, name, *rest in (line for line in properties["metrics"] if len(line) > 1):
            *pairs, look = rest
            assert look["stat"] in {"Sum", "Maximum", "p50", "p95", "p99"}
            assert look["yAxis"] in {"left", "right"}
            assert_exists(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)), everything.stage)
        for line in properties.get("annotations", {}).get("horizontal", []):
            assert isinstance(line["value"], int | float)


def test_the_dashboard_reads_like_the_flow(everything: DeclaredStack) -> None:
    widgets = json.loads(everything.one("Dashboard", "-board").text("dashboardBody"))["widgets"]
    titles = [
        w["properties"]["title"] for w in sorted(widgets, key=lambda w: (w["y"], w["x"])) if w["type"] == "metric"
    ]

    assert titles == [
        *("Arrivals", "Waiting", "In flight", "Outcomes"),
        *("Records", *(f"Catalog, {part}: units a second" for part in ("table", "index by-bucket", "index by-status"))),
        *(f"Duration of the {function} function, ms" for function in ("ingest", "api", "delivery")),
        "Errors and throttles",
        *("API: requests and errors", "API: latency, ms", "Delivery", "Dead letters"),
    ]


def test_every_graph_shows_its_own_resource(everything: DeclaredStack) -> None:
    """By the dimensions of the declared resources; what the functions count themselves has none but the service."""
    queues, functions, api = queues_of(everything), functions_of(everything), {"ApiId": named(everything, "Api")}
    letters, percentiles = "ApproximateNumberOfMessagesVisible", ("p50", "p95", "p99")
    kinds = [f"{use}CapacityUnits" for use in ("ConsumedRead", "ConsumedWrite", "ProvisionedRead", "ProvisionedWrite")]
    kinds += ["ReadThrottleEvents", "WriteThrottleEvents"]
    expected = {
        "Arrivals": [("NumberOfMessagesSent", queues["intake"])],
        "Waiting": [(letters, queues["intake"]), ("ApproximateAgeOfOldestMessage", queues["intake"])],
        "In flight": [("ApproximateNumberOfMessagesNotVisible", queues["intake"])],
        **{
            f"Catalog, {part}: units a second": [(kind, dimensions) for kind in kinds]
            for part, dimensions in catalog_of(everything).items()
        },
        **{
            f"Duration of the {purpose} function, ms": [("Duration", dimensions) for _ in percentiles]
            for purpose, dimensions in functions.items()
        },
        "Errors and throttles": [(kind, of) for of in functions.values() for kind in ("Errors", "Throttles")],
        "API: requests and errors": [(name, api) for name in ("Count", "4xx", "5xx")],
        "API: latency, ms": [("Latency", api) for _ in percentiles],
        "Delivery": [("IteratorAge", functions["delivery"])],
        "Dead letters": [(letters, queues["intake letters"]), (letters, queues["delivery letters"])],
    }
    found: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for widget in json.loads(everything.one("Dashboard", "-board").text("dashboardBody"))["widgets"]:
        for namespace, name, *rest in (m for m in widget["properties"].get("metrics", []) if len(m) > 1):
            if namespace.startswith("AWS/"):
                of = dict(zip(rest[:-1:2], rest[1:-1:2], strict=True))
                found.setdefault(widget["properties"]["title"], []).append((name, of))

    assert found == expected


def test_every_function_has_its_duration_against_its_time_out(everything: DeclaredStack) -> None:
    widgets = json.loads(everything.one("Dashboard", "-board").text("dashboardBody"))["widgets"]
    graphs = {widget["properties"].get("title"): widget["properties"] for widget in widgets}
    for purpose in functions_of(everything):
        graph = graphs[f"Duration of the {purpose} function, ms"]
        (limit,) = graph["annotations"]["horizontal"]

        assert [line[-1]["stat"] for line in graph["metrics"]] == ["p50", "p95", "p99"]
        assert limit["value"] == 1000 * everything.one("Function", f"-{purpose}").number("timeout")


def test_the_dashboard_without_a_delivery(dev: DeclaredStack) -> None:
    body = dev.one("Dashboard", "-board").text("dashboardBody")

    assert "Delivery" not in body
    assert str(dev.outputs["dashboardUrl"]).endswith("#dashboards/dashboard/file-pipeline-dev")

"""One CloudWatch dashboard: the whole flow, from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.observability.flow import Flow, ObservedApi, ObservedDelivery, ObservedFunction
from components.observability.graph import Graph, Limit, Line, percentiles, place
from components.observability.metrics import (
    ApiMetrics,
    DeliveryMetrics,
    DynamoDbMetrics,
    ForwardMetrics,
    HttpApiMetrics,
    IngestMetrics,
    LambdaMetrics,
    ReconcileMetrics,
    SqsMetrics,
    cold_starts,
)


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """What is drawn.

    Parameters
    ----------
    title
        The dashboard's name in the console.
    rows
        Title of a row → its graphs.
    """

    title: str
    rows: Mapping[str, Sequence[Graph]]


class Dashboard(pulumi.ComponentResource):
    """A CloudWatch dashboard of rows of graphs.

    Attributes
    ----------
    url
        Where it is in the AWS console.
    """

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Dashboard", name, None, opts)
        region = Account(self).region
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-board",
            dashboard_name=args.title,
            dashboard_body=pulumi.Output.json_dumps({"widgets": place(args.rows, region)}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            "https://",
            region,
            ".console.aws.amazon.com/cloudwatch/home?region=",
            region,
            "#dashboards/dashboard/",
            dashboard.dashboard_name,
        )
        self.register_outputs({"url": self.url})


def pipeline_rows(flow: Flow) -> dict[str, list[Graph]]:
    """Return the rows of a pipeline: files, the work on them, the functions, the API and the next system."""
    return {
        "Files: arrivals, waiting, outcomes": _files(flow),
        "Work: records, catalog and its indexes": _work(flow),
        "Functions: duration, errors": _functions(flow),
        "Out: API, delivery, dead-letter messages": _out(flow),
    }


def _files(flow: Flow) -> list[Graph]:
    queue, ingest = SqsMetrics(flow.intake.queue_name), IngestMetrics(flow.namespace)
    missed = [Line(ReconcileMetrics(flow.namespace).missed, "found by the search")] if flow.reconciles else []
    return [
        Graph("Arrivals", [Line(queue.sent, "uploads"), Line(queue.deleted, "messages done"), *missed]),
        Graph(
            "Waiting and in flight",
            [
                Line(queue.visible, "waiting"),
                Line(queue.in_flight, "in flight"),
                Line(queue.oldest, "oldest, seconds", right=True),
            ],
            [Limit("retries end", flow.intake.retry_seconds, right=True)],
        ),
        Graph(
            "Outcomes",
            [
                *(Line(metric, outcome) for outcome, metric in ingest.outcomes.items()),
                Line(ingest.messages_returned, "messages handed back"),
                Line(ingest.messages_dead_lettered, "messages dead-lettered"),
            ],
        ),
        Graph("Time for a file, ms", percentiles(ingest.processing_time)),
        _time_to_final(flow, ingest),
    ]


def _time_to_final(flow: Flow, ingest: IngestMetrics) -> Graph:
    title, lines = "From upload to final status, ms", percentiles(ingest.time_to_final)
    if not flow.final_within_seconds:
        return Graph(title, lines)
    target = Limit(f"target for {flow.final_within_percent} %", flow.final_within_seconds * 1000)
    return Graph(title, [*lines, Line(ingest.late, "late files", right=True)], [target])


def _work(flow: Flow) -> list[Graph]:
    ingest, api = IngestMetrics(flow.namespace), ApiMetrics(flow.namespace)
    through_api = [
        Line(api.records_valid, "through the API, valid"),
        Line(api.records_rejected, "through the API, rejected"),
    ]
    return [
        Graph(
            "Records",
            [
                Line(ingest.records_valid, "in files, valid"),
                Line(ingest.records_rejected, "in files, rejected"),
                *(through_api if flow.api else []),
                Line(ingest.file_size, "bytes of files", right=True),
            ],
        ),
        *(_capacity(source, metrics) for source, metrics in DynamoDbMetrics.of(flow.table_name).items()),
    ]


def _capacity(source: str, metrics: DynamoDbMetrics) -> Graph:
    """Show the use of a table or an index against its capacity, and where it throttled."""
    title = f"Catalog, {source if source == 'table' else f'index {source}'}: units a second"
    return Graph(
        title,
        [
            *(Line(metric, f"{kind.lower()}, used", per_second=True) for kind, metric in metrics.consumed.items()),
            *(Line(metric, f"{kind.lower()}, provisioned") for kind, metric in metrics.provisioned.items()),
            *(Line(metric, f"{kind.lower()} throttles", right=True) for kind, metric in metrics.throttles.items()),
        ],
    )


def _functions(flow: Flow) -> list[Graph]:
    lambdas = {function.purpose: LambdaMetrics(function.name) for function in flow.functions}
    errors = [
        Line(metric, f"{purpose} {what}")
        for purpose, metrics in lambdas.items()
        for what, metric in (("errors", metrics.errors), ("throttles", metrics.throttles))
    ]
    starts = [
        Line(
            cold_starts(flow.namespace, function.purpose, function.name), f"{function.purpose} cold starts", right=True
        )
        for function in flow.functions
    ]
    durations = [_duration(function, lambdas[function.purpose]) for function in flow.functions]
    return [*durations, Graph("Errors, throttles and cold starts", [*errors, *starts])]


def _duration(function: ObservedFunction, metrics: LambdaMetrics) -> Graph:
    return Graph(
        f"Duration of the {function.purpose} function, ms",
        percentiles(metrics.duration),
        [Limit("time-out", function.timeout_seconds * 1000)],
    )


def _out(flow: Flow) -> list[Graph]:
    queues = {"intake": flow.intake.dead_letters_name}
    if flow.delivery:
        queues["delivery"] = flow.delivery.dead_letters_name
    return [
        *(_api(flow.namespace, flow.api) if flow.api else []),
        *(_delivery(flow.namespace, flow.delivery) if flow.delivery else []),
        Graph("Dead-letter messages", [Line(SqsMetrics(queue).visible, purpose) for purpose, queue in queues.items()]),
    ]


def _api(namespace: str, api: ObservedApi) -> list[Graph]:
    http, function = HttpApiMetrics(api.api_id), ApiMetrics(namespace)
    return [
        Graph(
            "API: requests and errors",
            [
                Line(http.requests, "requests"),
                Line(function.requests, "let in"),
                Line(http.client_errors, "refused"),
                Line(http.server_errors, "failed"),
            ],
        ),
        Graph("API: latency, ms", percentiles(http.latency), [Limit("alarm", api.latency_alarm_ms)]),
    ]


def _delivery(namespace: str, delivery: ObservedDelivery) -> list[Graph]:
    sent, forward = DeliveryMetrics(namespace), ForwardMetrics(namespace)
    queue, stream = SqsMetrics(delivery.queue_name), LambdaMetrics(delivery.forward_function_name)
    return [
        Graph(
            "Delivery",
            [
                Line(sent.sent, "sent"),
                Line(sent.failed, "failed, tried again"),
                Line(sent.dead_lettered, "dead-letter messages"),
                Line(queue.visible, "waiting"),
                Line(queue.oldest, "oldest, seconds", right=True),
            ],
        ),
        Graph(
            "Forwarding",
            [
                Line(forward.queued, "queued"),
                Line(forward.returned, "batches that failed"),
                Line(forward.dead_lettered, "dead-letter messages"),
                Line(stream.iterator_age, "oldest, ms", right=True),
            ],
        ),
    ]

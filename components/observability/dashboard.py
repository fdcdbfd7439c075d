"""One CloudWatch dashboard: the whole flow, from left to right."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.api import Api
from components.catalog import Catalog
from components.delivery import Delivery
from components.intake import Intake
from components.observability.alarms import Watched
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
from components.settings import StackSettings


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
            "Files: arrivals, waiting, outcomes": _files(stack, intake),
            "Work: records, catalog and its indexes": _work(stack, catalog),
            "Functions: duration, errors": _functions(stack, functions),
            "Out: API, delivery, dead letters": _out(stack, api, intake, delivery),
        }
        body = pulumi.Output.json_dumps({"widgets": place(rows, account.region)})
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
    queue, ingest = SqsMetrics(intake.queue), IngestMetrics(stack)
    missed = (
        [Line(ReconcileMetrics(stack).missed, "found by the search")] if stack.settings.reconciliation_hours else []
    )
    return [
        Graph("Arrivals", [Line(queue.sent, "uploads"), Line(queue.deleted, "messages done"), *missed]),
        Graph(
            "Waiting and in flight",
            [
                Line(queue.visible, "waiting"),
                Line(queue.in_flight, "in flight"),
                Line(queue.oldest, "oldest, seconds", right=True),
            ],
            [Limit("retries end", stack.settings.retry_seconds, right=True)],
        ),
        Graph(
            "Outcomes",
            [
                *(Line(metric, outcome) for outcome, metric in ingest.outcomes.items()),
                Line(ingest.messages_returned, "messages handed back"),
                Line(ingest.messages_refused, "messages refused"),
            ],
        ),
        Graph("Time for a file, ms", percentiles(ingest.processing_time)),
    ]


def _work(stack: StackSettings, catalog: Catalog) -> list[Graph]:
    ingest, api = IngestMetrics(stack), ApiMetrics(stack)
    return [
        Graph(
            "Records",
            [
                Line(ingest.records_valid, "in files, valid"),
                Line(ingest.records_rejected, "in files, rejected"),
                Line(api.records_valid, "through the API, valid"),
                Line(api.records_rejected, "through the API, rejected"),
                Line(ingest.file_size, "bytes of files", right=True),
            ],
        ),
        *(_capacity(source, metrics) for source, metrics in DynamoDbMetrics.of(catalog.table).items()),
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


def _functions(stack: StackSettings, functions: Sequence[Watched]) -> list[Graph]:
    lambdas = {watched.purpose: LambdaMetrics(watched.function) for watched in functions}
    durations = [
        Graph(
            f"Duration of the {watched.purpose} function, ms",
            percentiles(lambdas[watched.purpose].duration),
            [Limit("time-out", watched.timeout_seconds * 1000)],
        )
        for watched in functions
    ]
    errors = [
        Line(metric, f"{purpose} {what}")
        for purpose, metrics in lambdas.items()
        for what, metric in (("errors", metrics.errors), ("throttles", metrics.throttles))
    ]
    starts = [
        Line(cold_starts(stack, watched.purpose, watched.function), f"{watched.purpose} cold starts", right=True)
        for watched in functions
    ]
    return [*durations, Graph("Errors, throttles and cold starts", [*errors, *starts])]


def _out(stack: StackSettings, api: Api, intake: Intake, delivery: Delivery | None) -> list[Graph]:
    http, function = HttpApiMetrics(api.api), ApiMetrics(stack)
    queues = {"intake": intake.dead_letters, **({"delivery": delivery.dead_letters} if delivery else {})}
    graphs = [
        Graph(
            "API: requests and errors",
            [
                Line(http.requests, "requests"),
                Line(function.requests, "let in"),
                Line(http.client_errors, "refused"),
                Line(http.server_errors, "failed"),
            ],
        ),
        Graph(
            "API: latency, ms",
            percentiles(http.latency),
            [Limit("alarm", stack.settings.api_latency_alarm_ms)],
        ),
    ]
    if delivery is not None:
        graphs += _delivery(stack, delivery)
    graphs.append(
        Graph("Dead letters", [Line(SqsMetrics(queue).visible, purpose) for purpose, queue in queues.items()])
    )
    return graphs


def _delivery(stack: StackSettings, delivery: Delivery) -> list[Graph]:
    sent, forward, queue = DeliveryMetrics(stack), ForwardMetrics(stack), SqsMetrics(delivery.queue)
    return [
        Graph(
            "Delivery",
            [
                Line(sent.sent, "sent"),
                Line(sent.failed, "failed, tried again"),
                Line(sent.dead_lettered, "dead letters"),
                Line(queue.visible, "waiting"),
                Line(queue.oldest, "oldest, s", right=True),
            ],
        ),
        Graph(
            "Forwarding",
            [
                Line(forward.queued, "queued"),
                Line(forward.returned, "batches that failed"),
                Line(forward.dead_lettered, "dead letters"),
                Line(LambdaMetrics(delivery.forward_function).iterator_age, "oldest, ms", right=True),
            ],
        ),
    ]

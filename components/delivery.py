"""Delivery: the next system is sent every finished file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.addresses import FORBIDDEN_NETWORKS
from components.catalog import Catalog
from components.dead_letters import (
    DATA_KEY_REUSE_SECONDS,
    DAY_SECONDS,
    DEDUPLICATION_SCOPE,
    THROUGHPUT_LIMIT,
    DeadLetterArgs,
    allow_redrive,
    dead_letter_queue,
    grant_dead_letter,
    redrive_policy,
)
from components.function import Function, FunctionArgs, RuntimeArgs
from components.iam import Statement, deny_insecure_transport, policy_document
from components.packaging import Archive
from components.queues import VISIBILITY_PER_TIMEOUT, feed_function
from components.secret import Secret

DELIVERED_STATUSES = ("COMPLETED", "FAILED", "REJECTED")
"""The statuses of a file that the next system is sent."""

STREAM_BATCH_SIZE = 100
"""Changes that one invocation queues, ten with each request."""

STREAM_PARALLELIZATION = 4
"""Batches of one shard that run at once: a shard takes 1,000 writes a second, and a request takes about 20 ms."""

QUEUE_RETENTION_DAYS = 14
"""The longest that SQS keeps a message: one that waits behind others of its file is not lost before it is tried."""

CONNECT_SECONDS = 3
"""How long the function waits for a connection."""

MAX_TIMEOUT_SECONDS = 900
"""The longest that a function may run (Lambda Developer Guide, Quotas)."""

FIRST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 300
"""Waits between the tries of a message: the first one, which doubles each time, and the longest."""

_TRIES = 2
_AWS_CALLS = 3


@dataclass(frozen=True, kw_only=True)
class DeliveryArgs:
    """What is delivered where, and how long it is tried.

    Parameters
    ----------
    runtime
        What the functions have in common with the pipeline's others.
    forward_code, code
        The code of the function that fills the queue, and of the one that posts its messages.
    catalog
        The table whose stream is read.
    secret
        What the next system is shown.
    dead_letters
        How what could not be delivered is kept, in a FIFO queue.
    endpoint
        HTTPS URL that every finished file is posted to.
    endpoint_timeout_seconds
        Seconds that the endpoint may take to answer.
    forbidden_networks
        Addresses that nothing is delivered to, in CIDR notation.
    retry_seconds
        Seconds for which a message that fails is tried again, from its first try on. Then it is dead-lettered.
    max_concurrency
        Deliveries that run at once; from 2 to 1000.
    deliver_checks
        Whether the files that `operate check` uploads are delivered too.
    forward_timeout_seconds
        Time-out of the function that fills the queue.
    time_reserve_seconds
        Seconds that a call of AWS may take at most.
    """

    runtime: RuntimeArgs
    forward_code: Archive
    code: Archive
    catalog: Catalog
    secret: Secret
    dead_letters: DeadLetterArgs
    endpoint: str
    endpoint_timeout_seconds: int = 10
    forbidden_networks: Sequence[str] = FORBIDDEN_NETWORKS
    retry_seconds: int = 21_600
    max_concurrency: int = 5
    deliver_checks: bool = False
    forward_timeout_seconds: int = 120
    time_reserve_seconds: int = 10

    @property
    def timeout_seconds(self) -> int:
        """Time-out of the function that posts: a try, one more with a fresh secret, and slow calls of AWS."""
        needed = _TRIES * (CONNECT_SECONDS + self.endpoint_timeout_seconds) + _AWS_CALLS * self.time_reserve_seconds
        return min(needed, MAX_TIMEOUT_SECONDS)


class Delivery(pulumi.ComponentResource):
    """A FIFO queue of finished files, the function that fills it from the catalog's stream, and the one that posts.

    Attributes
    ----------
    forward_function, function
        The function that fills the queue, and the one that posts its messages.
    timeout_seconds
        Time-out of the one that posts.
    queue
        The queue, whose message groups are the files.
    dead_letters
        Where a message goes that the endpoint refuses, or does not take for too long.
    """

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Delivery", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.timeout_seconds = args.timeout_seconds
        self.dead_letters = dead_letter_queue(name, args.dead_letters, self._child)
        self.queue = self._declare_queue(name, args)
        forward_name = f"{name.removesuffix('-delivery')}-forward"
        forward = Function(forward_name, self._forward_args(args), self._child)
        delivery = Function(name, self._delivery_args(args), self._child)
        self.forward_function, self.function = forward, delivery
        self._read_stream(forward_name, args.catalog, forward)
        feed_function(name, self.queue, delivery, max_concurrency=args.max_concurrency, parent=self)
        self.register_outputs({"queueUrl": self.queue.url, "deadLetterQueueUrl": self.dead_letters.url})

    def _declare_queue(self, name: str, args: DeliveryArgs) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}-queue",
            fifo_queue=True,
            deduplication_scope=DEDUPLICATION_SCOPE,
            fifo_throughput_limit=THROUGHPUT_LIMIT,
            kms_master_key_id=args.runtime.kms_key_arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
            visibility_timeout_seconds=VISIBILITY_PER_TIMEOUT * args.timeout_seconds,
            message_retention_seconds=QUEUE_RETENTION_DAYS * DAY_SECONDS,
            redrive_policy=redrive_policy(self.dead_letters, receives(args.retry_seconds)),
            opts=self._child,
        )
        allow_redrive(name, self.dead_letters, queue, self._child)
        aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            queue_url=queue.url,
            policy=policy_document([deny_insecure_transport([queue.arn], "sqs:*")]),
            opts=self._child,
        )
        return queue

    def _forward_args(self, args: DeliveryArgs) -> FunctionArgs:
        return FunctionArgs(
            purpose="forward",
            runtime=args.runtime,
            code=args.forward_code,
            timeout_seconds=args.forward_timeout_seconds,
            environment={
                "QUEUE_URL": self.queue.url,
                "DEAD_LETTER_QUEUE_URL": self.dead_letters.url,
                "DELIVER_CHECKS": str(args.deliver_checks).lower(),
            },
            statements=[
                *args.catalog.grant_read_stream(),
                *self.grant_send(),
                *grant_dead_letter(self.dead_letters),
            ],
            key_services=["dynamodb", "sqs"],
        )

    def _delivery_args(self, args: DeliveryArgs) -> FunctionArgs:
        return FunctionArgs(
            purpose="delivery",
            runtime=args.runtime,
            code=args.code,
            timeout_seconds=args.timeout_seconds,
            environment={
                "ENDPOINT_URL": args.endpoint,
                "ENDPOINT_TIMEOUT_SECONDS": str(args.endpoint_timeout_seconds),
                "FORBIDDEN_NETWORKS": json.dumps(args.forbidden_networks),
                "SECRET_ARN": args.secret.secret.arn,
                "QUEUE_URL": self.queue.url,
                "DEAD_LETTER_QUEUE_URL": self.dead_letters.url,
                "RETRY_SECONDS": str(args.retry_seconds),
                "FIRST_WAIT_SECONDS": str(FIRST_WAIT_SECONDS),
                "LONGEST_WAIT_SECONDS": str(LONGEST_WAIT_SECONDS),
            },
            statements=[
                *self.grant_receive(),
                *grant_dead_letter(self.dead_letters),
                *args.secret.grant_read(),
            ],
            key_services=["secretsmanager", "sqs"],
        )

    def _read_stream(self, name: str, catalog: Catalog, forward: Function) -> None:
        """Have the forwarding function read the stream. What it does not take comes again, for the stream's day."""
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=catalog.table.stream_arn,
            function_name=forward.alias.arn,
            # From the first change on: a file that is finished while this is being deployed is delivered too.
            starting_position="TRIM_HORIZON",
            batch_size=STREAM_BATCH_SIZE,
            # One partition key, so one object, stays in order.
            parallelization_factor=STREAM_PARALLELIZATION,
            filter_criteria=aws.lambda_.EventSourceMappingFilterCriteriaArgs(
                filters=[
                    aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(pattern))
                    for pattern in _finished_files()
                ]
            ),
            function_response_types=["ReportBatchItemFailures"],
            # Lambda checks that the role may read the stream before it makes the mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[forward.policy]),
        )

    def grant_send(self) -> list[Statement]:
        """Grant queueing messages."""
        return [Statement(sid="QueueMessages", actions=["sqs:SendMessage"], resources=[self.queue.arn])]

    def grant_receive(self) -> list[Statement]:
        """Grant what an event source mapping does with the queue in its function's name, and setting waits."""
        return [
            Statement(
                sid="ReceiveMessages",
                actions=[
                    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                    "sqs:ChangeMessageVisibility",
                ],
                resources=[self.queue.arn],
            )
        ]


def receives(retry_seconds: int) -> int:
    """Return how often a message is received before it was tried for so long.

    The function gives up by the time, with a reason. SQS, which counts, moves what kills the function each time.
    """
    count, waited, wait = 1, 0, FIRST_WAIT_SECONDS
    while waited < retry_seconds:
        count, waited, wait = count + 1, waited + wait, min(2 * wait, LONGEST_WAIT_SECONDS)
    return count


def _finished_files() -> list[dict[str, object]]:
    """Return the event patterns of a file that comes to a status to deliver; each is one of five that Lambda takes.

    A pattern cannot compare the two images, so there is one for each status, with every other status before it; and
    one for a file that was put through again, which is FAILED until it is processed.
    """
    changed: list[dict[str, object]] = [
        {
            "eventName": ["MODIFY"],
            "dynamodb": {
                "NewImage": {"status": {"S": [status]}},
                "OldImage": {"status": {"S": [{"anything-but": [status]}]}},
            },
        }
        for status in DELIVERED_STATUSES
    ]
    new: dict[str, object] = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"status": {"S": DELIVERED_STATUSES}}}}
    again: dict[str, object] = {
        "eventName": ["MODIFY"],
        "dynamodb": {
            "NewImage": {"status": {"S": DELIVERED_STATUSES}},
            "OldImage": {"reopened_by": {"S": [{"exists": True}]}},
        },
    }
    return [new, *changed, again]

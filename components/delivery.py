"""Delivery: the next system is sent every finished file."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.addresses import FORBIDDEN_NETWORKS
from components.catalog import Catalog
from components.dead_letters import (
    DATA_KEY_REUSE_SECONDS,
    DEDUPLICATION_SCOPE,
    THROUGHPUT_LIMIT,
    dead_letter_queue,
)
from components.encryption import Encryption
from components.function import Function
from components.iam import Statement, deny_insecure_transport, policy_document
from components.packaging import Archive
from components.secret import Secret
from components.settings import CONNECT_SECONDS, DAY_SECONDS, LOCAL_STAGE, VISIBILITY_PER_TIMEOUT, StackSettings

DELIVERED_STATUSES = ("COMPLETED", "FAILED", "REJECTED")
"""The statuses of a file that the next system is sent."""

STREAM_BATCH_SIZE = 100
"""Changes that one invocation queues, ten with each request."""

STREAM_PARALLELIZATION = 4
"""Batches of one shard that run at once: a shard takes 1,000 writes a second, and a request takes about 20 ms."""

DELIVERY_BATCH_SIZE = 1
"""One message is one invocation's work: one that fails or is slow costs no other a receive."""

QUEUE_RETENTION_DAYS = 14
"""The longest that SQS keeps a message: one that waits behind others of its file is not lost before it is tried."""

FIRST_WAIT_SECONDS = 1
LONGEST_WAIT_SECONDS = 300
"""Waits between the tries of a message: the first one, which doubles each time, and the longest."""

_TRIES = 2
_AWS_CALLS = 3


class Delivery(pulumi.ComponentResource):
    """A FIFO queue of finished files, the function that fills it from the catalog's stream, and the one that posts.

    Attributes
    ----------
    forward_function, function
        The function that fills the queue, and the one that posts its messages.
    timeout_seconds
        The time-out of the one that posts.
    queue
        The queue, whose message groups are the files.
    dead_letters
        Where a message goes that the endpoint refuses, or does not take for too long.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        catalog: Catalog,
        secret: Secret,
        forward_code: Archive,
        code: Archive,
        layer_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Delivery", name, None, opts)
        settings, forward_name = stack.settings, f"{stack.prefix}-forward"
        # A try, one more with a fresh secret, and calls of AWS that take as long as they may.
        self.timeout_seconds = _TRIES * (CONNECT_SECONDS + settings.delivery_timeout_seconds) + (
            _AWS_CALLS * settings.time_reserve_seconds
        )
        child = pulumi.ResourceOptions(parent=self)
        self.dead_letters = dead_letter_queue(name, settings=settings, encryption=encryption, opts=child, fifo=True)
        self.queue = self._queue(name, settings.delivery_retry_seconds, encryption)
        forward = Function(
            forward_name,
            purpose="forward",
            stack=stack,
            account=account,
            encryption=encryption,
            code=forward_code,
            layer_arn=layer_arn,
            environment={"QUEUE_URL": self.queue.url, "DEAD_LETTER_QUEUE_URL": self.dead_letters.url},
            statements=[catalog.read_stream(), *self.grant_send()],
            key_services=["dynamodb", "sqs"],
            opts=child,
        )
        delivery = Function(
            name,
            purpose="delivery",
            stack=stack,
            account=account,
            encryption=encryption,
            code=code,
            layer_arn=layer_arn,
            timeout_seconds=self.timeout_seconds,
            environment={
                "ENDPOINT_URL": settings.delivery_endpoint,
                "ENDPOINT_TIMEOUT_SECONDS": str(settings.delivery_timeout_seconds),
                "FORBIDDEN_NETWORKS": json.dumps([] if stack.stage == LOCAL_STAGE else FORBIDDEN_NETWORKS),
                "SECRET_ARN": secret.secret.arn,
                "QUEUE_URL": self.queue.url,
                "DEAD_LETTER_QUEUE_URL": self.dead_letters.url,
                "RETRY_SECONDS": str(settings.delivery_retry_seconds),
                "FIRST_WAIT_SECONDS": str(FIRST_WAIT_SECONDS),
                "LONGEST_WAIT_SECONDS": str(LONGEST_WAIT_SECONDS),
            },
            statements=[*self.grant_receive(), *self.grant_dead_letter(), secret.read()],
            key_services=["secretsmanager", "sqs"],
            opts=child,
        )
        self.forward_function, self.function = forward.function, delivery.function
        self._read_stream(forward_name, forward, catalog)
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=self.queue.arn,
            function_name=self.function.arn,
            batch_size=DELIVERY_BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=settings.delivery_max_concurrency
            ),
            # Lambda checks that the role may receive before it makes the mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[delivery.policy]),
        )
        self.register_outputs({"queueUrl": self.queue.url, "deadLetterQueueUrl": self.dead_letters.url})

    def _queue(self, name: str, retry_seconds: int, encryption: Encryption) -> aws.sqs.Queue:
        child = pulumi.ResourceOptions(parent=self)
        queue = aws.sqs.Queue(
            f"{name}-queue",
            fifo_queue=True,
            deduplication_scope=DEDUPLICATION_SCOPE,
            fifo_throughput_limit=THROUGHPUT_LIMIT,
            kms_master_key_id=encryption.key.arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
            visibility_timeout_seconds=VISIBILITY_PER_TIMEOUT * self.timeout_seconds,
            message_retention_seconds=QUEUE_RETENTION_DAYS * DAY_SECONDS,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": receives(retry_seconds)}
            ),
            opts=child,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=self.dead_letters.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=child,
        )
        aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            queue_url=queue.url,
            policy=policy_document([deny_insecure_transport([queue.arn], "sqs:*")]),
            opts=child,
        )
        return queue

    def _read_stream(self, name: str, forward: Function, catalog: Catalog) -> None:
        """Have the forwarding function read the stream: what it does not take comes again, for the stream's day."""
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=catalog.table.stream_arn,
            function_name=forward.function.arn,
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
        """Grant queueing messages, and dead-lettering those that can never be queued."""
        queue = Statement(sid="QueueMessages", actions=["sqs:SendMessage"], resources=[self.queue.arn])
        return [queue, *self.grant_dead_letter()]

    def grant_receive(self) -> list[Statement]:
        """Grant what an event source mapping does with the queue in its function's name, and setting waits."""
        return [
            Statement(
                sid="ReceiveMessages",
                actions=[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ChangeMessageVisibility",
                ],
                resources=[self.queue.arn],
            )
        ]

    def grant_dead_letter(self) -> list[Statement]:
        """Grant dead-lettering a message."""
        return [
            Statement(sid="DeadLetterMessages", actions=["sqs:SendMessage"], resources=[self.dead_letters.arn]),
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

    A pattern cannot compare the two images, so there is one for each status, with every other status before it.
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
    return [new, *changed]

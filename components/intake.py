"""The intake queue between a bucket and the function that takes its uploads in, and its dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.dead_letters import (
    DATA_KEY_REUSE_SECONDS,
    DAY_SECONDS,
    DeadLetterArgs,
    allow_redrive,
    dead_letter_queue,
    grant_dead_letter,
    redrive_policy,
)
from components.iam import Statement, deny_insecure_transport, policy_document
from components.queues import VISIBILITY_PER_TIMEOUT

LONG_POLL_SECONDS = 20
"""The longest that SQS lets a receiver wait."""


@dataclass(frozen=True, kw_only=True)
class IntakeArgs:
    """Whose uploads the queue takes, and how long it holds them.

    Parameters
    ----------
    bucket_name, bucket_arn
        The bucket. It has one notification, which is this queue's: declare no other.
    prefix
        What the keys begin with whose objects become messages.
    kms_key_arn
        The key that the messages are encrypted with; its policy must let S3 use it.
    dead_letters
        How dead-letter messages are kept.
    consumer_timeout_seconds
        Time-out of the function that takes the messages: what it received stays hidden six times as long.
    max_receive_count
        Receives of a message before it is dead-lettered.
    retention_days
        Days that a message waits before SQS drops it.
    event_bridge
        Whether the bucket's events go to EventBridge too.
    """

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    prefix: str
    kms_key_arn: pulumi.Input[str]
    dead_letters: DeadLetterArgs
    consumer_timeout_seconds: int = 120
    max_receive_count: int = 5
    retention_days: int = 4
    event_bridge: bool = False


class Intake(pulumi.ComponentResource):
    """Every object created under a prefix becomes a message here, and waits until it is processed.

    Attributes
    ----------
    queue
        The intake queue.
    dead_letters
        Where a message goes that was received too often, or that is no upload at all.
    """

    def __init__(self, name: str, args: IntakeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Intake", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.dead_letters = dead_letter_queue(name, args.dead_letters, self._child)
        self.queue = self._queue(name, args)
        policy = self._let_bucket_send(name, args)
        aws.s3.BucketNotification(
            f"{name}-notification",
            bucket=args.bucket_name,
            eventbridge=args.event_bridge,
            queues=[
                aws.s3.BucketNotificationQueueArgs(
                    id="uploads",
                    queue_arn=self.queue.arn,
                    events=["s3:ObjectCreated:*"],
                    filter_prefix=args.prefix,
                )
            ],
            # S3 sends a test message when the notification is made, and refuses it if that fails.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"queueUrl": self.queue.url, "deadLetterQueueUrl": self.dead_letters.url})

    def _queue(self, name: str, args: IntakeArgs) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}-queue",
            kms_master_key_id=args.kms_key_arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
            visibility_timeout_seconds=VISIBILITY_PER_TIMEOUT * args.consumer_timeout_seconds,
            message_retention_seconds=args.retention_days * DAY_SECONDS,
            receive_wait_time_seconds=LONG_POLL_SECONDS,
            redrive_policy=redrive_policy(self.dead_letters, args.max_receive_count),
            opts=self._child,
        )
        allow_redrive(name, self.dead_letters, queue, self._child)
        return queue

    def _let_bucket_send(self, name: str, args: IntakeArgs) -> aws.sqs.QueuePolicy:
        send = Statement(
            sid="LandingBucketSends",
            principals={"Service": "s3.amazonaws.com"},
            actions=["sqs:SendMessage"],
            resources=[self.queue.arn],
            conditions={
                "ArnEquals": {"aws:SourceArn": args.bucket_arn},
                "StringEquals": {"aws:SourceAccount": Account(self).id},
            },
        )
        return aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            queue_url=self.queue.url,
            policy=policy_document([deny_insecure_transport([self.queue.arn], "sqs:*"), send]),
            opts=self._child,
        )

    def grant_receive(self) -> list[Statement]:
        """Grant what an event source mapping does with the queue in its function's name."""
        return [
            Statement(
                sid="ReceiveUploads",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                resources=[self.queue.arn],
            )
        ]

    def grant_send(self) -> list[Statement]:
        """Grant sending the event of an upload anew, and asking how many messages there are."""
        return [
            Statement(sid="SendEvents", actions=["sqs:SendMessage"], resources=[self.queue.arn]),
            Statement(sid="CountMessages", actions=["sqs:GetQueueAttributes"], resources=[self.queue.arn]),
        ]

    def grant_dead_letter(self) -> list[Statement]:
        """Grant dead-lettering a message that is no upload."""
        return grant_dead_letter(self.dead_letters)

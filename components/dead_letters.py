"""Dead-letter queues: encrypted, reached over TLS only, and long enough to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.iam import Statement, deny_insecure_transport, policy_document

DATA_KEY_REUSE_SECONDS = 300
"""How long SQS keeps a data key: each renewal is a call to KMS."""

DAY_SECONDS: Final = 86400

DEDUPLICATION_SCOPE: Final = "messageGroup"
THROUGHPUT_LIMIT: Final = "perMessageGroupId"
"""Of a FIFO queue: both together are high throughput, each group for itself (CreateQueue, API reference)."""


@dataclass(frozen=True, kw_only=True)
class DeadLetterArgs:
    """How dead-letter messages are kept.

    Parameters
    ----------
    kms_key_arn
        The key that they are encrypted with.
    retention_days
        Days that a message is kept in all, at most 14. It is counted from when the message entered its first queue,
        so it has to be longer than that one's.
    visibility_seconds
        Seconds that one which was received stays hidden.
    fifo
        Whether they are of a FIFO queue, whose dead-letter queue has to be one too.
    """

    kms_key_arn: pulumi.Input[str]
    retention_days: int = 14
    visibility_seconds: int = 300
    fifo: bool = False


def dead_letter_queue(name: str, args: DeadLetterArgs, opts: pulumi.ResourceOptions) -> aws.sqs.Queue:
    """Declare a queue that keeps what failed.

    Parameters
    ----------
    name
        What it is for; the queue is called ``name-dead-letters``.
    args
        How it keeps them.
    opts
        The component that it belongs to.
    """
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        kms_master_key_id=args.kms_key_arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        message_retention_seconds=args.retention_days * DAY_SECONDS,
        visibility_timeout_seconds=args.visibility_seconds,
        fifo_queue=args.fifo or None,
        deduplication_scope=DEDUPLICATION_SCOPE if args.fifo else None,
        fifo_throughput_limit=THROUGHPUT_LIMIT if args.fifo else None,
        opts=opts,
    )
    aws.sqs.QueuePolicy(
        f"{name}-dead-letters-policy",
        queue_url=queue.url,
        policy=policy_document([deny_insecure_transport([queue.arn], "sqs:*")]),
        opts=opts,
    )
    return queue


def redrive_policy(dead_letters: aws.sqs.Queue, receives: int) -> pulumi.Output[str]:
    """Return a queue's redrive policy: after so many receives SQS dead-letters a message."""
    return pulumi.Output.json_dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives})


def allow_redrive(name: str, dead_letters: aws.sqs.Queue, queue: aws.sqs.Queue, opts: pulumi.ResourceOptions) -> None:
    """Let `queue`, and no other, be the one whose messages SQS moves to `dead_letters`, and back."""
    aws.sqs.RedriveAllowPolicy(
        f"{name}-redrive-allow",
        queue_url=dead_letters.url,
        redrive_allow_policy=pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}),
        opts=opts,
    )


def grant_dead_letter(queue: aws.sqs.Queue) -> list[Statement]:
    """Grant sending a message to a dead-letter queue, with the reason."""
    return [Statement(sid="DeadLetterMessages", actions=["sqs:SendMessage"], resources=[queue.arn])]

"""Dead-letter queues, as the stack wants every one of them."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.encryption import Encryption
from components.iam import deny_insecure_transport, policy_document
from components.settings import DAY_SECONDS, Settings

DATA_KEY_REUSE_SECONDS = 300
"""How long SQS keeps a data key: each renewal is a call to KMS."""

DEDUPLICATION_SCOPE = "messageGroup"
THROUGHPUT_LIMIT = "perMessageGroupId"
"""Of a FIFO queue: both together are high throughput, each group for itself (CreateQueue, API reference)."""


def dead_letter_queue(
    name: str, *, settings: Settings, encryption: Encryption, opts: pulumi.ResourceOptions, fifo: bool = False
) -> aws.sqs.Queue:
    """Declare a queue that keeps what failed, encrypted, and reached over TLS only.

    Parameters
    ----------
    name
        What it is for; the queue is called ``name-dead-letters``.
    settings, encryption
        How long it keeps, and with which key.
    opts
        The component that it belongs to.
    fifo
        Whether it is of a FIFO queue, whose dead-letter queue has to be one too.
    """
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        kms_master_key_id=encryption.key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        # Counted from when a message entered its first queue, so it has to be longer than that one's.
        message_retention_seconds=settings.dead_letter_retention_days * DAY_SECONDS,
        visibility_timeout_seconds=settings.dead_letter_visibility_seconds,
        fifo_queue=fifo or None,
        deduplication_scope=DEDUPLICATION_SCOPE if fifo else None,
        fifo_throughput_limit=THROUGHPUT_LIMIT if fifo else None,
        opts=opts,
    )
    aws.sqs.QueuePolicy(
        f"{name}-dead-letters-policy",
        queue_url=queue.url,
        policy=policy_document([deny_insecure_transport([queue.arn], "sqs:*")]),
        opts=opts,
    )
    return queue

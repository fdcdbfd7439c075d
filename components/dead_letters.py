"""Dead-letter queues, as the stack wants every one of them."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.encryption import Encryption
from components.iam import deny_insecure_transport, policy_document
from components.settings import DAY_SECONDS, Settings

DATA_KEY_REUSE_SECONDS = 300
"""How long SQS keeps a data key: each renewal is a call to KMS."""


def dead_letter_queue(
    name: str, *, settings: Settings, encryption: Encryption, opts: pulumi.ResourceOptions
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
    """
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        kms_master_key_id=encryption.key.arn,
        kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
        # Counted from when a message entered its first queue, so it has to be longer than that one's.
        message_retention_seconds=settings.dead_letter_retention_days * DAY_SECONDS,
        visibility_timeout_seconds=settings.dead_letter_visibility_seconds,
        opts=opts,
    )
    aws.sqs.QueuePolicy(
        f"{name}-dead-letters-policy",
        queue_url=queue.url,
        policy=policy_document([deny_insecure_transport([queue.arn], "sqs:*")]),
        opts=opts,
    )
    return queue

"""The intake queue between the landing bucket and the ingest function, and its dead-letter queue."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.dead_letters import DATA_KEY_REUSE_SECONDS, dead_letter_queue
from components.encryption import Encryption
from components.iam import Statement, deny_insecure_transport, policy_document
from components.landing import UPLOADS_PREFIX, Landing
from components.settings import DAY_SECONDS, StackSettings

LONG_POLL_SECONDS = 20
"""The longest that SQS lets a receiver wait."""


class Intake(pulumi.ComponentResource):
    """Every object created under ``uploads/`` becomes a message here, and waits until it is processed.

    Attributes
    ----------
    queue
        The intake queue.
    dead_letters
        Where a message goes that was received too often, or that is no upload at all.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        landing: Landing,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Intake", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = stack.settings
        self.dead_letters = dead_letter_queue(name, settings=settings, encryption=encryption, opts=child)
        self.queue = aws.sqs.Queue(
            f"{name}-queue",
            kms_master_key_id=encryption.key.arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE_SECONDS,
            visibility_timeout_seconds=settings.visibility_seconds,
            message_retention_seconds=settings.intake_retention_days * DAY_SECONDS,
            receive_wait_time_seconds=LONG_POLL_SECONDS,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": settings.max_receive_count}
            ),
            opts=child,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=self.dead_letters.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [self.queue.arn]}
            ),
            opts=child,
        )
        policy = aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            queue_url=self.queue.url,
            policy=policy_document(
                [
                    deny_insecure_transport([self.queue.arn], "sqs:*"),
                    Statement(
                        sid="LandingBucketSends",
                        principals={"Service": "s3.amazonaws.com"},
                        actions=["sqs:SendMessage"],
                        resources=[self.queue.arn],
                        conditions={
                            "ArnEquals": {"aws:SourceArn": landing.bucket.arn},
                            "StringEquals": {"aws:SourceAccount": account.id},
                        },
                    ),
                ]
            ),
            opts=child,
        )
        aws.s3.BucketNotification(
            f"{name}-notification",
            bucket=landing.bucket.id,
            eventbridge=settings.event_bridge_notifications,
            queues=[
                aws.s3.BucketNotificationQueueArgs(
                    id="uploads",
                    queue_arn=self.queue.arn,
                    events=["s3:ObjectCreated:*"],
                    filter_prefix=UPLOADS_PREFIX,
                )
            ],
            # S3 sends a test message when the notification is made, and refuses it if that fails.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"queueUrl": self.queue.url, "deadLetterQueueUrl": self.dead_letters.url})

    def receive(self) -> Statement:
        """Grant what an event source mapping does with the intake queue in its function's name."""
        return Statement(
            sid="ReceiveUploads",
            actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            resources=[self.queue.arn],
        )

    def send(self) -> Statement:
        """Grant sending the event of an upload anew."""
        return Statement(sid="SendEvents", actions=["sqs:SendMessage"], resources=[self.queue.arn])

    def watch(self) -> Statement:
        """Grant asking how many messages there are."""
        return Statement(sid="CountMessages", actions=["sqs:GetQueueAttributes"], resources=[self.queue.arn])

    def refuse(self) -> Statement:
        """Grant putting a message that is no upload aside, with the reason."""
        return Statement(sid="RefuseMessages", actions=["sqs:SendMessage"], resources=[self.dead_letters.arn])

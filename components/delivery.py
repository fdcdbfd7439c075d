"""Delivery: the next system is told of every finished file."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.addresses import FORBIDDEN_NETWORKS
from components.catalog import Catalog
from components.dead_letters import dead_letter_queue
from components.encryption import Encryption
from components.function import Function
from components.iam import Statement
from components.packaging import Archive
from components.secret import Secret
from components.settings import DAY_SECONDS, DELIVERY_AGE_MARGIN_SECONDS, LOCAL_STAGE, StackSettings

DELIVERED_STATUSES = ("COMPLETED", "FAILED", "REJECTED")
"""The statuses of a file that the next system is told of."""


class Delivery(pulumi.ComponentResource):
    """A function that posts each change of a file to a final status, fed by the catalog's stream, and its dead letters.

    Attributes
    ----------
    function
        The function.
    dead_letters
        Where a delivery goes that is refused, or that has become too old.
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
        code: Archive,
        layer_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Delivery", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = stack.settings
        self.dead_letters = dead_letter_queue(name, settings=settings, encryption=encryption, opts=child)
        delivery = Function(
            name,
            purpose="delivery",
            stack=stack,
            account=account,
            encryption=encryption,
            code=code,
            layer_arn=layer_arn,
            environment={
                "ENDPOINT_URL": settings.delivery_endpoint,
                "ENDPOINT_TIMEOUT_SECONDS": str(settings.delivery_timeout_seconds),
                "FORBIDDEN_NETWORKS": json.dumps([] if stack.stage == LOCAL_STAGE else FORBIDDEN_NETWORKS),
                "SECRET_ARN": secret.secret.arn,
                "DEAD_LETTER_QUEUE_URL": self.dead_letters.url,
                "MAX_AGE_SECONDS": str(settings.delivery_max_age_seconds),
                "PATIENCE_SECONDS": str(settings.delivery_patience_seconds),
                "TIME_RESERVE_SECONDS": str(settings.time_reserve_seconds),
            },
            statements=[catalog.read_stream(), secret.read(), self.put_aside()],
            key_services=["dynamodb", "secretsmanager", "sqs"],
            opts=child,
        )
        self.function = delivery.function
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=catalog.table.stream_arn,
            function_name=self.function.arn,
            # From the first change on: a file that is finished while this is being deployed is delivered too.
            starting_position="TRIM_HORIZON",
            batch_size=settings.delivery_batch_size,
            # Batches of one shard that run at once; one partition key, so one object, stays in order.
            parallelization_factor=settings.delivery_parallelization,
            filter_criteria=aws.lambda_.EventSourceMappingFilterCriteriaArgs(
                filters=[
                    aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(pattern))
                    for pattern in _finished_files()
                ]
            ),
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=settings.delivery_max_retries,
            # The function puts a delivery aside whole when it has failed for too long. This is not its age limit: what
            # has merely waited, behind a slow endpoint or before the first deployment, must still reach the function.
            # The mapping's own message holds the place in the stream alone, whose data ends an hour later.
            maximum_record_age_in_seconds=DAY_SECONDS - DELIVERY_AGE_MARGIN_SECONDS,
            destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
                on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
                    destination_arn=self.dead_letters.arn
                )
            ),
            # Lambda checks that the role may read the stream before it makes the mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[delivery.policy]),
        )
        self.register_outputs({"functionName": self.function.name, "deadLetterQueueUrl": self.dead_letters.url})

    def put_aside(self) -> Statement:
        """Grant putting aside what cannot be delivered, to the function and to its event source mapping."""
        return Statement(sid="PutAside", actions=["sqs:SendMessage"], resources=[self.dead_letters.arn])


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

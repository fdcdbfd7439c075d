"""Delivery: the next system is told of every finished file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.addresses import FORBIDDEN_NETWORKS
from components.catalog import Catalog
from components.dead_letters import DAY_SECONDS, DeadLetterArgs, dead_letter_queue, grant_dead_letter
from components.function import Function, FunctionArgs, RuntimeArgs
from components.packaging import Archive
from components.secret import Secret

AGE_MARGIN_SECONDS = 3600
"""How much older than the delivery function allows a record may get before the event source drops it."""

DELIVERED_STATUSES = ("COMPLETED", "FAILED", "REJECTED")
"""The statuses of a file that the next system is told of."""


@dataclass(frozen=True, kw_only=True)
class DeliveryArgs:
    """What is delivered where, and how long it is tried.

    Parameters
    ----------
    runtime, code
        What the function has in common with the pipeline's other functions, and its own code.
    catalog
        The table whose stream it reads.
    secret
        What it proves itself with.
    dead_letters
        How what could not be delivered is kept.
    endpoint
        HTTPS URL that every finished file is posted to.
    endpoint_timeout_seconds
        Seconds that the endpoint may take to answer.
    forbidden_networks
        Addresses that nothing is delivered to, in CIDR notation.
    timeout_seconds
        The function's time-out.
    time_reserve_seconds
        Seconds that must be left in an invocation for one more delivery to be started.
    max_age_seconds
        Age from which a delivery that fails is a dead letter.
    patience_seconds
        How long an invocation that delivers nothing tries before it hands back.
    max_retries
        Times that a batch is tried again at most.
    batch_size
        Deliveries that one invocation takes at most.
    parallelization
        Invocations that run at once for each shard of the stream.
    """

    runtime: RuntimeArgs
    code: Archive
    catalog: Catalog
    secret: Secret
    dead_letters: DeadLetterArgs
    endpoint: str
    endpoint_timeout_seconds: int = 10
    forbidden_networks: Sequence[str] = FORBIDDEN_NETWORKS
    timeout_seconds: int = 120
    time_reserve_seconds: int = 10
    max_age_seconds: int = 21_600
    patience_seconds: int = 30
    max_retries: int = 2000
    batch_size: int = 25
    parallelization: int = 5


class Delivery(pulumi.ComponentResource):
    """A function that posts each change of a file to a final status, fed by the catalog's stream, and its dead letters.

    Attributes
    ----------
    function
        The function.
    dead_letters
        Where a delivery goes that is refused, or that has become too old.
    """

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Delivery", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.dead_letters = dead_letter_queue(name, args.dead_letters, child)
        delivery = Function(
            name,
            FunctionArgs(
                purpose="delivery",
                runtime=args.runtime,
                code=args.code,
                timeout_seconds=args.timeout_seconds,
                environment=self._environment(args),
                statements=[
                    *args.catalog.grant_read_stream(),
                    *args.secret.grant_read(),
                    # To the function, and to its event source mapping.
                    *grant_dead_letter(self.dead_letters),
                ],
                key_services=["dynamodb", "secretsmanager", "sqs"],
            ),
            child,
        )
        self.function = delivery.function
        self._read_stream(name, args, delivery.policy)
        self.register_outputs({"functionName": self.function.name, "deadLetterQueueUrl": self.dead_letters.url})

    def _environment(self, args: DeliveryArgs) -> dict[str, pulumi.Input[str]]:
        return {
            "ENDPOINT_URL": args.endpoint,
            "ENDPOINT_TIMEOUT_SECONDS": str(args.endpoint_timeout_seconds),
            "FORBIDDEN_NETWORKS": json.dumps(args.forbidden_networks),
            "SECRET_ARN": args.secret.secret.arn,
            "DEAD_LETTER_QUEUE_URL": self.dead_letters.url,
            "MAX_AGE_SECONDS": str(args.max_age_seconds),
            "PATIENCE_SECONDS": str(args.patience_seconds),
            "TIME_RESERVE_SECONDS": str(args.time_reserve_seconds),
        }

    def _read_stream(self, name: str, args: DeliveryArgs, policy: aws.iam.RolePolicy) -> None:
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=args.catalog.table.stream_arn,
            function_name=self.function.arn,
            # From the first change on: a file that is finished while this is being deployed is delivered too.
            starting_position="TRIM_HORIZON",
            batch_size=args.batch_size,
            # Batches of one shard that run at once; one partition key, so one object, stays in order.
            parallelization_factor=args.parallelization,
            filter_criteria=aws.lambda_.EventSourceMappingFilterCriteriaArgs(
                filters=[
                    aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(pattern))
                    for pattern in _finished_files()
                ]
            ),
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=args.max_retries,
            # The function puts a delivery aside whole when it has failed for too long. This is not its age limit: what
            # has merely waited, behind a slow endpoint or before the first deployment, must still reach the function.
            # The mapping's own message holds the place in the stream alone, whose data ends an hour later.
            maximum_record_age_in_seconds=DAY_SECONDS - AGE_MARGIN_SECONDS,
            destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
                on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
                    destination_arn=self.dead_letters.arn
                )
            ),
            # Lambda checks that the role may read the stream before it makes the mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


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

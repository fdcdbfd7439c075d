"""What a queue and its consumer have in common, whatever the queue holds."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.function import Function

VISIBILITY_PER_TIMEOUT = 6
"""Visibility of a message as a multiple of its consumer's time-out (Lambda, Using Lambda with Amazon SQS)."""

_BATCH_SIZE = 1
"""One message is one invocation's work: it has the whole of the time, and one that fails takes no other with it."""


def feed_function(
    name: str, queue: aws.sqs.Queue, function: Function, *, max_concurrency: int, parent: pulumi.Resource
) -> None:
    """Declare the event source mapping that has a function take a queue's messages, one each.

    Parameters
    ----------
    name
        The function's; the mapping is called ``name-source``.
    queue, function
        Where the messages come from, and what takes them. The function reports those that failed.
    max_concurrency
        Invocations that run at once; from 2 to 1000. Past the cap messages wait in the queue; throttled by the
        function, each would burn a receive.
    parent
        The component that it belongs to.
    """
    aws.lambda_.EventSourceMapping(
        f"{name}-source",
        event_source_arn=queue.arn,
        function_name=function.alias.arn,
        batch_size=_BATCH_SIZE,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=max_concurrency),
        # Lambda checks that the role may receive before it makes the mapping.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[function.policy]),
    )

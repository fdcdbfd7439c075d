"""Lambda's entry: takes a batch of the catalog's changes, and reports the first that is not queued."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from forward.forwarder import Forwarder
from shared import clients
from shared.dead_letters import DeadLetterQueue
from shared.environment import Environment
from shared.observability import REQUIRED, logger, metrics, tracer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

_environment = Environment(os.environ)
for _name in (*REQUIRED, "STAGE"):
    _environment.text(_name)
_forwarder = Forwarder(
    clients.sqs(),
    _environment.text("QUEUE_URL"),
    DeadLetterQueue(clients.sqs, _environment.text("DEAD_LETTER_QUEUE_URL")),
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(
    event: Mapping[str, Sequence[Mapping[str, object]]],
    context: LambdaContext,  # noqa: ARG001 - Lambda hands it over, and the logger reads it
) -> PartialItemFailureResponse:
    """Queue one batch of the stream.

    Parameters
    ----------
    event
        ``Records`` as Lambda's event source mapping sends them.
    context
        The invocation.

    Returns
    -------
    dict
        The sequence number from which the stream is to be read again, if a change is not queued:
        ``batchItemFailures``.
    """
    for name in ("ChangesQueued", "BatchesReturned", "ChangesDeadLettered"):
        _count(name, 0)  # a graph can tell none from no news
    queued = _forwarder.forward(event["Records"])
    _count("ChangesQueued", queued.sent)
    _count("ChangesDeadLettered", queued.dead_lettered)
    if queued.first_failed is None:
        return {"batchItemFailures": []}
    # A partial batch counts as a success of the function: only this metric shows that it comes again.
    _count("BatchesReturned", 1)
    return {"batchItemFailures": [{"itemIdentifier": queued.first_failed}]}


def _count(name: str, value: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)

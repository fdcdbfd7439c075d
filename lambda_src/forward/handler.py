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
    records = event["Records"]
    queued = _forwarder.forward(records)
    returned = queued.first_failed is not None
    for name, value in (
        ("ChangesQueued", queued.sent),
        # A partial batch counts as a success of the function: only this metric shows that it came back.
        ("BatchesReturned", int(returned)),
        ("ChangesDeadLettered", queued.dead_lettered),
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    return {"batchItemFailures": [{"itemIdentifier": queued.first_failed}] if queued.first_failed is not None else []}

"""Lambda's entry: takes a batch of the catalog's changes, and reports the first that is not queued."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from forward.changes import is_check
from forward.forwarder import Forwarder
from forward.settings import ForwardSettings
from shared import clients, measures
from shared.check import answers_check
from shared.dead_letters import DeadLetterQueue
from shared.observability import logger, measured, traced_handler
from shared.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

_settings = read_settings(ForwardSettings, os.environ)
_forwarder = Forwarder(
    clients.sqs(), _settings.queue_url, DeadLetterQueue(clients.sqs, _settings.dead_letter_queue_url)
)


@answers_check()
@logger.inject_lambda_context
@traced_handler
@measured
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
    for measure in (measures.CHANGES_QUEUED, measures.BATCHES_RETURNED, measures.CHANGES_DEAD_LETTERED):
        measure.add(0)  # a graph can tell none from no news
    records = [record for record in event["Records"] if _settings.deliver_checks or not is_check(record)]
    queued = _forwarder.forward(records)
    measures.CHANGES_QUEUED.add(queued.sent)
    measures.CHANGES_DEAD_LETTERED.add(queued.dead_lettered)
    if queued.first_failed is None:
        return {"batchItemFailures": []}
    # A partial batch counts as a success of the function: only this metric shows that it comes again.
    measures.BATCHES_RETURNED.add()
    return {"batchItemFailures": [{"itemIdentifier": queued.first_failed}]}

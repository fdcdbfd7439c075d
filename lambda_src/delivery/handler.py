"""Lambda's entry: takes messages of the delivery queue, and hands back those that the endpoint did not take."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from delivery.credentials import StoredCredentials
from delivery.endpoint import Endpoint
from delivery.messages import MalformedMessageError, parse_message
from delivery.retries import RetryBudget
from delivery.sender import DeliveryError, RetryableError, Sender
from delivery.settings import DeliverySettings
from shared import clients, measures
from shared.check import answers_check
from shared.dead_letters import DeadLetterQueue
from shared.observability import logger, measured, traced, traced_handler
from shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

_settings = read_settings(DeliverySettings, os.environ)
_sender = Sender(
    Endpoint(
        _settings.endpoint_url,
        timeout_seconds=_settings.endpoint_timeout_seconds,
        forbidden_networks=_settings.forbidden_networks,
    ),
    StoredCredentials(clients.secretsmanager, _settings.secret_arn),
)
_budget = RetryBudget(
    total=timedelta(seconds=_settings.retry_seconds),
    first_wait_seconds=_settings.first_wait_seconds,
    longest_wait_seconds=_settings.longest_wait_seconds,
)
_dead_letters = DeadLetterQueue(clients.sqs, _settings.dead_letter_queue_url)
_processor = SqsFifoPartialProcessor(skip_group_on_error=True)
_processor.raise_on_entire_batch_failure = False  # its constructor does not take it


@answers_check()
@logger.inject_lambda_context
@traced_handler
@measured
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    """Deliver one batch.

    Parameters
    ----------
    event
        Messages of the delivery queue, as Lambda's event source mapping sends them.
    context
        The invocation.

    Returns
    -------
    dict
        The ids of the messages that stay in the queue: ``batchItemFailures``.
    """
    for measure in (measures.DELIVERIES_SENT, measures.DELIVERIES_FAILED, measures.DELIVERIES_DEAD_LETTERED):
        measure.add(0)  # a graph can tell none from no news
    return process_partial_response(event=event, record_handler=_deliver, processor=_processor, context=context)


@traced
def _deliver(record: SQSRecord) -> None:
    """Post a message; raise to leave it in the queue."""
    try:
        message = parse_message(record.body)
    except MalformedMessageError as error:
        _dead_letter(record, str(error), malformed=True)
        return
    details = {"delivery_id": message.delivery_id, "object_id": message.object_id, "status": message.status}
    try:
        _sender.send(message.delivery_id, record.body)
    except DeliveryError as error:
        if isinstance(error, RetryableError) and not _is_spent(record):
            _wait(record, error, details)
            raise
        tried = f"; tried for {_budget.total}" if isinstance(error, RetryableError) else ""
        _dead_letter(record, f"{error}{tried}", details, status=error.status)
        return
    except Exception:
        logger.exception("failed, left in the queue", extra=details)
        raise
    logger.info("sent", extra=details)
    measures.DELIVERIES_SENT.add()


def _is_spent(record: SQSRecord) -> bool:
    first = int(record.attributes.approximate_first_receive_timestamp)
    return _budget.is_spent(datetime.fromtimestamp(first / 1000, UTC), datetime.now(UTC))


def _wait(record: SQSRecord, error: RetryableError, details: dict[str, str]) -> None:
    """Hide the message until its next try, and with it those behind it in its group; no other."""
    tries = int(record.attributes.approximate_receive_count)
    seconds = _budget.wait_seconds(tries, error.retry_after)
    # A partial batch counts as a success of the function: only this metric shows what failed.
    measures.DELIVERIES_FAILED.add()
    logger.warning("failed", extra={**details, "reason": str(error), "tries": tries, "next_in_seconds": seconds})
    try:
        clients.sqs().change_message_visibility(
            QueueUrl=_settings.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError):
        logger.exception("the wait cannot be set: it comes again when its visibility ends", extra=details)


def _dead_letter(
    record: SQSRecord,
    reason: str,
    details: dict[str, str] | None = None,
    *,
    status: int | None = None,
    malformed: bool = False,
) -> None:
    """Dead-letter a message whole. If that fails, it stays in the queue."""
    try:
        _dead_letters.put(
            record.body,
            reason,
            group=record.attributes.message_group_id or record.message_id,
            # Another each time that it is sent again: as the message's own, SQS would drop it within five minutes.
            deduplication_id=record.message_id,
            status=status,
            malformed=malformed,
        )
    except (BotoCoreError, ClientError):
        logger.exception("the dead-letter queue cannot be reached", extra=details)
        raise
    logger.error("dead-lettered", extra={**(details or {}), "reason": reason, "message_id": record.message_id})
    measures.DELIVERIES_DEAD_LETTERED.add()

"""Lambda's entry: takes a batch of messages from the intake queue, and hands back those that failed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from ingest.events import MalformedEventError, parse_uploads
from ingest.processor import ClaimLostError, FileProcessor, HeldElsewhereError, OutOfTimeError
from ingest.records import RecordFiles
from ingest.settings import IngestSettings
from shared import clients, measures
from shared.catalog.model import ObjectVersion, Outcome, Status, Worker
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from shared.check import answers_check
from shared.dead_letters import DeadLetterQueue
from shared.objects import Objects
from shared.observability import logger, measured, traced, traced_handler
from shared.records.decoder import RecordDecoder
from shared.records.output import Publisher
from shared.records.schemas import load_schema
from shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

_settings = read_settings(IngestSettings, os.environ)
_objects = Objects(clients.s3())
_processor = FileProcessor(
    CatalogWriter(
        CatalogTable(clients.dynamodb(), _settings.catalog), current=_objects.current, is_check=_settings.is_check
    ),
    _objects,
    _settings.intake,
    RecordFiles(
        Publisher(client=clients.s3(), completion=clients.s3_completion), _objects, _settings.record_rules
    ).work_for,
    _settings.is_check,
)
_dead_letters = DeadLetterQueue(clients.sqs, _settings.dead_letter_queue_url)
_batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def _load() -> None:
    for schema in set(_settings.record_rules.record_types.values()):
        RecordDecoder(load_schema(schema))


@answers_check(_load)
@logger.inject_lambda_context
@traced_handler
@measured
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    """Process one batch.

    Parameters
    ----------
    event
        Messages of the intake queue, as Lambda's event source mapping sends them.
    context
        The invocation.

    Returns
    -------
    dict
        The ids of the messages that stay in the queue: ``batchItemFailures``.
    """
    response = process_partial_response(
        event=event, record_handler=_handle_message, processor=_batches, context=context
    )
    # A partial batch counts as a success of the function: only this metric shows what came back.
    measures.MESSAGES_RETURNED.add(len(response["batchItemFailures"]))
    return response


@traced
def _handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Process every upload of a message; raise to leave the message in the queue."""
    try:
        uploads, problems = parse_uploads(record.body, _settings.bucket_name)
    except MalformedEventError as error:
        uploads, problems = [], [str(error)]
    failure: Exception | None = None
    for version in uploads:
        try:
            _handle_upload(version, _start_worker(record, lambda_context))
        except Exception as error:  # noqa: BLE001 - logged there, raised below when the message's others are done
            failure = error
    if failure:
        raise failure
    if problems:
        _dead_letter(record, "; ".join(problems))


def _start_worker(record: SQSRecord, lambda_context: LambdaContext) -> Worker:
    now = datetime.now(UTC)
    return Worker(
        request_id=lambda_context.aws_request_id,
        function_name=lambda_context.function_name,
        attempt=int(record.attributes.approximate_receive_count),
        started_at=now,
        deadline=now + timedelta(milliseconds=lambda_context.get_remaining_time_in_millis()),
    )


def _handle_upload(version: ObjectVersion, worker: Worker) -> None:
    details = {"key": version.key, "version_id": version.version_id, "attempt": worker.attempt}
    try:
        _check_time(worker)
        outcome = _processor.process(version, worker)
    except (HeldElsewhereError, ClaimLostError, OutOfTimeError) as error:
        logger.info("left in the queue", extra={**details, "error": type(error).__name__})
        raise
    except Exception:
        logger.exception("failed, left in the queue", extra=details)
        _count(version, Status.FAILED)
        raise
    if outcome is None:
        logger.info("already processed", extra=details)
        return
    logger.info(
        "file processed", extra={**details, "status": outcome.status, "reason": outcome.reason, **outcome.results}
    )
    _count(version, outcome.status)
    if not _settings.is_check(version.key):
        _measure(version, outcome, worker)


def _measure(version: ObjectVersion, outcome: Outcome, worker: Worker) -> None:
    now = datetime.now(UTC)
    for name, measure in (("records_valid", measures.RECORDS_VALID), ("records_rejected", measures.RECORDS_REJECTED)):
        if name in outcome.results:
            measure.add(int(outcome.results[name]))
    measures.PROCESSING_TIME.add((now - worker.started_at) / timedelta(milliseconds=1))
    if version.size is not None:
        measures.FILE_SIZE.add(version.size)
    uploaded = _uploaded_at(version)
    if uploaded is None:
        return
    taken = max(now - uploaded, timedelta())  # by S3's clock it may be later
    measures.TIME_TO_FINAL.add(taken / timedelta(milliseconds=1))
    if _settings.final_within:
        measures.FILES_LATE.add(int(taken > _settings.final_within))


def _uploaded_at(version: ObjectVersion) -> datetime | None:
    """Return when a version was uploaded; None if its event does not say, or is no upload's."""
    if version.reprocessed:
        return None
    try:
        uploaded = datetime.fromisoformat(version.event_time)
    except ValueError:
        return None
    return uploaded if uploaded.tzinfo else uploaded.replace(tzinfo=UTC)


def _count(version: ObjectVersion, ended: Status) -> None:
    if _settings.is_check(version.key):
        return
    # The others are sent as zeros: an alarm on a share needs all of them, at the same time.
    for status, measure in measures.FILES.items():
        measure.add(int(status == ended))


def _check_time(worker: Worker) -> None:
    remaining = worker.deadline - worker.started_at
    if remaining < _settings.time_reserve:
        raise OutOfTimeError(remaining)


def _dead_letter(record: SQSRecord, reason: str) -> None:
    """Dead-letter a message that is no upload, with its reason: no retry will make it one."""
    details = {"reason": reason, "message_id": record.message_id}
    try:
        _dead_letters.put(record.body, reason)
    except Exception:
        logger.exception("cannot be dead-lettered, left in the queue", extra=details)
        raise
    logger.error("dead-lettered", extra=details)
    measures.MESSAGES_DEAD_LETTERED.add()

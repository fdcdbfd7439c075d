"""Lambda's entry: takes a batch of the catalog's changes, or dead letters that are sent again."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from delivery.courier import Courier, Ending, LaterError, Limits, OutOfTimeError, PassingError, RefusedError, Round
from delivery.credentials import Secret
from delivery.dead_letters import DeadLetters
from delivery.endpoint import Endpoint
from delivery.events import MalformedRecordError, parse_change, sequence_number
from delivery.letters import parse_letter
from shared import clients
from shared.environment import Environment
from shared.observability import REQUIRED, logger, metrics, tracer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

_environment = Environment(os.environ)
for _name in (*REQUIRED, "STAGE"):
    _environment.text(_name)
_timeout_seconds = _environment.integer("ENDPOINT_TIMEOUT_SECONDS")
_dead_letters = DeadLetters(clients.sqs, _environment.text("DEAD_LETTER_QUEUE_URL"))
_courier = Courier(
    Endpoint(
        _environment.text("ENDPOINT_URL"),
        timeout_seconds=_timeout_seconds,
        forbidden_networks=_environment.strings("FORBIDDEN_NETWORKS"),
    ),
    Secret(clients.secretsmanager, _environment.text("SECRET_ARN")),
    _dead_letters,
    Limits.of(
        max_age_seconds=_environment.integer("MAX_AGE_SECONDS"),
        patience_seconds=_environment.integer("PATIENCE_SECONDS"),
        timeout_seconds=_timeout_seconds,
        reserve_seconds=_environment.integer("TIME_RESERVE_SECONDS"),
    ),
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(
    event: dict[str, list[dict[str, object]]], context: LambdaContext
) -> PartialItemFailureResponse | dict[str, list[dict[str, str]]]:
    """Process one batch of the stream, or send dead letters again.

    Parameters
    ----------
    event
        ``Records`` as Lambda's event source mapping sends them; or ``letters``, bodies of the dead-letter queue.
    context
        The invocation.

    Returns
    -------
    dict
        For the stream, the sequence number that it is to go on from, if a record failed: ``batchItemFailures``. For
        letters, how each ended: ``results`` with ``reason`` and ``outcome``: sent, skipped, refused (no retry helps),
        failed (this time) or later (not tried).
    """
    for name in ("DeliveriesSent", "DeliveriesFailed", "DeliveriesDeadLettered"):
        _count(name, 0)  # a graph can tell none from no news
    work = _courier.start_round(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    if "letters" in event:
        return {"results": _send_again(event["letters"], work)}
    return {"batchItemFailures": _deliver(event["Records"], work)}


@tracer.capture_method(capture_response=False)
def _deliver(records: list[dict[str, object]], work: Round) -> list[dict[str, str]]:
    """Deliver in the stream's order. The first failure ends it: what follows in the shard must not overtake."""
    for record in records:
        try:
            _deliver_change(record, work)
        except LaterError as error:
            # A partial batch counts as a success of the function: only this metric shows what failed.
            if not isinstance(error, OutOfTimeError):
                _count("DeliveriesFailed")
            return [{"itemIdentifier": sequence_number(record)}]
    return []


def _deliver_change(record: Mapping[str, object], work: Round) -> None:
    try:
        delivery = parse_change(record)
    except MalformedRecordError as error:
        reason = f"record {error}"
        work.put_aside(lambda: _dead_letters.put_record(record, reason))
        logger.error("record put aside", extra={"reason": reason, "sequence_number": sequence_number(record)})
        _count("DeliveriesDeadLettered")
        return
    if delivery is None:
        return
    ending = work.bring(delivery)
    if ending is Ending.SENT:
        logger.info("sent", extra={"delivery_id": delivery.id, "object_id": delivery.object_id})
    _count("DeliveriesSent" if ending is Ending.SENT else "DeliveriesDeadLettered")


def _send_again(letters: list[dict[str, object]], work: Round) -> list[dict[str, str]]:
    """Try each letter once, in order; after a failure that can pass, the others are left for later."""
    results: list[dict[str, str]] = []
    for letter in letters:
        later = bool(results) and results[-1]["outcome"] in {"failed", "later"}
        outcome, reason = ("later", "") if later else _try_again(letter, work)
        results.append({"outcome": outcome, "reason": reason})
    return results


def _try_again(letter: Mapping[str, object], work: Round) -> tuple[str, str]:
    try:
        delivery = parse_letter(letter)
        if delivery is None:
            return "skipped", "tells of no finished file"
        work.try_once(delivery)
    except OutOfTimeError:
        return "later", "out of time"
    except (MalformedRecordError, RefusedError, PassingError) as error:
        logger.warning("not sent again", extra={"reason": str(error)})
        _count("DeliveriesFailed")
        return "failed" if isinstance(error, PassingError) else "refused", str(error)
    logger.info("sent again", extra={"delivery_id": delivery.id, "object_id": delivery.object_id})
    _count("DeliveriesSent")
    return "sent", ""


def _count(name: str, value: int = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)

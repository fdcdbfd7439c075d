"""Lambda's entry, every hour: ends requests that nobody works on any more, and searches for uploads without an item."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconcile.intake import SENDER, IntakeQueue
from reconcile.search import SearchRules, UploadSearch
from reconcile.settings import ReconcileSettings
from shared import clients, measures
from shared.catalog.reader import CatalogReader
from shared.catalog.requests import RequestWriter
from shared.catalog.search_state import SearchStates
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from shared.check import answers_check
from shared.observability import logger, measured, traced_handler
from shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_settings = read_settings(ReconcileSettings, os.environ)
_table = CatalogTable(clients.dynamodb(), _settings.catalog)
_reader = CatalogReader(clients.dynamodb(), _settings.catalog)
_requests = RequestWriter(_table)
_search = UploadSearch(
    clients.s3(),
    CatalogWriter(_table),
    _reader,
    IntakeQueue(
        clients.sqs(),
        _settings.queue_url,
        metrics=clients.cloudwatch(),
        name=_settings.queue_name,
        region=_settings.aws_region,
    ),
    SearchRules(
        bucket=_settings.bucket_name,
        prefix=_settings.uploads_prefix,
        interval=timedelta(hours=_settings.interval_hours),
        delay=timedelta(seconds=_settings.delay_seconds),
        overlap=timedelta(days=_settings.overlap_days),
        time_reserve=timedelta(seconds=_settings.time_reserve_seconds),
    ),
)


@answers_check()
@logger.inject_lambda_context
@traced_handler
@measured
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, int | bool]:
    """End the API's requests whose worker died, and search as far as the time goes.

    Parameters
    ----------
    event
        ``{"at_once": true}`` begins a search before its time; all else, such as the schedule's event, does not.
    context
        The invocation.

    Returns
    -------
    dict
        ``searched``: whether there was something to do; ``whole``: whether the search came to its end; ``listed`` and
        ``missed``: versions that S3 listed, and uploads whose event was sent.
    """
    states = SearchStates(_table, bucket=_settings.bucket_name, owner=context.aws_request_id)
    _end_requests()
    deadline = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    progress = _search.run(states, deadline=deadline, at_once=event.get("at_once") is True)
    measures.UPLOADS_MISSED.add(progress.missed if progress else 0)
    if progress is None:
        return {"searched": False, "whole": False, "listed": 0, "missed": 0}
    result = {"whole": progress.whole, "listed": progress.listed, "missed": progress.missed}
    logger.info("searched for uploads whose event never came", extra=result)
    return {"searched": True, **result}


def _end_requests() -> None:
    """Give the API's items that are PROCESSING though their worker died their end: FAILED, with a reason."""
    for request in _reader.lapsed_requests(datetime.now(UTC)):
        if _requests.end_lapsed(request.object_id, by=SENDER):
            logger.warning("stuck request set to FAILED", extra={"object_id": request.object_id})

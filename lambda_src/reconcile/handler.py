"""Lambda's entry, every hour: ends requests that nobody works on any more, and searches for uploads without an item."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from reconcile.intake import SENDER, IntakeQueue
from reconcile.reconciliation import Reconciliation, SearchRules
from shared import clients
from shared.catalog import Catalog
from shared.environment import Environment
from shared.observability import REQUIRED, logger, metrics, tracer
from shared.search_state import SearchStates

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_environment = Environment(os.environ)
for _name in REQUIRED:
    _environment.text(_name)
_bucket = _environment.text("BUCKET_NAME")
_table_name = _environment.text("CATALOG_TABLE_NAME")
_region = _environment.text("AWS_REGION")
_status_index = _environment.text("STATUS_INDEX")
_catalog = Catalog(
    clients.dynamodb(),
    _table_name,
    shards=_environment.integer("INDEX_SHARDS"),
    retention=_environment.retention("CATALOG_RETENTION_DAYS"),
    stage=_environment.text("STAGE"),
    region=_region,
)
_reconciliation = Reconciliation(
    clients.s3(),
    _catalog,
    IntakeQueue(
        clients.sqs(),
        _environment.text("QUEUE_URL"),
        metrics=clients.cloudwatch(),
        name=_environment.text("QUEUE_NAME"),
        region=_region,
    ),
    SearchRules(
        bucket=_bucket,
        prefix=_environment.text("UPLOADS_PREFIX"),
        interval=timedelta(hours=_environment.integer("INTERVAL_HOURS")),
        delay=timedelta(seconds=_environment.integer("DELAY_SECONDS")),
        overlap=timedelta(days=_environment.integer("OVERLAP_DAYS")),
        time_reserve=timedelta(seconds=_environment.integer("TIME_RESERVE_SECONDS")),
    ),
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
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
    states = SearchStates(clients.dynamodb(), _table_name, bucket=_bucket, owner=context.aws_request_id)
    _end_requests()
    deadline = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis())
    progress = _reconciliation.run(states, deadline=deadline, at_once=event.get("at_once") is True)
    metrics.add_metric(name="UploadsMissed", unit=MetricUnit.Count, value=progress.missed if progress else 0)
    if progress is None:
        return {"searched": False, "whole": False, "listed": 0, "missed": 0}
    result = {"whole": progress.whole, "listed": progress.listed, "missed": progress.missed}
    logger.info("searched for uploads whose event never came", extra=result)
    return {"searched": True, **result}


def _end_requests() -> None:
    """Give the API's items that are PROCESSING though their worker died their end: FAILED, with a reason."""
    for request in _catalog.lapsed_requests(_status_index):
        if _catalog.end_lapsed(request.object_id, by=SENDER):
            logger.warning("request ended whose worker died", extra={"object_id": request.object_id})

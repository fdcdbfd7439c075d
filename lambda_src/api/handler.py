"""Lambda's entry: takes a request of the HTTP API, and answers it."""

from __future__ import annotations

import os
import random
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from api.errors import ApiError
from api.requests import prepare
from api.routes import Services, answer_error, build_app
from api.settings import ApiSettings
from shared import clients, measures
from shared.check import answers_check
from shared.observability import logger, measured, traced_handler
from shared.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from api.files import Files
    from api.records import Records
    from api.uploads import Uploads

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer: what is one user's stays in no cache, and is taken for nothing but what it says it is."""

_settings = read_settings(ApiSettings, os.environ)


# What only one route needs is loaded when that route is asked for: a cold start pays for one.
@cache
def _records() -> Records:
    from api.records import Records  # noqa: PLC0415
    from shared.catalog.requests import RequestWriter  # noqa: PLC0415
    from shared.catalog.table import CatalogTable  # noqa: PLC0415

    return Records(clients.s3, RequestWriter(CatalogTable(clients.dynamodb(), _settings.catalog)), _settings)


@cache
def _uploads() -> Uploads:
    from api.uploads import Uploads  # noqa: PLC0415

    return Uploads(clients.presigner, _settings.intake, _settings)


@cache
def _files() -> Files:
    from api.files import Files  # noqa: PLC0415
    from shared.catalog.reader import CatalogReader  # noqa: PLC0415

    return Files(CatalogReader(clients.dynamodb(), _settings.catalog), clients.presigner, _settings)


_app = build_app(
    Services(
        name=_settings.powertools_service_name,
        max_records=_settings.max_records,
        records=_records,
        uploads=_uploads,
        files=_files,
    )
)


# Restored from one snapshot, all environments would draw the same waits between tries, ours and the SDK's.
if find_spec("snapshot_restore_py"):  # of Lambda's runtime
    import_module("snapshot_restore_py").register_after_restore(random.seed)


def _load() -> None:
    from api import strict_json  # noqa: F401, PLC0415
    from shared.records.decoder import RecordDecoder  # noqa: PLC0415
    from shared.records.schemas import load_schema  # noqa: PLC0415

    for service in (_records, _uploads, _files):
        service()
    for schema in _settings.schemas:
        RecordDecoder(load_schema(schema))


@answers_check(_load)
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@traced_handler
@measured
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Answer one request.

    Parameters
    ----------
    event
        The request, in payload format 2.0.
    context
        The invocation.

    Returns
    -------
    dict
        The answer, in payload format 2.0.
    """
    measures.REQUESTS.add()
    request = APIGatewayProxyEventV2(event)
    try:
        caller = _settings.access.authorize(request)
        prepared = prepare(request, max_body_bytes=_settings.max_body_bytes)
        _app.context["caller"] = caller
        answer = _app.resolve(prepared, context)
    except ApiError as error:
        error_answer = answer_error(request, error)
        answer = {"statusCode": int(error.status), "headers": error_answer.headers, "body": error_answer.body}
    return {**answer, "headers": {**answer["headers"], **_HEADERS}}

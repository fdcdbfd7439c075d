"""The routes: what is asked, handed on, and what is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final, cast
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from botocore.exceptions import BotoCoreError, ClientError

from api.errors import WRITTEN_MEANWHILE, ApiError, invalid, not_found
from api.models import (
    MAX_CURSOR_CHARACTERS,
    WRONG_DATA,
    Day,
    ErrorAnswer,
    FieldError,
    FileDetail,
    FileList,
    GatewayAnswer,
    Health,
    Key,
    PageSize,
    RecordsAnswer,
    RecordsRequest,
    UploadAnswer,
    UploadRequest,
)
from shared import measures
from shared.catalog.model import Status
from shared.observability import logger
from shared.version import VERSION

if TYPE_CHECKING:
    from types import UnionType

    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
    from pydantic import BaseModel

    from api.access import Caller
    from api.files import Files
    from api.records import Records, Sent
    from api.uploads import Uploads

_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_ERRORS: Final = {
    400: "The request is invalid",
    403: "The caller may not do this",
    404: "Not found",
    409: "The Idempotency-Key was used for something else",
    413: "The request is too large",
    415: "The content type is not application/json",
    500: "Internal error",
    503: "Temporarily unavailable; try again later",
}
_MESSAGES: Final = {"data": WRONG_DATA}
_PASSING: Final = ("Throttl", "Throughput", "SlowDown", "LimitExceeded", "TooManyRequests", WRITTEN_MEANWHILE)
_ALWAYS: Final = (400, 403, 500, 503)
_GATEWAY_TOO: Final = frozenset({404, 413, 500, 503})
"""What API Gateway answers too, in its own shape: for a path that it cannot match, a body that is too large for it, a
function that crashed or was throttled."""
_IDEMPOTENCY_KEY: Final = r"^[!-~]{1,128}$"
_MAX_SHOWN_ERRORS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Services:
    """What does the work; each is made when its route is first asked for.

    Parameters
    ----------
    name
        The name that /health says.
    max_records
        The most records of a request.
    records, uploads, files
        Give the work of their routes.
    """

    name: str
    max_records: int
    records: Callable[[], Records]
    uploads: Callable[[], Uploads]
    files: Callable[[], Files]


def build_app(services: Services) -> APIGatewayHttpResolver:
    """Declare the routes.

    Parameters
    ----------
    services
        What does the work.
    """

    def read_body(text: str) -> dict[str, object]:
        from api.strict_json import parse  # noqa: PLC0415 - only requests with a body need what it imports

        return parse(text, services.max_records)

    app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=read_body)
    _add_records(app, services)
    _add_files(app, services)

    @app.get(
        "/health",
        summary="Check that the API is up",
        responses={200: _answer("The API is up", Health), 429: _answer("Too many requests", GatewayAnswer)},
    )
    def health() -> Health:
        return Health(service=services.name, version=VERSION, status="ok")

    @app.not_found
    def answer_unknown_route(_error: Exception) -> Response[str]:
        return answer_error(app.current_event, not_found("there is no such route"))

    _add_errors(app)
    return app


def _add_errors(app: APIGatewayHttpResolver) -> None:
    def answer(error: ApiError) -> Response[str]:
        return answer_error(app.current_event, error)

    def answer_invalid(error: RequestValidationError) -> Response[str]:
        return answer(_explain(error))

    def fail_for_now(error: ClientError | BotoCoreError) -> Response[str]:
        if isinstance(error, ClientError) and not _passes(error):
            return fail(error)
        logger.exception("AWS failed")
        return answer(
            ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "temporarily unavailable; try again later")
        )

    def fail(_error: Exception) -> Response[str]:
        logger.exception("request failed")
        return answer(
            ApiError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal_error",
                "internal error; the logs have it under this request_id",
            )
        )

    app.exception_handler(ApiError)(answer)
    app.exception_handler(RequestValidationError)(answer_invalid)
    app.exception_handler([ClientError, BotoCoreError])(fail_for_now)
    app.exception_handler(Exception)(fail)


def _passes(error: ClientError) -> bool:
    """Return whether a later try may succeed."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or any(word in code for word in _PASSING)


def _add_records(app: APIGatewayHttpResolver, services: Services) -> None:
    def sent(body: RecordsRequest) -> Sent:
        from api.records import Sent  # noqa: PLC0415 - only these routes need what it imports

        context = app.lambda_context
        return Sent(
            data=body.data,
            record_type=body.record_type,
            caller=_caller(app),
            request_id=app.current_event.request_context.request_id,
            function_name=context.function_name,
            deadline=datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()),
        )

    def counted(answer: RecordsAnswer) -> RecordsAnswer:
        measures.RECORDS_VALID.add(answer.records_valid)
        measures.RECORDS_REJECTED.add(answer.records_rejected)
        return answer

    @app.post("/validate", summary="Check records", responses=_responses(RecordsAnswer, 413, 415), security=_TOKEN)
    def validate(body: Annotated[RecordsRequest, Body()]) -> RecordsAnswer:
        return counted(services.records().validate(sent(body)))

    @app.post(
        "/process",
        summary="Check records and store the valid ones",
        description="Sending the same again stores nothing again, and is answered the same.",
        responses=_responses(RecordsAnswer, 409, 413, 415),
        security=_TOKEN,
    )
    def process(
        body: Annotated[RecordsRequest, Body()],
        idempotency_key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", pattern=_IDEMPOTENCY_KEY, description="Else the records themselves."),
        ] = None,
    ) -> RecordsAnswer:
        return counted(services.records().process(sent(body), idempotency_key))


def _add_files(app: APIGatewayHttpResolver, services: Services) -> None:
    @app.post(
        "/uploads",
        summary="Get a form to upload a file with",
        responses=_responses(UploadAnswer, 413, 415),
        security=_TOKEN,
    )
    def sign_upload(body: Annotated[UploadRequest, Body()]) -> UploadAnswer:
        return services.uploads().sign(body, _caller(app))

    @app.get(
        "/files",
        summary="List files",
        description="By status and day, the one that changed last first; by prefix, in the order of the keys; by key.",
        responses=_responses(FileList),
        security=_TOKEN,
    )
    def list_files(
        status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
        day: Annotated[Day | None, Query(description="Only those processed on this day, in UTC.")] = None,
        key: Annotated[Key | None, Query(description="The latest version of this key alone.")] = None,
        prefix: Annotated[Key | None, Query(description="The latest versions of the keys that begin so.")] = None,
        limit: Annotated[PageSize, Query(description="Files of a page.")] = 20,
        cursor: Annotated[
            str | None, Query(min_length=1, max_length=MAX_CURSOR_CHARACTERS, description="Of the page before.")
        ] = None,
    ) -> FileList:
        _check_question(status=status, day=day, key=key, prefix=prefix, cursor=cursor if key else None)
        if key:
            return services.files().find(key)
        if prefix:
            return services.files().under(prefix, limit=limit, cursor=cursor)
        return services.files().list(status=status, day=day, limit=limit, cursor=cursor)

    @app.get("/files/<file_id>", summary="Show a file", responses=_responses(FileDetail, 404), security=_TOKEN)
    def show_file(
        file_id: Annotated[str, Path(description="The id, URL-encoded, its slashes too.")],
        version_id: Annotated[
            str | None, Query(min_length=1, max_length=1024, description="A certain version.")
        ] = None,
    ) -> FileDetail:
        return services.files().show(unquote(file_id), version_id)


def _caller(app: APIGatewayHttpResolver) -> Caller:
    return cast("Caller", app.context["caller"])


def _check_question(**asked: object) -> None:
    """Answer 400 to a question that has more than a key or a prefix."""
    given = [name for name, value in asked.items() if value is not None]
    alone = next((name for name in ("key", "prefix") if name in given), None)
    if alone and len(given) > 1:
        fields = {name: f"should not be given with {alone}" for name in given if name != alone}
        raise invalid("; ".join(f"{name} {message}" for name, message in fields.items()), fields)


def answer_error(request: APIGatewayProxyEventV2, error: ApiError) -> Response[str]:
    """Render an error: all have this shape."""
    body = ErrorAnswer(
        code=error.code,
        message=error.message,
        request_id=request.request_context.request_id,
        errors=[FieldError(field=name, message=message) for name, message in error.fields.items()],
    )
    return Response(error.status, content_types.APPLICATION_JSON, body.model_dump_json())


def _responses(model: type[BaseModel], *statuses: int) -> dict[int, OpenAPIResponse]:
    return {
        200: _answer("Done", model),
        401: _answer("There is no valid token in the request", GatewayAnswer),
        429: _answer("Too many requests", GatewayAnswer),
        **{status: _error_answer(status) for status in sorted({*_ALWAYS, *statuses})},
    }


def _error_answer(status: int) -> OpenAPIResponse:
    return _answer(_ERRORS[status], ErrorAnswer | GatewayAnswer if status in _GATEWAY_TOO else ErrorAnswer)


def _answer(description: str, model: type[BaseModel] | UnionType) -> OpenAPIResponse:
    return {"description": description, "content": {"application/json": {"model": model}}}


def _explain(error: RequestValidationError) -> ApiError:
    """Say which fields are wrong, and nothing of our code."""
    fields: dict[str, str] = {}
    for detail in error.errors():
        place = [str(part) for part in detail["loc"][1:]]
        # Of a choice of types, each has a message: the first that a field has is enough.
        name = place[0] if place else "body"
        fields.setdefault(name, _MESSAGES.get(name) or str(detail["msg"]))
    shown = dict(list(fields.items())[:_MAX_SHOWN_ERRORS])
    return invalid("; ".join(f"{name}: {message}" for name, message in shown.items()), shown)

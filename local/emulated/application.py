"""The emulator's application, with two things put right for which it has no setting.

It takes every answer of a function that reads a DynamoDB stream for a success: a delivery that failed would be lost.
Here an answer with ``batchItemFailures`` counts as a failure of the whole batch, which comes again.

Its JWT authorizer asks for a user pool's keys over plain HTTP, which is refused where TLS alone is served. Here they
are handed over in the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from ministack import app as ministack
from ministack.services import apigateway, cognito, lambda_svc

_Result: TypeAlias = dict[str, object]
_Execute: TypeAlias = Callable[[_Result, object], _Result]

app: Final = ministack.app
_execute: Final[_Execute] = lambda_svc._execute_function  # noqa: SLF001 - the one door to functions


def _execute_function(function: _Result, event: object) -> _Result:
    result = _execute(function, event)
    if _is_of_stream(event) and _failures(result.get("body")):
        return {**result, "error": True, "body": {"errorType": "Partial", "errorMessage": "records failed"}}
    return result


def _is_of_stream(event: object) -> bool:
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:dynamodb"


def _failures(body: object) -> object:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    return body.get("batchItemFailures") if isinstance(body, Mapping) else None


lambda_svc._execute_function = _execute_function  # noqa: SLF001 - the same


async def _hand_over_keys(url: str) -> object:
    """Return the key set of the user pool that `url` names: ``…/<pool id>/.well-known/jwks.json``."""
    _, _, body = cognito.well_known_jwks(url.split("/")[-3])
    keys: object = json.loads(body)
    return keys


apigateway._fetch_jwks = _hand_over_keys  # noqa: SLF001 - the same

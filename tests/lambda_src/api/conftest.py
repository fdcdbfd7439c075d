"""The API's function on moto, asked as API Gateway asks it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import (
    BUCKET,
    Aws,
    LambdaContext,
    declared_environment,
    import_function,
    load_event,
)

SHARDS: Final = 3

Body: TypeAlias = "dict[str, object]"


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """What the API answered."""

    status: int
    body: Body

    def fields(self) -> dict[str, str]:
        """What is said of each field."""
        errors = cast("list[dict[str, str]]", self.body["errors"])
        return {error["field"]: error["message"] for error in errors}


@dataclass(kw_only=True)
class HandlerClient:
    """Asks the API's function, as a user."""

    handler: Callable[[dict[str, object], LambdaContext], dict[str, object]]
    groups: str | None = "[writers]"
    is_program: bool = False
    listed: list[str] | None = None
    """The groups as the token lists them, where a blank in a name hides that."""

    scope: str | None = None
    """The scopes of a program, which is in no group."""

    subject: str = "93f4b8a2-0011-7022-8c33-445566778899"
    request_id: str = "JKJaXmPLvHcESHA="

    def get(self, path: str, **query: object) -> ApiAnswer:
        return self.answer(self.event("GET", path, query=urlencode(query)))

    def post(self, path: str, body: object, **headers: str) -> ApiAnswer:
        return self.send(path, json.dumps(body), **headers)

    def send(self, path: str, body: str | bytes, **headers: str) -> ApiAnswer:
        return self.answer(self.event("POST", path, body=body, headers=headers))

    def event(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, object]:
        """A request in payload format 2.0."""
        event = load_event("http_api_request.json")
        context = cast("dict[str, dict[str, object]]", event["requestContext"])
        context["http"] |= {"method": method, "path": path}
        event["requestContext"] = {**context, "requestId": self.request_id}
        claims = cast("dict[str, str]", context["authorizer"]["jwt"]["claims"])  # type: ignore[index]
        claims["sub"] = self.subject
        claims["cognito:groups"] = self.groups or ""
        if self.groups is None:
            del claims["cognito:groups"]
        token = {"cognito:groups": self.listed or (self.groups or "").strip("[]").split(" ")}
        payload = base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")
        if self.scope is not None:
            claims["scope"] = self.scope
        if self.is_program:
            del claims["username"]
        key = f"{method} {'/files/{id+}' if path.startswith('/files/') else path}"
        given = cast("dict[str, str]", event["headers"])
        given["authorization"] = f"Bearer e30.{payload}.c2ln"
        event |= {"routeKey": key, "rawPath": path, "rawQueryString": query}
        if query:
            event["queryStringParameters"] = dict(parse_qsl(query))
        if body is not None:
            given["content-type"] = "application/json"
            encoded = isinstance(body, bytes)
            event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
            event["isBase64Encoded"] = encoded
        for name, value in (headers or {}).items():
            given[name.replace("_", "-").lower()] = value
        return event

    def answer(self, event: dict[str, object]) -> ApiAnswer:
        answered = self.handler(event, LambdaContext(function_name="file-pipeline-dev-api"))
        assert answered["headers"] == {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return ApiAnswer(status=int(str(answered["statusCode"])), body=json.loads(str(answered["body"])))


@pytest.fixture
def api(aws: Aws, dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch) -> HandlerClient:
    here = {
        "BUCKET_NAME": BUCKET,
        "CATALOG_TABLE_NAME": aws.table,
        "MAX_RECORDS": "50",
        "INDEX_SHARDS": str(SHARDS),
    }
    for name, value in {**declared_environment(dev, "api"), **here}.items():
        monkeypatch.setenv(name, value)
    return HandlerClient(handler=import_function("api").handler)

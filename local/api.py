"""The API of a local stack, as a signed-in user."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast
from urllib.parse import urlencode

import urllib3

from local.stack import LocalStack

Json: TypeAlias = "dict[str, object]"
TokenKind: TypeAlias = Literal["AccessToken", "IdToken"]


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """What the API answered."""

    status: int
    body: Json


class ApiClient:
    """Sends requests to the API.

    Parameters
    ----------
    stack
        The stack.
    token
        The access token of the Authorization header; empty: no header.

    Attributes
    ----------
    headers
        What is sent with every request.
    """

    def __init__(self, stack: LocalStack, token: str) -> None:
        self._endpoint = stack.outputs["apiEndpoint"]
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = urllib3.PoolManager(ca_certs=str(stack.emulator.ca_bundle), timeout=30)

    def get(self, path: str, **query: object) -> ApiAnswer:
        """Send a GET request."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, {})

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> ApiAnswer:
        """Send a POST request with a JSON body."""
        return self._send("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})

    def upload(self, form: Json, body: bytes) -> int:
        """Upload a file with the form that POST /uploads answered; returns S3's status."""
        fields = cast("dict[str, str]", form["fields"])
        answer = self._http.request("POST", str(form["url"]), fields=[*fields.items(), ("file", ("file", body))])
        return answer.status

    def download(self, url: str) -> bytes:
        """Download what a presigned link points to."""
        return self._http.request("GET", url).data

    def _send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> ApiAnswer:
        answer = self._http.request(
            method, self._endpoint + path, body=body, headers={**self.headers, **headers}, redirect=False
        )
        return ApiAnswer(status=answer.status, body=json.loads(answer.data))


def sign_in(stack: LocalStack, username: str, password: str, kind: TokenKind = "AccessToken") -> str:
    """Sign a user in by password.

    Returns
    -------
    str
        The token.
    """
    result = stack.cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=stack.outputs["userPoolClientId"],
        AuthParameters={"USERNAME": username, "PASSWORD": password},
    )["AuthenticationResult"]
    return result[kind]


def sign_in_test_user(stack: LocalStack) -> ApiClient:
    """Sign the stage's test user in."""
    token = sign_in(stack, stack.outputs["testUserName"], stack.outputs["testUserPassword"])
    return ApiClient(stack, token)

"""What a stack shows to the outside: the API, and the endpoint that it delivers to."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from operate.check.findings import LeftOutError
from operate.check.parts import function_name, optional
from operate.session import FaultError, Session

_TIMEOUT_SECONDS: Final = 30
_CONNECT_SECONDS: Final = 10
_PORTS: Final[Mapping[str, int]] = {"https": 443, "http": 80}
_NO_API: Final = "the stack has no API"


def health(session: Session) -> str:
    """Ask the API how it is."""
    url = f"{optional(session, 'apiEndpoint', _NO_API)}/health"
    answer = _request(url)
    return f"{url}: {answer.get('service')} {answer.get('version')} is {answer.get('status')}"


def file_status(session: Session, object_id: str) -> str:
    """Ask the API, signed in, for a file's status.

    Raises
    ------
    LeftOutError
        If there is no API, or nobody to sign in as.
    FaultError
        If it does not answer with the file.
    """
    endpoint = optional(session, "apiEndpoint", _NO_API)
    path = f"/files/{quote(object_id, safe='')}"
    answer = _request(endpoint + path, headers={"Authorization": f"Bearer {_token(session)}"})
    return str(answer.get("status"))


def endpoint(session: Session) -> str:
    """Connect to the endpoint that files are delivered to, and send nothing.

    Raises
    ------
    LeftOutError
        If there is none, or it is reached from a VPC.
    FaultError
        If it cannot be reached, or its certificate is not trusted.
    """
    name = function_name(session, "delivery")
    if session.configuration(name).get("VpcConfig", {}).get("SubnetIds"):
        raise LeftOutError("the delivery function reaches it from its VPC")
    url = urlsplit(session.variable(name, "ENDPOINT_URL"))
    host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as connection:
            if url.scheme == "https":
                with _trust().wrap_socket(connection, server_hostname=host):
                    pass
    except OSError as error:
        raise FaultError(f"{host}:{port} cannot be reached from here: {error}") from error
    return f"{host}:{port}"


def _token(session: Session) -> str:
    """Sign in as the test user, or as a program.

    Raises
    ------
    LeftOutError
        If the stack has neither, or Pulumi does not show the test user's password.
    """
    outputs = session.outputs
    client, user, password = (outputs.find(n) for n in ("userPoolClientId", "testUserName", "testUserPassword"))
    if client and user and password:
        signed_in = session.cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client,
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
        return signed_in["AuthenticationResult"]["AccessToken"]
    nobody = "there is nobody to sign in as: the stack has no programClient"
    program, url = optional(session, "programClientId", nobody), optional(session, "tokenUrl", nobody)
    pool = optional(session, "userPoolId", nobody)
    described = session.cognito.describe_user_pool_client(UserPoolId=pool, ClientId=program)["UserPoolClient"]
    credentials = base64.b64encode(f"{program}:{described['ClientSecret']}".encode()).decode()
    # Without a scope, the token has all that the client may have.
    body = urlencode({"grant_type": "client_credentials"}).encode()
    answer = _request(url, body=body, headers={"Authorization": f"Basic {credentials}"})
    return str(answer.get("access_token"))


def _request(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, object]:
    """Send a request, and return what the JSON of its answer says."""
    if urlsplit(url).scheme != "https":
        raise FaultError(f"{url} should begin with https://")
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - https alone
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=_trust()) as answer:  # noqa: S310 - the same
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        raise FaultError(f"{url} answered {error.code}") from error
    except OSError as error:
        raise FaultError(f"{url} cannot be reached: {error}") from error
    try:
        content: object = json.loads(text)
    except ValueError:
        content = None
    if status != HTTPStatus.OK or not isinstance(content, dict):
        raise FaultError(f"{url} answered {status}, and no JSON object")
    return content


def _trust() -> ssl.SSLContext:
    """Trust whom the AWS SDK trusts."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))

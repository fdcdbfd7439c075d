"""What is checked of every request before a route sees it: who sends it, and whether its body can be read at all."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec import Struct

from api.claims import groups_of, scopes_of, subject_claims, user_name
from api.errors import ApiError, invalid, not_found, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN_ROUTE: Final = "GET /health"
SAFE_ID_MARK: Final = "~"
"""What an id begins with that is base64url, for paths: API Gateway takes a decoded ? for the end of one."""

_OPEN_PATH: Final = "/health"
_FILE_PATH: Final = "/files/"
_JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request.

    Parameters
    ----------
    subject
        The id that never changes.
    name
        The username, as ASCII.
    """

    subject: str
    name: str


class AccessSettings(Struct, frozen=True, kw_only=True):
    """Who may do what, by a token's claims: users by their groups, programs by their scopes.

    Parameters
    ----------
    jwt_groups_claim, jwt_scopes_claim
        The claims that name a user's groups, and a program's scopes.
    readers_group, read_scope
        Who may ask.
    writers_group, write_scope
        Who may ask and send.
    """

    jwt_groups_claim: str
    jwt_scopes_claim: str
    readers_group: str
    writers_group: str
    read_scope: str
    write_scope: str

    def may_send(self, event: Mapping[str, object]) -> bool:
        """Return whether who sends the request may send files and records."""
        return self._holds(event, self.writers_group, self.write_scope)

    def may_ask(self, event: Mapping[str, object]) -> bool:
        """Return whether who sends the request may ask."""
        return self.may_send(event) or self._holds(event, self.readers_group, self.read_scope)

    def _holds(self, event: Mapping[str, object], group: str, scope: str) -> bool:
        claims, groups_claim = subject_claims(event), self.jwt_groups_claim
        in_group = group in groups_of(event, claims, groups_claim)
        return in_group or scope in scopes_of(claims, self.jwt_scopes_claim, groups_claim)


class Authorizer:
    """Lets in what may come in.

    Parameters
    ----------
    access
        Who may do what.
    max_body_bytes
        The largest body.
    """

    def __init__(self, *, access: AccessSettings, max_body_bytes: int) -> None:
        self._access = access
        self._max_body_bytes = max_body_bytes

    def check(self, event: Mapping[str, object]) -> dict[str, object]:
        """Return the event with its body as text and its path as it was sent.

        Raises
        ------
        ApiError
            If the caller may not do this, or the body is too large or no text.
        """
        method = _text(event, "requestContext", "http", "method")
        if (event.get("routeKey"), event.get("rawPath")) != (OPEN_ROUTE, _OPEN_PATH):
            self._authorize(event, method)
        checked = {**event, "rawPath": _encode_id(_text(event, "rawPath"))}
        if method == "POST":
            headers = {**_part(event, "headers"), "content-type": _JSON}
            checked |= {"body": self._read_body(event), "isBase64Encoded": False, "headers": headers}
        return checked

    def _authorize(self, event: Mapping[str, object], method: str) -> None:
        # The authorizer has let the token in already: without one we are not where we think we are.
        access = self._access
        if not subject_claims(event):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "there is no valid token in the request")
        if not (access.may_ask(event) if method == "GET" else access.may_send(event)):
            group = access.readers_group if method == "GET" else access.writers_group
            scope = access.read_scope if method == "GET" else access.write_scope
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                f"this needs a user of the group {group!r}, who signs in again after joining it, or a program with the "
                f"scope {scope!r}",
            )

    def _read_body(self, event: Mapping[str, object]) -> str:
        media_type = _text(event, "headers", "content-type").partition(";")[0].strip().lower()
        if media_type not in {"", _JSON}:
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", f"the body should be {_JSON}")
        body = _text(event, "body")
        if event.get("isBase64Encoded"):
            try:
                text = base64.b64decode(body, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise invalid("the body is not UTF-8") from error
        else:
            text = body
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise invalid("the body is not UTF-8") from error
        if size > self._max_body_bytes:
            raise too_large(f"the body has {size} bytes; at most {self._max_body_bytes} are taken: upload a file")
        if not text.strip():
            raise invalid("the body is empty")
        return text


def caller_of(event: Mapping[str, object]) -> Caller:
    """Return who sends the request."""
    claims = subject_claims(event)
    return Caller(subject=claims["sub"], name=quote(user_name(claims), safe="@+."))


def request_id_of(event: Mapping[str, object]) -> str:
    """Return the id of the request, which the access log has too."""
    return _text(event, "requestContext", "requestId")


def _encode_id(path: str) -> str:
    """Encode a file's id again, so that the path's last part is one part.

    API Gateway decodes all of a path but the percent sign itself.
    """
    if not path.startswith(_FILE_PATH):
        return path
    file_id = path.removeprefix(_FILE_PATH)
    if file_id.startswith(SAFE_ID_MARK):
        return _FILE_PATH + quote(_decode_safe_id(file_id.removeprefix(SAFE_ID_MARK)), safe="")
    return _FILE_PATH + quote(file_id.replace("%25", "%"), safe="")


def _decode_safe_id(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise not_found("there is no file with this id") from error


def _part(event: Mapping[str, object], *names: str) -> Mapping[str, object]:
    part: object = event
    for name in names:
        part = part.get(name) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else {}


def _text(event: Mapping[str, object], *names: str) -> str:
    value = (_part(event, *names[:-1]) if names[1:] else event).get(names[-1])
    return value if isinstance(value, str) else ""

"""Who sends a request, by the token that API Gateway has checked, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from api import base64url
from api.errors import ApiError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

OPEN_ROUTE: Final = "GET /health"

_OPEN_PATH: Final = "/health"
_USER_NAMES: Final = ("username", "cognito:username")
"""Claims that a user's tokens have: an access token and an id token name the user differently."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request.

    Parameters
    ----------
    subject
        The id that never changes.
    name
        The username, as ASCII; of a program, its id.
    groups
        The groups that a user is in.
    scopes
        What a program may do.
    """

    subject: str
    name: str
    groups: frozenset[str]
    scopes: frozenset[str]


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

    def authorize(self, request: APIGatewayProxyEventV2) -> Caller | None:
        """Return who sends a request; None: anybody may send it.

        Raises
        ------
        ApiError
            If there is no token in the request, or the caller may not do this.
        """
        if (request.route_key, request.raw_path) == (OPEN_ROUTE, _OPEN_PATH):
            return None
        caller = self._caller(request)
        # API Gateway has let the token in already: without one we are not where we think we are.
        if caller is None:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "there is no valid token in the request")
        allowed = [(self.writers_group, self.write_scope)]
        if request.http_method == "GET":
            allowed.insert(0, (self.readers_group, self.read_scope))
        if not any(group in caller.groups or scope in caller.scopes for group, scope in allowed):
            group, scope = allowed[0]
            raise ApiError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                f"this needs a user of the group {group!r}, who signs in again after joining it, or a program with the "
                f"scope {scope!r}",
            )
        return caller

    def _caller(self, request: APIGatewayProxyEventV2) -> Caller | None:
        claims: dict[str, str] = request.request_context.authorizer.jwt_claim
        if "sub" not in claims:
            return None
        user = next((claims[name] for name in _USER_NAMES if claims.get(name)), None)
        # A user's token has scopes too, those of the program that the user signed in with: they count for nothing.
        is_user = self.jwt_groups_claim in claims or any(name in claims for name in _USER_NAMES)
        return Caller(
            subject=claims["sub"],
            name=quote(user or claims["sub"], safe="@+."),
            groups=self._groups(request, claims.get(self.jwt_groups_claim, "")),
            # A scope has no blank (RFC 6749, section 3.3): a list and a text are split alike.
            scopes=frozenset() if is_user else frozenset(_inner(claims.get(self.jwt_scopes_claim, "")).split()),
        )

    def _groups(self, request: APIGatewayProxyEventV2, text: str) -> frozenset[str]:
        """Return a user's groups.

        A list, API Gateway hands over as a text: ``[a b]`` is two groups, or one whose name has a blank. So a text with
        a blank counts for nothing: the token itself, which API Gateway has verified, has the list.
        """
        if " " not in text:
            return frozenset({_inner(text)} - {""})
        listed = _payload(request.headers.get("authorization", "")).get(self.jwt_groups_claim)
        return frozenset(map(str, listed)) if isinstance(listed, list) else frozenset({text})


def _inner(text: str) -> str:
    return text.removeprefix("[").removesuffix("]")


def _payload(authorization: str) -> dict[str, object]:
    """Return the claims of a JWT as its issuer wrote them."""
    _, _, rest = authorization.rpartition(" ")[2].partition(".")
    try:
        return msgspec.json.decode(base64url.decode(rest.partition(".")[0]), type=dict[str, object])
    except ValueError:  # which msgspec's errors are too
        return {}

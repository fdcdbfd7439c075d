"""What a token says of its bearer: API Gateway has checked it, and hands its claims over as texts."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER_NAMES: Final = ("username", "cognito:username")
"""Claims that a user's tokens have: an access token and an id token name the user differently."""


def subject_claims(event: Mapping[str, object]) -> dict[str, str]:
    """Return the claims of a request's token; none if the request has no valid token."""
    found: object = event.get("requestContext")
    for step in ("authorizer", "jwt", "claims"):
        found = found.get(step) if isinstance(found, dict) else None
    claims = {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
    return claims if "sub" in claims else {}


def user_name(claims: Mapping[str, str]) -> str:
    """Return what the bearer is called; of a program, its id."""
    return next((claims[name] for name in _USER_NAMES if claims.get(name)), claims["sub"])


def groups_of(event: Mapping[str, object], claims: Mapping[str, str], name: str) -> set[str]:
    """Return the groups that the claim `name` lists.

    A list, API Gateway hands over as a text: ``[a b]`` is two groups, or one whose name has a blank. So a text with a
    blank counts for nothing: the token itself, which API Gateway has verified, has the list.
    """
    text = claims.get(name, "")
    inner = text.removeprefix("[").removesuffix("]")
    if " " not in inner:
        return {inner} - {""}
    listed = _payload(event).get(name)
    return {group for group in listed if isinstance(group, str)} if isinstance(listed, list) else {text}


def scopes_of(claims: Mapping[str, str], scopes_claim: str, groups_claim: str) -> set[str]:
    """Return a program's scopes. A user's token has scopes too, of the program that the user signed in with: none."""
    if groups_claim in claims or any(name in claims for name in _USER_NAMES):
        return set()
    # A scope has no blank (RFC 6749, section 3.3), so a list and a text are told apart by nothing that matters.
    return set(claims.get(scopes_claim, "").removeprefix("[").removesuffix("]").split(" ")) - {""}


def _payload(event: Mapping[str, object]) -> dict[str, object]:
    headers = event.get("headers")
    header = headers.get("authorization", "") if isinstance(headers, dict) else ""
    _, _, rest = str(header).rpartition(" ")[2].partition(".")
    payload = rest.partition(".")[0]
    try:
        return msgspec.json.decode(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=dict[str, object]
        )
    except (ValueError, msgspec.DecodeError):
        return {}

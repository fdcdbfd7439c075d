"""The HTTP API is authorized, throttled and logged; its users' secrets stay with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, is_one_of, is_set, resource_rule

OPEN_ROUTES: Final = frozenset({"GET /health"})
"""Routes that anybody may ask."""


def _is_logged_and_throttled(stage: Resource) -> Iterator[str]:
    for name in ("destinationArn", "format"):
        if not is_set(stage.at("accessLogSettings", name)):
            yield f"accessLogSettings.{name} is not set: nobody could tell who called"
    for name in ("throttlingBurstLimit", "throttlingRateLimit"):
        if not is_set(stage.at("defaultRouteSettings", name)):
            yield f"defaultRouteSettings.{name} is not set: one caller could use up the account's concurrency"


def _is_authorized(route: Resource) -> Iterator[str]:
    key = route.at("routeKey")
    if key is not UNKNOWN and key not in OPEN_ROUTES and not is_one_of(route.at("authorizationType"), "JWT", "AWS_IAM"):
        yield f"{key} has no authorizer: authorizationType should be JWT"


def _has_no_secret(client: Resource) -> Iterator[str]:
    if client.at("generateSecret") is True:
        yield "generateSecret is true: a browser cannot keep a secret"


RULES: Final = (
    resource_rule(
        "api-logged-and-throttled",
        "API stages write access logs and throttle their callers.",
        {types.API_STAGE},
        _is_logged_and_throttled,
    ),
    resource_rule("api-authorized", "Every route but health asks who calls.", {types.API_ROUTE}, _is_authorized),
    resource_rule(
        "api-clients-without-secret",
        "Clients of the user pool have no secret that could leak.",
        {types.USER_POOL_CLIENT},
        _has_no_secret,
    ),
)

"""The HTTP API is authorized, throttled and logged; its users' secrets stay with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, Stack, elements, is_one_of, is_set, look, resource_rule, stack_rule

OPEN_ROUTES: Final = frozenset({"GET /health"})
"""Routes that anybody may ask."""

_USER_POOL: Final = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/[\w-]+")
"""Who signs the tokens of a user pool."""


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


def _open_routes_are_throttled(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for route in stack.all(types.API_ROUTE):
        key, kind = route.at("routeKey"), route.at("authorizationType")
        if UNKNOWN in {key, kind} or is_one_of(kind, "JWT", "AWS_IAM"):
            continue
        for stage in stack.all(types.API_STAGE):
            if _may_be_another_api(stage.at("apiId"), route.at("apiId")) or _throttles(stage, key):
                continue
            yield stage, f"routeSettings lack limits of {key}, which asks for no token: anybody could run up its bill"


def _may_be_another_api(one: object, other: object) -> bool:
    return UNKNOWN not in {one, other} and one != other


def _throttles(stage: Resource, route_key: object) -> bool:
    settings = stage.at("routeSettings")
    return settings is UNKNOWN or any(
        is_one_of(look(entry, "routeKey"), str(route_key))
        and is_set(look(entry, "throttlingBurstLimit"))
        and is_set(look(entry, "throttlingRateLimit"))
        for entry in elements(settings)
    )


def _names_its_origins(api: Resource) -> Iterator[str]:
    for origin in elements(api.at("corsConfiguration", "allowOrigins")):
        if api.is_production and origin is not UNKNOWN and "*" in str(origin):
            yield f"corsConfiguration.allowOrigins has {origin}: name production's origins in apiCorsOrigins"


def _trusts_a_user_pool(authorizer: Resource) -> Iterator[str]:
    issuer = authorizer.at("jwtConfiguration", "issuer")
    if issuer is not UNKNOWN and not _USER_POOL.fullmatch(str(issuer)):
        yield f"jwtConfiguration.issuer = {issuer}: should be a user pool, https://cognito-idp.REGION.amazonaws.com/POOL"


def _trusts_the_stacks_pool(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for authorizer in stack.all(types.API_AUTHORIZER):
        pools = [pool for pool in stack.all(types.USER_POOL) if authorizer.comes_from("jwtConfiguration", pool)]
        issuer = authorizer.at("jwtConfiguration", "issuer")
        # The audiences may come from the pool too: where both are known, they are compared.
        if not any(_may_be_of(issuer, pool.at("endpoint")) for pool in pools):
            yield authorizer, f"jwtConfiguration.issuer = {issuer} is not a user pool of this stack: use its endpoint"


def _may_be_of(issuer: object, endpoint: object) -> bool:
    return not isinstance(issuer, str) or not isinstance(endpoint, str) or issuer == f"https://{endpoint}"


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
    stack_rule(
        "api-open-routes-throttled",
        "Each route that asks for no token has a throttle of its own.",
        _open_routes_are_throttled,
    ),
    resource_rule("api-authorized", "Every route but health asks who calls.", {types.API_ROUTE}, _is_authorized),
    resource_rule(
        "api-origins-named", "Production's API is called from origins that are named.", {types.API}, _names_its_origins
    ),
    resource_rule(
        "api-tokens-of-a-pool",
        "The API takes the tokens of Cognito user pools alone.",
        {types.API_AUTHORIZER},
        _trusts_a_user_pool,
    ),
    stack_rule("api-tokens-of-the-stack", "That pool is one of the stack's own.", _trusts_the_stacks_pool),
    resource_rule(
        "api-clients-without-secret",
        "Clients of the user pool have no secret that could leak.",
        {types.USER_POOL_CLIENT},
        _has_no_secret,
    ),
)

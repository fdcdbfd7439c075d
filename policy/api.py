"""The HTTP API is authorized, throttled and logged; its users' secrets stay with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policy.resource import UNKNOWN, Resource, Stack, elements, is_one_of, is_set, look
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule

OPEN_ROUTES: Final = frozenset({"GET /health"})
"""Routes that anybody may ask."""

_USER_POOL: Final = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/[\w-]+")
"""Who signs the tokens of a user pool."""


@resource_rule(Type.API_STAGE)
def api_logged_and_throttled(stage: Resource) -> Iterator[str]:
    """API stages write access logs and throttle their callers."""
    for name in ("destinationArn", "format"):
        if not is_set(stage.at("accessLogSettings", name)):
            yield f"accessLogSettings.{name} is not set: nobody could tell who called"
    for name in ("throttlingBurstLimit", "throttlingRateLimit"):
        if not is_set(stage.at("defaultRouteSettings", name)):
            yield f"defaultRouteSettings.{name} is not set: one caller could use up the account's concurrency"


@resource_rule(Type.API_ROUTE)
def api_authorized(route: Resource) -> Iterator[str]:
    """Every route but health asks who calls."""
    key = route.at("routeKey")
    if key is not UNKNOWN and key not in OPEN_ROUTES and not is_one_of(route.at("authorizationType"), "JWT", "AWS_IAM"):
        yield f"{key} has no authorizer: authorizationType should be JWT"


@stack_rule()
def api_open_routes_throttled(stack: Stack) -> StackComplaints:
    """Each route that asks for no token has a throttle of its own."""
    for route in stack.all(Type.API_ROUTE):
        key, kind = route.at("routeKey"), route.at("authorizationType")
        if UNKNOWN in {key, kind} or is_one_of(kind, "JWT", "AWS_IAM"):
            continue
        for stage in stack.all(Type.API_STAGE):
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


@resource_rule(Type.API)
def api_origins_named(api: Resource) -> Iterator[str]:
    """Production's API is called from origins that are named."""
    for origin in elements(api.at("corsConfiguration", "allowOrigins")):
        if api.is_production and origin is not UNKNOWN and "*" in str(origin):
            yield f"corsConfiguration.allowOrigins has {origin}: name production's origins in apiCorsOrigins"


@stack_rule()
def api_tokens_of_a_pool(stack: Stack) -> StackComplaints:
    """The API takes the tokens of Cognito user pools alone, or of the provider that was brought to the stack."""
    for authorizer in stack.all(Type.API_AUTHORIZER):
        issuer = authorizer.at("jwtConfiguration", "issuer")
        if issuer is UNKNOWN or _USER_POOL.fullmatch(str(issuer)) or stack.brings("broughtIssuer", issuer):
            continue
        wanted = "a user pool, https://cognito-idp.REGION.amazonaws.com/POOL, or what jwtIssuer names"
        yield authorizer, f"jwtConfiguration.issuer = {issuer}: should be {wanted}"


@stack_rule()
def api_tokens_of_the_stack(stack: Stack) -> StackComplaints:
    """The user pool whose tokens the API takes is the stack's own, unless another provider was brought."""
    for authorizer in stack.all(Type.API_AUTHORIZER):
        pools = [pool for pool in stack.all(Type.USER_POOL) if authorizer.comes_from("jwtConfiguration", pool)]
        issuer = authorizer.at("jwtConfiguration", "issuer")
        if stack.brings("broughtIssuer", issuer):
            continue
        # The audiences may come from the pool too: where both are known, they are compared.
        if not any(_may_be_of(issuer, pool.at("endpoint")) for pool in pools):
            yield authorizer, f"jwtConfiguration.issuer = {issuer} is not a user pool of this stack: use its endpoint"


def _may_be_of(issuer: object, endpoint: object) -> bool:
    return not isinstance(issuer, str) or not isinstance(endpoint, str) or issuer == f"https://{endpoint}"


@resource_rule(Type.USER_POOL_CLIENT)
def api_clients_without_secret(client: Resource) -> Iterator[str]:
    """Clients that users sign in by have no secret that could leak."""
    if client.at("generateSecret") is True and elements(client.at("allowedOauthFlows")) != ["client_credentials"]:
        yield "generateSecret is true: a browser cannot keep a secret, only a program with client_credentials can"

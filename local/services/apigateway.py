"""API Gateway's HTTP APIs on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.cloud import Cloud
from local.services.base import Creator, Inputs, Made


def _api(cloud: Cloud, inputs: Inputs) -> Made:
    cors = inputs.part("corsConfiguration")
    api = cloud.apigateway.create_api(
        Name=inputs.text("name"),
        ProtocolType="HTTP",
        CorsConfiguration={
            "AllowOrigins": cors.texts("allowOrigins"),
            "AllowMethods": cors.texts("allowMethods"),
            "AllowHeaders": cors.texts("allowHeaders"),
            "MaxAge": cors.integer("maxAge", 0),
        },
    )
    outputs = {
        "apiEndpoint": f"{cloud.apigateway.meta.endpoint_url}/_aws/execute-api/{api['ApiId']}/$default",
        "executionArn": cloud.arn("execute-api", api["ApiId"]),
    }
    return Made(id=api["ApiId"], outputs={**outputs})


def _authorizer(cloud: Cloud, inputs: Inputs) -> Made:
    jwt = inputs.part("jwtConfiguration")
    authorizer = cloud.apigateway.create_authorizer(
        ApiId=inputs.text("apiId"),
        Name=inputs.text("name"),
        AuthorizerType="JWT",
        IdentitySource=inputs.texts("identitySources"),
        JwtConfiguration={"Issuer": jwt.text("issuer"), "Audience": jwt.texts("audiences")},
    )
    return Made(id=authorizer["AuthorizerId"], outputs={})


def _integration(cloud: Cloud, inputs: Inputs) -> Made:
    integration = cloud.apigateway.create_integration(
        ApiId=inputs.text("apiId"),
        IntegrationType="AWS_PROXY",
        IntegrationUri=inputs.text("integrationUri"),
        PayloadFormatVersion=inputs.text("payloadFormatVersion"),
        TimeoutInMillis=inputs.integer("timeoutMilliseconds"),
    )
    return Made(id=integration["IntegrationId"], outputs={})


def _route(cloud: Cloud, inputs: Inputs) -> Made:
    api, key, target = inputs.text("apiId"), inputs.text("routeKey"), inputs.text("target")
    if "authorizerId" in inputs:
        authorizer = inputs.text("authorizerId")
        route = cloud.apigateway.create_route(
            ApiId=api, RouteKey=key, Target=target, AuthorizationType="JWT", AuthorizerId=authorizer
        )
    else:
        route = cloud.apigateway.create_route(ApiId=api, RouteKey=key, Target=target, AuthorizationType="NONE")
    return Made(id=route["RouteId"], outputs={})


def _stage(cloud: Cloud, inputs: Inputs) -> Made:
    name = inputs.text("name")
    cloud.apigateway.create_stage(
        ApiId=inputs.text("apiId"),
        StageName=name,
        AutoDeploy=inputs.flag("autoDeploy"),
        RouteSettings={
            route.text("routeKey"): {
                "ThrottlingBurstLimit": route.integer("throttlingBurstLimit"),
                "ThrottlingRateLimit": route.number("throttlingRateLimit"),
            }
            for route in inputs.parts("routeSettings")
        },
    )
    return Made(id=name, outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/authorizer:Authorizer": _authorizer,
    "aws:apigatewayv2/integration:Integration": _integration,
    "aws:apigatewayv2/route:Route": _route,
    "aws:apigatewayv2/stage:Stage": _stage,
}

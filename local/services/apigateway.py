"""API Gateway's HTTP APIs on the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from local.cloud import Cloud
from local.services.base import Created, Creator, Inputs

if TYPE_CHECKING:
    from types_boto3_apigatewayv2.literals import AuthorizerTypeType
    from types_boto3_apigatewayv2.type_defs import (
        CreateApiRequestTypeDef,
        CreateIntegrationRequestTypeDef,
        CreateRouteRequestTypeDef,
        CreateStageRequestTypeDef,
    )


def _api(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api("name", "protocolType", "corsConfiguration")
    api = cloud.client("apigatewayv2").create_api(**cast("CreateApiRequestTypeDef", request))
    outputs = {
        "apiEndpoint": f"{cloud.client('apigatewayv2').meta.endpoint_url}/_aws/execute-api/{api['ApiId']}/$default",
        "executionArn": cloud.arn("execute-api", api["ApiId"]),
    }
    return Created(id=api["ApiId"], outputs={**outputs})


def _authorizer(cloud: Cloud, inputs: Inputs) -> Created:
    jwt = inputs.part("jwtConfiguration")
    authorizer = cloud.client("apigatewayv2").create_authorizer(
        ApiId=inputs.text("apiId"),
        Name=inputs.text("name"),
        AuthorizerType=cast("AuthorizerTypeType", inputs.text("authorizerType")),
        IdentitySource=inputs.texts("identitySources"),
        JwtConfiguration={"Issuer": jwt.text("issuer"), "Audience": jwt.texts("audiences")},
    )
    return Created(id=authorizer["AuthorizerId"], outputs={})


def _integration(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api("apiId", "integrationType", "integrationUri", "payloadFormatVersion")
    request["TimeoutInMillis"] = inputs.integer("timeoutMilliseconds")
    integration = cloud.client("apigatewayv2").create_integration(**cast("CreateIntegrationRequestTypeDef", request))
    return Created(id=integration["IntegrationId"], outputs={})


def _route(cloud: Cloud, inputs: Inputs) -> Created:
    request = inputs.as_api("apiId", "routeKey", "target", "authorizationType", "authorizerId", "authorizationScopes")
    route = cloud.client("apigatewayv2").create_route(**cast("CreateRouteRequestTypeDef", request))
    return Created(id=route["RouteId"], outputs={})


def _stage(cloud: Cloud, inputs: Inputs) -> Created:
    name = inputs.text("name")
    request = inputs.as_api("apiId", "autoDeploy", "accessLogSettings", "defaultRouteSettings")
    request["RouteSettings"] = {
        route.text("routeKey"): route.as_api("throttlingBurstLimit", "throttlingRateLimit")
        for route in inputs.parts("routeSettings")
    }
    cloud.client("apigatewayv2").create_stage(**cast("CreateStageRequestTypeDef", {**request, "StageName": name}))
    return Created(id=name, outputs={})


CREATORS: Final[Mapping[str, Creator]] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/authorizer:Authorizer": _authorizer,
    "aws:apigatewayv2/integration:Integration": _integration,
    "aws:apigatewayv2/route:Route": _route,
    "aws:apigatewayv2/stage:Stage": _stage,
}

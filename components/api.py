"""The HTTP API: an API Gateway HTTP API in front of one function, open to users of the pool."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.catalog import Catalog
from components.encryption import VENDED_LOGS_PREFIX
from components.file_rules import FileRulesArgs
from components.function import Function, FunctionArgs, RuntimeArgs
from components.gateway import Gateway
from components.identity import GROUPS_CLAIM, SCOPES_CLAIM
from components.landing import CHECKS_PREFIX, PROCESSED_PREFIX, REJECTED_PREFIX, UPLOADS_PREFIX, Landing
from components.packaging import Archive

OPEN_ROUTES = ("GET /health",)
"""Routes for everybody: they have no authorizer, and each has a throttle of its own."""

ROUTES = ("POST /validate", "POST /process", "POST /uploads", "GET /files", "GET /files/{id+}")
"""Routes for users. An id has slashes in it, which API Gateway decodes before it looks for the route.

There is no ``$default`` route: with an authorizer it would refuse the browsers' preflight requests, without one
everybody could start the function (API Gateway Developer Guide, Configure CORS for HTTP APIs).
"""

ITEMS_PREFIX = "api/"
"""What the ids of the API's own catalog items begin with: a file's begins with a bucket's name."""

INTEGRATION_TIMEOUT_MS = 30_000
"""The longest that an HTTP API waits (API Gateway quotas, HTTP API: maximum integration timeout)."""

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "length": "$context.responseLength",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}


@dataclass(frozen=True, kw_only=True)
class AuthorizerArgs:
    """Whose tokens the API takes.

    Parameters
    ----------
    issuer
        URL of the OIDC provider that issues them.
    audiences
        Whom they must be issued for: one of these is a token's ``aud``, or its ``client_id``.
    groups_claim, scopes_claim
        Claims that name a user's groups, and a program's scopes.
    readers_group, read_scope
        Group of the users, and scope of the programs, that may ask.
    writers_group, write_scope
        The same of those that may also send.
    """

    issuer: pulumi.Input[str]
    audiences: Sequence[pulumi.Input[str]]
    groups_claim: str = GROUPS_CLAIM
    scopes_claim: str = SCOPES_CLAIM
    readers_group: str = "readers"
    writers_group: str = "writers"
    read_scope: str = "files/read"
    write_scope: str = "files/write"


@dataclass(frozen=True, kw_only=True)
class ThrottleArgs:
    """How many requests are taken.

    Parameters
    ----------
    rate
        Requests a second.
    burst
        Requests at once.
    """

    rate: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    """What the API works on, whom it lets in, and what limits it.

    Parameters
    ----------
    runtime, code
        What its function has in common with the pipeline's other functions, and its own code.
    gateway
        The HTTP API that gets the routes.
    authorizer
        Whose tokens are taken.
    landing, catalog
        Where it publishes records and lets users upload, and where it looks files up.
    files
        Which files are taken.
    timeout_seconds
        Its function's time-out; an HTTP API waits 30 s at most.
    reserved_concurrency
        Executions that the account keeps for its function, and the most that it gets. 0: it shares with all others.
    snap_start
        Whether its function starts from a snapshot of its published version.
    max_body_bytes, max_records
        Largest body, in bytes, and most records of one request.
    link_seconds
        Seconds that a presigned link works.
    throttle
        Requests that the API takes.
    open_throttle
        Requests that each route takes which asks for no token.
    """

    runtime: RuntimeArgs
    code: Archive
    gateway: Gateway
    authorizer: AuthorizerArgs
    landing: Landing
    catalog: Catalog
    files: FileRulesArgs
    timeout_seconds: int = 29
    reserved_concurrency: int = 0
    snap_start: bool = False
    max_body_bytes: int = 4 * 1024**2
    max_records: int = 10_000
    link_seconds: int = 900
    throttle: ThrottleArgs = ThrottleArgs(rate=100, burst=200)
    open_throttle: ThrottleArgs = ThrottleArgs(rate=5, burst=10)


class Api(pulumi.ComponentResource):
    """The routes of an HTTP API, their authorizer, their access logs and their function.

    Attributes
    ----------
    function
        The function.
    """

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Api", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self._api = args.gateway.api
        self.function = self._function(args)
        routes = self._routes(args.authorizer)
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=self.function.name,
            qualifier=self.function.alias.name,
            principal="apigateway.amazonaws.com",
            # Of one account by its ARN: API Gateway is not said to send aws:SourceAccount.
            source_arn=pulumi.Output.concat(self._api.execution_arn, "/*"),
            opts=self._child,
        )
        # The first deployment must find all routes, and be let in by the function.
        self._stage(args, [*routes, permission])
        self.register_outputs({"functionName": self.function.name})

    def _function(self, args: ApiArgs) -> Function:
        return Function(
            self._name,
            FunctionArgs(
                purpose="api",
                runtime=args.runtime,
                code=args.code,
                timeout_seconds=args.timeout_seconds,
                reserved_concurrency=args.reserved_concurrency,
                snap_start=args.snap_start,
                environment=_environment(args),
                statements=[
                    *args.catalog.grant_query(),
                    *args.catalog.grant_put(ITEMS_PREFIX),
                    *args.landing.grant_publish_api_results(),
                    *args.landing.grant_upload(),
                    *args.landing.grant_read_rejected(),
                ],
                key_services=["dynamodb", "s3"],
            ),
            self._child,
        )

    def _routes(self, args: AuthorizerArgs) -> list[aws.apigatewayv2.Route]:
        authorizer = aws.apigatewayv2.Authorizer(
            f"{self._name}-users",
            api_id=self._api.id,
            name=f"{self._name}-users",
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=args.issuer, audiences=list(args.audiences)
            ),
            opts=self._child,
        )
        integration = aws.apigatewayv2.Integration(
            f"{self._name}-integration",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_uri=self.function.alias.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT_MS,
            opts=self._child,
        )
        return [
            *(self._route(key, integration, None) for key in OPEN_ROUTES),
            *(self._route(key, integration, authorizer) for key in ROUTES),
        ]

    def _route(
        self, key: str, integration: aws.apigatewayv2.Integration, authorizer: aws.apigatewayv2.Authorizer | None
    ) -> aws.apigatewayv2.Route:
        words = "".join(character if character.isalnum() else " " for character in key.lower()).split()
        return aws.apigatewayv2.Route(
            f"{self._name}-route-{'-'.join(words)}",
            api_id=self._api.id,
            route_key=key,
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="NONE" if authorizer is None else "JWT",
            authorizer_id=None if authorizer is None else authorizer.id,
            opts=self._child,
        )

    def _stage(self, args: ApiArgs, needed: Sequence[pulumi.Resource]) -> None:
        log_group = aws.cloudwatch.LogGroup(
            f"{self._name}-access-logs",
            name=f"{VENDED_LOGS_PREFIX}{self._name}-access",
            kms_key_id=args.runtime.kms_key_arn,
            retention_in_days=args.runtime.log_retention_days,
            opts=self._child,
        )
        aws.apigatewayv2.Stage(
            f"{self._name}-stage",
            api_id=self._api.id,
            name="$default",
            auto_deploy=True,
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=log_group.arn, format=json.dumps(_ACCESS_LOG)
            ),
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=args.throttle.rate,
                throttling_burst_limit=args.throttle.burst,
                # Metrics by route are billed, and nothing looks at them.
                detailed_metrics_enabled=False,
            ),
            # Who has no token costs no more than this.
            route_settings=[
                aws.apigatewayv2.StageRouteSettingArgs(
                    route_key=key,
                    throttling_rate_limit=args.open_throttle.rate,
                    throttling_burst_limit=args.open_throttle.burst,
                )
                for key in OPEN_ROUTES
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )


def _environment(args: ApiArgs) -> dict[str, pulumi.Input[str]]:
    return {
        "BUCKET_NAME": args.landing.bucket.id,
        "UPLOADS_PREFIX": UPLOADS_PREFIX,
        "CHECKS_PREFIX": CHECKS_PREFIX,
        "PROCESSED_PREFIX": PROCESSED_PREFIX,
        "REJECTED_PREFIX": REJECTED_PREFIX,
        "API_ITEMS_PREFIX": ITEMS_PREFIX,
        **args.catalog.environment,
        "KEY_ARN": args.runtime.kms_key_arn,
        **args.files.environment,
        "STORAGE_CLASS": args.landing.storage_class,
        "MAX_BODY_BYTES": str(args.max_body_bytes),
        "MAX_RECORDS": str(args.max_records),
        "LINK_SECONDS": str(args.link_seconds),
        "JWT_GROUPS_CLAIM": args.authorizer.groups_claim,
        "JWT_SCOPES_CLAIM": args.authorizer.scopes_claim,
        "READERS_GROUP": args.authorizer.readers_group,
        "WRITERS_GROUP": args.authorizer.writers_group,
        "READ_SCOPE": args.authorizer.read_scope,
        "WRITE_SCOPE": args.authorizer.write_scope,
    }

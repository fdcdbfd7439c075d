"""The HTTP API: an API Gateway HTTP API in front of one function, open to users of the pool."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.catalog import BUCKET_INDEX, INDEX_KEYS, STATUS_INDEX, Catalog
from components.encryption import LOG_GROUPS, Encryption
from components.function import Function
from components.identity import READERS_GROUP, WRITERS_GROUP, Identity
from components.landing import PROCESSED_PREFIX, REJECTED_PREFIX, UPLOADS_PREFIX, Landing
from components.packaging import Archive
from components.settings import Settings, StackSettings

OPEN_ROUTES = ("GET /health",)
"""Routes for everybody: they have no authorizer, and each has a throttle of its own."""

ROUTES = ("POST /validate", "POST /process", "POST /uploads", "GET /files", "GET /files/{id+}")
"""Routes for users. An id has slashes in it, which API Gateway decodes before it looks for the route.

There is no ``$default`` route: with an authorizer it would refuse the browsers' preflight requests, without one
everybody could start the function (API Gateway Developer Guide, Configure CORS for HTTP APIs).
"""

ITEMS_PREFIX = "api/"
"""What the ids of the API's own catalog items begin with: a file's begins with a bucket's name."""

CURSORS_PURPOSE = "files"
"""What the function encrypts cursors for, as their encryption context says."""

INTEGRATION_TIMEOUT_MS = 30_000
"""The longest that an HTTP API waits (API Gateway quotas, HTTP API: maximum integration timeout)."""

_CORS_METHODS = ["GET", "POST", "PUT", "DELETE"]
_CORS_HEADERS = ["Authorization", "Content-Type", "X-Api-Key", "Idempotency-Key"]
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


class Api(pulumi.ComponentResource):
    """The API, its authorizer, its access logs and its function.

    Attributes
    ----------
    api, function
        The resources that others depend on.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        landing: Landing,
        catalog: Catalog,
        identity: Identity,
        code: Archive,
        layer_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Api", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = stack.settings
        api_function = Function(
            name,
            purpose="api",
            stack=stack,
            account=account,
            encryption=encryption,
            code=code,
            layer_arn=layer_arn,
            timeout_seconds=settings.api_timeout_seconds,
            reserved_concurrency=settings.api_reserved_concurrency,
            environment={
                "BUCKET_NAME": landing.bucket.id,
                "UPLOADS_PREFIX": UPLOADS_PREFIX,
                "PROCESSED_PREFIX": PROCESSED_PREFIX,
                "REJECTED_PREFIX": REJECTED_PREFIX,
                "API_ITEMS_PREFIX": ITEMS_PREFIX,
                "CATALOG_TABLE_NAME": catalog.table.name,
                "CATALOG_RETENTION_DAYS": str(settings.catalog_retention_days),
                "INDEX_SHARDS": str(settings.index_shards),
                "BUCKET_INDEX": f"{BUCKET_INDEX}={INDEX_KEYS[BUCKET_INDEX]}",
                "STATUS_INDEX": f"{STATUS_INDEX}={INDEX_KEYS[STATUS_INDEX]}",
                "KEY_ARN": encryption.key.arn,
                "MAX_OBJECT_BYTES": str(settings.max_object_bytes),
                "ALLOWED_EXTENSIONS": json.dumps(settings.allowed_extensions),
                "REFUSED_PREFIXES": json.dumps(settings.refused_prefixes),
                "STORAGE_CLASS": settings.storage_class,
                "RECORD_TYPES": json.dumps(settings.record_types),
                "MAX_BODY_BYTES": str(settings.api_max_body_bytes),
                "MAX_RECORDS": str(settings.api_max_records),
                "LINK_SECONDS": str(settings.upload_link_seconds),
                "READERS_GROUP": READERS_GROUP,
                "WRITERS_GROUP": WRITERS_GROUP,
            },
            statements=[
                catalog.read_items(),
                catalog.put_items(ITEMS_PREFIX),
                landing.publish_api_results(),
                landing.sign_uploads(),
                landing.sign_rejects(),
                encryption.seal(CURSORS_PURPOSE),
            ],
            key_services=["dynamodb", "s3"],
            opts=child,
        )
        self.function = api_function.function
        self.api = aws.apigatewayv2.Api(
            f"{name}-http",
            name=f"{stack.prefix}-api",
            protocol_type="HTTP",
            cors_configuration=_cors(settings),
            opts=child,
        )
        authorizer = aws.apigatewayv2.Authorizer(
            f"{name}-users",
            api_id=self.api.id,
            name=f"{stack.prefix}-users",
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=pulumi.Output.concat("https://", identity.pool.endpoint), audiences=[identity.client.id]
            ),
            opts=child,
        )
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_uri=self.function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT_MS,
            opts=child,
        )
        routes = [
            self._route(name, key, integration, None if key in OPEN_ROUTES else authorizer)
            for key in (*OPEN_ROUTES, *ROUTES)
        ]
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-access-logs",
            name=f"{LOG_GROUPS[1]}{stack.prefix}-api-access",
            kms_key_id=encryption.key.arn,
            retention_in_days=settings.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[encryption]),
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=self.function.name,
            principal="apigateway.amazonaws.com",
            # Of one account by its ARN: API Gateway is not said to send aws:SourceAccount.
            source_arn=pulumi.Output.concat(self.api.execution_arn, "/*"),
            opts=child,
        )
        aws.apigatewayv2.Stage(
            f"{name}-stage",
            api_id=self.api.id,
            name="$default",
            auto_deploy=True,
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=log_group.arn, format=json.dumps(_ACCESS_LOG)
            ),
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=settings.api_throttle_rate,
                throttling_burst_limit=settings.api_throttle_burst,
                # Metrics by route are billed, and nothing looks at them.
                detailed_metrics_enabled=False,
            ),
            # Who has no token costs no more than this.
            route_settings=[
                aws.apigatewayv2.StageRouteSettingArgs(
                    route_key=key,
                    throttling_rate_limit=settings.api_open_throttle_rate,
                    throttling_burst_limit=settings.api_open_throttle_burst,
                )
                for key in OPEN_ROUTES
            ],
            # The first deployment must find all routes, and be let in by the function.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*routes, permission]),
        )
        self.register_outputs({"apiEndpoint": self.api.api_endpoint, "functionName": self.function.name})

    def _route(
        self,
        name: str,
        key: str,
        integration: aws.apigatewayv2.Integration,
        authorizer: aws.apigatewayv2.Authorizer | None,
    ) -> aws.apigatewayv2.Route:
        words = "".join(character if character.isalnum() else " " for character in key.lower()).split()
        return aws.apigatewayv2.Route(
            f"{name}-route-{'-'.join(words)}",
            api_id=self.api.id,
            route_key=key,
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="NONE" if authorizer is None else "JWT",
            authorizer_id=None if authorizer is None else authorizer.id,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _cors(settings: Settings) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    if not settings.api_cors_origins:
        return None
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=settings.api_cors_origins,
        allow_methods=_CORS_METHODS,
        allow_headers=_CORS_HEADERS,
        max_age=settings.api_cors_max_age_seconds,
    )

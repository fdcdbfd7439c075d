"""The HTTP API's address: made before the user pool's client, which sends users back to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_CORS_METHODS = ["GET", "POST", "PUT", "DELETE"]
_CORS_HEADERS = ["Authorization", "Content-Type", "X-Api-Key", "Idempotency-Key"]


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """From where browsers may call the API.

    Parameters
    ----------
    cors_origins
        Origins that may call it from a browser. Empty: no CORS.
    cors_max_age_seconds
        Seconds a browser may cache a CORS answer.
    """

    cors_origins: Sequence[str] = ()
    cors_max_age_seconds: int = 3600


class Gateway(pulumi.ComponentResource):
    """An API Gateway HTTP API without routes: `components.api.Api` gives it those.

    Attributes
    ----------
    api
        The HTTP API.
    """

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Gateway", name, None, opts)
        self.api = aws.apigatewayv2.Api(
            f"{name}-http",
            name=name,
            protocol_type="HTTP",
            cors_configuration=_cors(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"apiEndpoint": self.api.api_endpoint})


def _cors(args: GatewayArgs) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    if not args.cors_origins:
        return None
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=list(args.cors_origins),
        allow_methods=_CORS_METHODS,
        allow_headers=_CORS_HEADERS,
        max_age=args.cors_max_age_seconds,
    )

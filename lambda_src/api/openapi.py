"""The OpenAPI document of the routes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, SecurityScheme

from shared.version import VERSION

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

_SECURITY_SCHEMES: Final[dict[str, SecurityScheme]] = {"token": HTTPBearer(bearerFormat="JWT")}


def openapi(app: APIGatewayHttpResolver) -> dict[str, object]:
    """Return the OpenAPI document of the routes."""
    document: dict[str, object] = json.loads(
        app.get_openapi_json_schema(
            title="File pipeline",
            version=VERSION,
            description="Send records and files, and see what became of them.",
            security_schemes=_SECURITY_SCHEMES,
        )
    )
    # Powertools' own status and shape of what does not validate: ours is 400.
    for path in _parts(document["paths"]):
        for operation in _parts(path):
            responses = operation["responses"]
            if isinstance(responses, dict):
                responses.pop("422", None)
    schemas = _part(document, "components", "schemas")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _parts(value: object) -> list[dict[str, object]]:
    return [part for part in value.values() if isinstance(part, dict)] if isinstance(value, dict) else []


def _part(value: object, *names: str) -> dict[str, object]:
    for name in names:
        value = value[name] if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}

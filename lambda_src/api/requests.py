"""A request as the routes want it: whether its body can be read at all, and its path as the caller sent it."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from api import base64url
from api.errors import ApiError, invalid, not_found, too_large

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

SAFE_ID_MARK: Final = "~"
"""What an id begins with that is base64url, for paths: API Gateway takes a decoded ? for the end of one."""

_FILE_PATH: Final = "/files/"
_JSON: Final = "application/json"


def prepare(request: APIGatewayProxyEventV2, *, max_body_bytes: int) -> dict[str, object]:
    """Return the event of a request with its body as text and its path as it was sent.

    Parameters
    ----------
    request
        The request.
    max_body_bytes
        The largest body.

    Raises
    ------
    ApiError
        If the body is too large or no text, or the path names no file.
    """
    event: dict[str, object] = {**request.raw_event, "rawPath": _encode_id(request.raw_path)}
    if request.http_method == "POST":
        headers = {**request.headers, "content-type": _JSON}
        event |= {"body": _read_body(request, max_body_bytes), "isBase64Encoded": False, "headers": headers}
    return event


def _read_body(request: APIGatewayProxyEventV2, max_body_bytes: int) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {"", _JSON}:
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", f"the body should be {_JSON}")
    body = request.body or ""
    try:
        text = base64.b64decode(body, validate=True).decode() if request.is_base64_encoded else body
        size = len(text.encode())
    except (binascii.Error, UnicodeError) as error:
        raise invalid("the body is not UTF-8") from error
    if size > max_body_bytes:
        raise too_large(f"the body has {size} bytes, more than the limit of {max_body_bytes}: upload a file instead")
    if not text.strip():
        raise invalid("the body is empty")
    return text


def _encode_id(path: str) -> str:
    """Encode a file's id again, so that the path's last part is one part.

    API Gateway decodes all of a path but the percent sign itself.
    """
    if not path.startswith(_FILE_PATH):
        return path
    file_id = path.removeprefix(_FILE_PATH)
    if file_id.startswith(SAFE_ID_MARK):
        return _FILE_PATH + quote(_decode_safe_id(file_id.removeprefix(SAFE_ID_MARK)), safe="")
    return _FILE_PATH + quote(file_id.replace("%25", "%"), safe="")


def _decode_safe_id(text: str) -> str:
    try:
        return base64url.decode(text).decode()
    except ValueError as error:
        raise not_found("there is no file with this id") from error

"""What the API answers when it cannot do what was asked."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

WRITTEN_MEANWHILE: Final = "ConditionalRequestConflict"
"""S3's answer while another request writes the same key: to be tried again (S3 User Guide, Conditional writes)."""


class ApiError(Exception):
    """A request that is answered with an error, in words for its sender.

    Parameters
    ----------
    status
        The HTTP status.
    code
        A word for programs to act on.
    message
        What is wrong, and the way out.
    fields
        Field → what is wrong with it.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields or {}


def invalid(message: str, fields: dict[str, str] | None = None) -> ApiError:
    """Return the answer 400 to an invalid request."""
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_request", message, fields)


def too_large(message: str) -> ApiError:
    """Return the answer 413 to a request that is too large."""
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)


def not_found(message: str) -> ApiError:
    """Return the answer 404 to a request for what does not exist."""
    return ApiError(HTTPStatus.NOT_FOUND, "not_found", message)

"""Bytes as texts that stand in any part of a URL: base64url without padding (RFC 4648, section 5)."""

from __future__ import annotations

import base64


def encode(value: bytes) -> str:
    """Return bytes as base64url."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes of base64url; raises ValueError if it is none."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

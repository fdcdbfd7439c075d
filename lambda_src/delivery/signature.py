"""Signatures as Standard Webhooks has them (standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_PREFIX: Final = "whsec_"
MIN_KEY_BYTES: Final = 24
"""What Standard Webhooks asks of a key at least."""


def key_bytes(key: str) -> bytes:
    """Return the bytes of a key such as ``whsec_<base64>``.

    Raises
    ------
    ValueError
        If it is none. The message does not quote it.
    """
    try:
        decoded = base64.b64decode(key.removeprefix(KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not key.startswith(KEY_PREFIX) or len(decoded) < MIN_KEY_BYTES:
        raise ValueError(f"a signing key should be {KEY_PREFIX} and {MIN_KEY_BYTES} bytes or more in base64") from None
    return decoded


def sign(delivery_id: str, timestamp: int, body: bytes, keys: Iterable[bytes]) -> str:
    """Return a signature by each of `keys`, with a space between: ``v1,<base64> v1,<base64>``."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)

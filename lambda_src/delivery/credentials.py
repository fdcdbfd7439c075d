"""The credentials of the next system, read from Secrets Manager at run time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from delivery.signature import key_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_secretsmanager import SecretsManagerClient

LIFETIME_SECONDS: Final = 300.0
"""How long credentials are taken for current. A rotation shows earlier: as a 401."""

FIELDS: Final = ("username", "password", "signing_key")


class SecretUnusableError(Exception):
    """The secret does not hold what it should. The message says what, and nothing of its value."""


class _Value(Struct, frozen=True):
    """The secret's JSON. The previous key signs too until its time is over."""

    username: str
    password: str
    signing_key: str
    previous_signing_key: str | None = None
    previous_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who we are, and what signs what we send. Their text shows no secret.

    Parameters
    ----------
    username, password
        Of the Authorization header.
    signing_key
        The key that signs.
    previous_signing_key, previous_until
        The one before it, which signs too until then; None: there is none.
    """

    username: str
    password: str = field(repr=False)
    signing_key: bytes = field(repr=False)
    previous_signing_key: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None

    def signing_keys(self, moment: float) -> tuple[bytes, ...]:
        """Return the keys that sign at a `moment`, in seconds since 1970; the current one first."""
        before, until = self.previous_signing_key, self.previous_until
        if before is None or until is None or datetime.fromtimestamp(moment, UTC) >= until:
            return (self.signing_key,)
        return self.signing_key, before


class StoredCredentials:
    """The credentials that the stack's secret holds, kept for `LIFETIME_SECONDS`.

    Parameters
    ----------
    client
        Makes the client, when the secret is first read.
    arn
        The secret.
    now
        The clock, in seconds.
    """

    def __init__(
        self, client: Callable[[], SecretsManagerClient], arn: str, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._arn = arn
        self._now = now
        self._read: tuple[float, Credentials] | None = None

    def credentials(self, *, fresh: bool = False) -> Credentials:
        """Return the current credentials; `fresh` ones past what is kept.

        Raises
        ------
        SecretUnusableError
            If the secret is not JSON with `FIELDS`, or a key is none.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If it cannot be read.
        """
        if not fresh and self._read is not None and self._now() - self._read[0] < LIFETIME_SECONDS:
            return self._read[1]
        current = _parse(self._client().get_secret_value(SecretId=self._arn).get("SecretString", ""))
        self._read = self._now(), current
        return current


def _parse(text: str) -> Credentials:
    try:
        value = msgspec.json.decode(text, type=_Value)
        before, until = value.previous_signing_key, value.previous_until
        return Credentials(
            username=value.username,
            password=value.password,
            signing_key=key_bytes(value.signing_key),
            previous_signing_key=None if before is None else key_bytes(before),
            # A time without a zone is UTC.
            previous_until=until if until is None or until.tzinfo else until.replace(tzinfo=UTC),
        )
    except (msgspec.MsgspecError, ValueError):
        # Not chained: an error may quote the value.
        raise SecretUnusableError(
            f"the secret is not a JSON object with the texts {', '.join(FIELDS)}, the key as whsec_<base64>"
        ) from None

"""The credentials of the next system, read from Secrets Manager at run time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_secretsmanager import SecretsManagerClient

LIFETIME_SECONDS: Final = 300.0
"""How long credentials are taken for current. A rotation shows earlier: as a 401."""

FIELDS: Final = ("username", "password", "signing_key")


class SecretUnusableError(Exception):
    """The secret does not hold what it should. The message says what, and nothing of its value."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who we are, and the key that signs what we send. Their text shows no secret."""

    username: str
    password: str = field(repr=False)
    signing_key: str = field(repr=False)


class Secret:
    """The stack's secret, kept for `LIFETIME_SECONDS`.

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
            If the secret is not JSON with `FIELDS`.
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
        values: object = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()  # a lone surrogate could not be sent
    except ValueError:
        values = None
    if isinstance(values, dict):
        username, password, signing_key = (values.get(name) for name in FIELDS)
        if isinstance(username, str) and isinstance(password, str) and isinstance(signing_key, str) and signing_key:
            return Credentials(username=username, password=password, signing_key=signing_key)
    # Not chained: the error of the parser quotes the value.
    raise SecretUnusableError(f"the secret is not a JSON object with the texts {', '.join(FIELDS)}") from None

"""One try to deliver a message: which answers are final, and which a later try may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from delivery.credentials import SecretUnusableError
from delivery.endpoint import UnreachableError

if TYPE_CHECKING:
    from delivery.credentials import StoredCredentials
    from delivery.endpoint import Answer, Endpoint

UNAUTHORIZED: Final = 401
RETRYABLE: Final = frozenset({408, 429})
"""Answers below 500 that a later try may change."""


class DeliveryError(Exception):
    """The endpoint did not take the message. The message says why.

    Parameters
    ----------
    reason
        What happened.
    status
        The HTTP status, if one came.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class PermanentError(DeliveryError):
    """No retry changes the answer."""


class RetryableError(DeliveryError):
    """A later try may succeed.

    Parameters
    ----------
    reason, status
        As of every `DeliveryError`.
    retry_after
        Seconds that the endpoint asked for, if it did.
    """

    def __init__(self, reason: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason, status=status)
        self.retry_after = retry_after


class Sender:
    """Posts messages to the endpoint.

    Parameters
    ----------
    endpoint, secret
        Where they go, and with whose credentials.
    """

    def __init__(self, endpoint: Endpoint, secret: StoredCredentials) -> None:
        self._endpoint = endpoint
        self._secret = secret

    def send(self, delivery_id: str, body: str) -> None:
        """Try once; with fresh credentials once more, if the endpoint does not know the ones that we kept.

        Raises
        ------
        PermanentError
            If the endpoint refuses the message for good.
        RetryableError
            If it did not take it this time.
        """
        answer = self._post(delivery_id, body, fresh=False)
        if answer.status == UNAUTHORIZED:
            answer = self._post(delivery_id, body, fresh=True)
        if 200 <= answer.status < 300:  # noqa: PLR2004 - success, as HTTP has it
            return
        reason = f"the endpoint answered {answer.status}"
        if answer.status >= 500 or answer.status in RETRYABLE:  # noqa: PLR2004 - the server's fault, as HTTP has it
            raise RetryableError(reason, status=answer.status, retry_after=answer.retry_after)
        raise PermanentError(reason, status=answer.status)

    def _post(self, delivery_id: str, body: str, *, fresh: bool) -> Answer:
        try:
            credentials = self._secret.credentials(fresh=fresh)
        except (BotoCoreError, ClientError, SecretUnusableError) as error:
            raise RetryableError(f"the secret cannot be read: {type(error).__name__}: {error}") from error
        try:
            return self._endpoint.post(delivery_id, body, credentials)
        except UnreachableError as error:
            raise RetryableError(str(error)) from error

"""The next system's endpoint: one signed POST for each message."""

from __future__ import annotations

import base64
import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from delivery.connection import Connector, Deadline, ForbiddenAddressError, TimedSocket
from delivery.signature import sign

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from delivery.credentials import Credentials

CONNECT_SECONDS: Final = 3
"""How long a connection may take: the look-up of the name, TCP and TLS together."""

LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0
_INTERIM: Final = range(100, 200)


class UnreachableError(Exception):
    """No answer came: refused, timed out, broken, not trusted, or at an address where nothing may be delivered."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the endpoint answered.

    Parameters
    ----------
    status
        The HTTP status.
    retry_after
        Seconds that it asks to be left alone; None if it does not.
    """

    status: int
    retry_after: float | None = None


class Endpoint:
    """Where deliveries go. Redirects are not followed, and no proxy is asked.

    Parameters
    ----------
    url
        Its address.
    timeout_seconds
        How long an answer may be waited for, once there is a connection.
    forbidden_networks
        Networks that nothing is sent to, whatever name leads there.
    now
        The clock, in seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        forbidden_networks: Sequence[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.netloc
        self._target = f"{parts.path or '/'}?{parts.query}".removesuffix("?")
        self._timeout_seconds = timeout_seconds
        self._now = now
        secure = parts.scheme == "https"
        self._connector = Connector(
            parts.hostname or "", parts.port or (443 if secure else 80), _tls() if secure else None, forbidden_networks
        )
        # One at a time, so one connection is enough.
        self._kept: tuple[HTTPConnection, TimedSocket] | None = None

    def post(self, delivery_id: str, body: str, credentials: Credentials) -> Answer:
        """Send a message once.

        Raises
        ------
        UnreachableError
            If no answer came.
        """
        sent, now = body.encode(), int(self._now())
        basic = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        headers = {
            "Host": self._host,
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/json",
            "User-Agent": "file-pipeline",
            "Webhook-Id": delivery_id,
            "Webhook-Timestamp": str(now),
            "Webhook-Signature": sign(delivery_id, now, sent, credentials.signing_keys(now)),
        }
        try:
            return self._ask(*(self._take_kept() or self._connect()), sent, headers)
        except ForbiddenAddressError as error:
            raise UnreachableError(str(error)) from error
        except TimeoutError as error:
            # What is given up here may still arrive, and comes again under the same id.
            raise UnreachableError("no answer in time") from error
        except (OSError, HTTPException) as error:
            # The kind alone: a message may quote what the endpoint sent.
            raise UnreachableError(f"no answer: {type(error).__name__}") from error

    def _take_kept(self) -> tuple[HTTPConnection, TimedSocket] | None:
        kept, self._kept = self._kept, None
        if kept and not kept[1].is_quiet():  # the endpoint has closed it meanwhile
            kept[0].close()
            return None
        return kept

    def _connect(self) -> tuple[HTTPConnection, TimedSocket]:
        timed = self._connector.connect(Deadline(CONNECT_SECONDS))
        connection = HTTPConnection(self._host)
        connection.sock = cast("socket.socket", timed)  # it asks for no more than a TimedSocket has
        return connection, timed

    def _ask(self, connection: HTTPConnection, timed: TimedSocket, body: bytes, headers: dict[str, str]) -> Answer:
        timed.deadline = Deadline(self._timeout_seconds)
        try:
            connection.request("POST", self._target, body=body, headers=headers)
            response = connection.getresponse()
            # The status is all that counts: an answer's body, which may never end, is not waited for.
            if response.length == 0 and not response.will_close and response.status not in _INTERIM:
                response.close()
                self._kept = connection, timed
        finally:
            if self._kept is None:
                connection.close()
        return Answer(status=response.status, retry_after=self._retry_after(response.getheader("Retry-After", "")))

    def _retry_after(self, value: str) -> float | None:
        """Read a number of seconds or a date (RFC 9110, Retry-After); anything else says nothing."""
        if re.fullmatch(r"[0-9]{1,9}", value):
            return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
        try:
            moment = parsedate_to_datetime(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (moment - datetime.fromtimestamp(self._now(), UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context

"""The next system's endpoint: one signed POST for each delivery."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from collections.abc import Callable

    from delivery.credentials import Credentials
    from delivery.events import Delivery

CONNECT_SECONDS: Final = 3
LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0
_SIGNATURE_VERSION: Final = "v1"


class UnreachableError(Exception):
    """No answer came: refused, timed out, broken, or not trusted."""


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
        How long an answer may be waited for.
    now
        The clock, in seconds since 1970.
    """

    def __init__(self, url: str, *, timeout_seconds: float, now: Callable[[], float] = time.time) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._now = now
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # One at a time: order is kept, so one connection is enough. Tries are counted here and nowhere else.
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            retries=False,
            # Said twice: urllib3 before 2, which a runtime may bring, trusts everybody unless it is told.
            cert_reqs="CERT_REQUIRED",
            ssl_context=context,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout_seconds),
        )

    def post(self, delivery: Delivery, credentials: Credentials) -> Answer:
        """Send a delivery once.

        Raises
        ------
        UnreachableError
            If no answer came.
        """
        body = delivery.body.encode()
        basic = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        headers = {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/json",
            "User-Agent": "file-pipeline",
            "Delivery-Id": delivery.id,
            "Delivery-Signature": sign(body, credentials.signing_key, int(self._now())),
        }
        answers: SimpleQueue[Answer | Exception] = SimpleQueue()
        # urllib3's time-outs are for each read: an answer that comes byte by byte would have no end. What is given up
        # here may still arrive, and comes again under the same id.
        threading.Thread(target=lambda: answers.put(self._ask(body, headers)), daemon=True).start()
        try:
            answer = answers.get(timeout=CONNECT_SECONDS + self._timeout_seconds)
        except Empty:
            self._pool.clear()
            raise UnreachableError("no answer in time") from None
        if isinstance(answer, HTTPError):
            # The kind alone: the message would name the URL, which may hold a token.
            raise UnreachableError(f"no answer: {type(answer).__name__}") from answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ask(self, body: bytes, headers: dict[str, str]) -> Answer | Exception:
        try:
            response = self._pool.request(
                "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False
            )
            # The status is all that counts: an answer's body, which may never end, is not waited for.
            if response.length_remaining == 0:
                response.read()
                response.release_conn()
            else:
                response.close()
            return Answer(
                status=response.status, retry_after=self._retry_after(response.headers.get("Retry-After", ""))
            )
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            return error

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


def sign(body: bytes, signing_key: str, timestamp: int) -> str:
    """Return ``t=timestamp,v1=signature``: HMAC-SHA256, in hex, over ``timestamp.body``."""
    signed = f"{timestamp}.".encode() + body
    digest = hmac.new(signing_key.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},{_SIGNATURE_VERSION}={digest}"

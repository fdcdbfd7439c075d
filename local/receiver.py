"""The next system, played on loopback: checks who sends and what, keeps what arrived."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, TypeVar

from standardwebhooks import Webhook, WebhookVerificationError

if TYPE_CHECKING:
    from local.cloud import Cloud

_HOST: Final = "127.0.0.1"

_Receiver = TypeVar("_Receiver", bound="Receiver")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One request that came.

    Parameters
    ----------
    headers
        Its headers, by their names in lower case.
    body
        What it carried.
    """

    headers: Mapping[str, str]
    body: bytes

    @property
    def delivery_id(self) -> str:
        """The delivery's id."""
        return self.headers.get("webhook-id", "")

    @property
    def payload(self) -> Mapping[str, object]:
        """What the body says of the file."""
        payload: Mapping[str, object] = json.loads(self.body)
        return payload


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """A receiver that takes what is signed with the stack's secret and refuses all else.

    Attributes
    ----------
    url
        Where it listens.
    arrivals
        What it took, in the order of arrival.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://{_HOST}:{port}/files"
        self.arrivals: list[Arrival] = []
        self._secret: Mapping[str, str] = {}

    def trust(self, cloud: Cloud, secret_arn: str) -> None:
        """Read the secret, as the operator of the next system does once and after each rotation."""
        self.expect(json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"]))

    def expect(self, secret: Mapping[str, str]) -> None:
        """Take what comes with this secret, and nothing else."""
        self._secret = secret

    def receive(self, arrival: Arrival) -> Reply | None:
        """Check a request, and keep it if it is right. None: hang up without a word."""
        if not self._is_known(arrival) or not self._is_signed(arrival):
            return Reply(status=HTTPStatus.UNAUTHORIZED)
        self.arrivals.append(arrival)
        return Reply(status=HTTPStatus.NO_CONTENT)

    def _is_known(self, arrival: Arrival) -> bool:
        expected = f"{self._secret.get('username')}:{self._secret.get('password')}".encode()
        given = arrival.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), b"Basic " + base64.b64encode(expected))

    def _is_signed(self, arrival: Arrival) -> bool:
        try:
            Webhook(self._secret["signing_key"]).verify(arrival.body, dict(arrival.headers))
        except (WebhookVerificationError, ValueError):  # what is no signature at all is another error
            return False
        return True


@contextmanager
def listening(kind: type[_Receiver], tls: ssl.SSLContext | None = None) -> Iterator[_Receiver]:
    """Run a receiver of some kind on a free port, over plain HTTP or `tls`, until the block ends."""
    # The receiver is made when the port is known, which is before the first request.
    made: list[_Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as a real receiver's are
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = made[0].receive(Arrival(headers=headers, body=body))
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": "0", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((_HOST, 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        made.append(kind(server.server_address[1]))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made[0]
        finally:
            server.shutdown()
            thread.join()

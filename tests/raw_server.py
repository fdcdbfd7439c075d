"""A server on loopback that does to each connection what a test tells it: bytes, and no protocol."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]

LONG = 5
"""Seconds after which what else had no end is ended: a try that waits for it has failed the test by then."""

_PAUSE_SECONDS = 0.01


@contextlib.contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[socket.socket]]]:
    """Listen on a port; each connection is served by `behave`, one after the other, and listed."""
    accepted: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # shut down
                return
            with contextlib.suppress(OSError), connection.dup() as twin:
                accepted.append(twin)  # TLS takes the other away
                connection.settimeout(LONG)
                with tls.wrap_socket(connection, server_side=True) if tls else connection as one:
                    behave(one)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1]), accepted
        finally:
            for one in (server, *accepted):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            thread.join()


def trickle(start: bytes) -> Behaviour:
    """Send `start`, and then a byte now and then, until the other side hangs up or nearly for ever."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            readable, _, _ = select.select([connection], [], [], _PAUSE_SECONDS)
            if readable and not connection.recv(65536):
                return
            connection.sendall(b".")

    return behave


def flood(start: bytes, more: bytes) -> Behaviour:
    """Send `start`, and then `more`, nearly without end."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            connection.sendall(more)

    return behave


def silence(connection: socket.socket) -> None:
    """Read, and say nothing."""
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    """Read, and close the connection."""
    connection.recv(65536)


def answering(*answers: bytes) -> Behaviour:
    """Give one of the answers to each request, the last one again and again."""

    def behave(connection: socket.socket) -> None:
        left = list(answers)
        with connection.makefile("rb") as requests:
            while line := requests.readline():
                length = 0
                while line := requests.readline().strip().lower():
                    length = (
                        int(line.removeprefix(b"content-length:")) if line.startswith(b"content-length") else length
                    )
                requests.read(length)
                connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return behave

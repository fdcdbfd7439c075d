"""Connections that end at a deadline, whatever the other side does, and that reach no forbidden address."""

from __future__ import annotations

import io
import ipaddress
import select
import socket
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from _typeshed import ReadableBuffer, WriteableBuffer

_Found: TypeAlias = "tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]"


class ForbiddenAddressError(Exception):
    """The endpoint's name leads to an address where nothing may be sent. The message says which."""


class Deadline:
    """A point in time.

    Parameters
    ----------
    seconds
        How far ahead it is.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that remain.

        Raises
        ------
        TimeoutError
            If none do.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class TimedSocket:
    """As much of a socket as ``http.client`` uses.

    A socket's own time-out is for each call: an answer that comes byte by byte would have no end.

    Parameters
    ----------
    connected
        The socket.

    Attributes
    ----------
    deadline
        When the calls that follow must be over, all of them together.
    close
        Closes it; called when nobody holds it any more, at the latest.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.close = weakref.finalize(self, connected.close)
        self.deadline = Deadline(0)

    def sendall(self, data: ReadableBuffer) -> None:
        """Send all of `data`."""
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                self._socket.settimeout(self.deadline.remaining())
                sent += self._socket.send(view[sent:])

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file to read from."""
        return io.BufferedReader(_Reader(self._receive))

    def is_quiet(self) -> bool:
        """Return whether nothing came: neither the end of the connection nor what nobody asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def _receive(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(self.deadline.remaining())
        return self._socket.recv_into(buffer)


class _Reader(io.RawIOBase):
    def __init__(self, receive: Callable[[WriteableBuffer], int]) -> None:
        self._receive = receive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._receive(buffer)


class Connector:
    """Opens connections to one host.

    Parameters
    ----------
    host, port
        Where to.
    tls
        How the host proves who it is; None: plain TCP.
    forbidden_networks
        Networks that are never connected to, whatever name leads there.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, forbidden_networks: Sequence[str]) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._forbidden = [ipaddress.ip_network(network) for network in forbidden_networks]
        self._lookup: Future[Sequence[_Found]] | None = None

    def connect(self, deadline: Deadline) -> TimedSocket:
        """Open a connection.

        Raises
        ------
        ForbiddenAddressError
            If the host has no address but forbidden ones. No packet was sent to them.
        OSError
            If there is no connection by the deadline; ``TimeoutError`` if that is all there is to say.
        """
        plain = self._open(self._look_up(deadline), deadline)
        return TimedSocket(self._tls.wrap_socket(plain, server_hostname=self._host) if self._tls else plain)

    def _look_up(self, deadline: Deadline) -> Sequence[_Found]:
        """Look the host up. The resolver has no time-out of ours: it ends by itself, and there is one at most."""
        if self._lookup is None:
            threads = ThreadPoolExecutor(max_workers=1)
            self._lookup = threads.submit(lambda: socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))
            threads.shutdown(wait=False)  # the thread ends with the look-up
        lookup = self._lookup
        try:
            return lookup.result(deadline.remaining())
        finally:
            if lookup.done():
                self._lookup = None

    def _open(self, found: Sequence[_Found], deadline: Deadline) -> socket.socket:
        failure: Exception = OSError("the name has no address")
        for number, (family, kind, protocol, _, address) in enumerate(found):
            if self._is_forbidden(str(address[0])):
                failure = ForbiddenAddressError(f"{self._host} is at {address[0]}, where nothing may be delivered")
                continue
            plain = socket.socket(family, kind, protocol)
            try:
                # An address that does not answer leaves time for those after it.
                plain.settimeout(deadline.remaining() / (len(found) - number))
                plain.connect(address)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # For TLS: a handshake has one time-out as a whole (CPython, Modules/_ssl.c), and closes what fails.
                plain.settimeout(deadline.remaining())
            except OSError as error:
                plain.close()
                failure = error
            else:
                return plain
        raise failure

    def _is_forbidden(self, address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in self._forbidden)

"""One try against an endpoint that may do anything: it ends in time, leaves nothing behind, and goes nowhere else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from ipaddress import ip_network
from pathlib import Path

import pytest

from delivery.credentials import Credentials
from delivery.endpoint import Answer, Endpoint, UnreachableError
from local.certificate import write_certificate
from local.waiting import wait_until
from tests.declared_stack import DeclaredStack
from tests.lambda_src.delivery.conftest import declared_environment
from tests.raw_server import LONG, Behaviour, answering, flood, hang_up, serving, silence, trickle

SECONDS = 0.05
"""For a connection, and again for an answer."""

TRIES = 6


def post(endpoint: Endpoint) -> Answer:
    return endpoint.post("d", "{}", Credentials(username="u", password="p", signing_key=b"k"))


def held() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    return threading.active_count(), len(list(Path("/dev/fd").iterdir()))


def nothing_is_left_since(before: tuple[int, int]) -> None:
    """Wait until no more is held than before: a receiver's own connection ends a moment after ours."""
    wait_until(
        lambda: all(now <= then for now, then in zip(held(), before, strict=True)),
        f"held before: {before}, now: {held()}",
        timeout_seconds=5,
    )


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context, with a certificate that is trusted here."""
    authority, server = write_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return context


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.endpoint.CONNECT_SECONDS", SECONDS)


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
RECORD = b"\x16\x03\x03\x40\x00"
"""The head of a TLS record of 16 KB."""


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True), ("https", False)])
@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silence, id="no answer"),
        pytest.param(trickle(b""), id="status byte by byte"),
        pytest.param(trickle(b"HTTP/1.1 204 No Content\r\nX-Slow: "), id="headers byte by byte"),
        pytest.param(trickle(RECORD), id="handshake byte by byte"),
        pytest.param(flood(b"HTTP/1.1 204 No Content\r\n", b"X: y\r\n"), id="endless headers"),
        pytest.param(flood(b"", INTERIM), id="endless interim answers"),
        pytest.param(hang_up, id="hang-up"),
    ],
)
def test_a_try_without_an_answer_ends_in_time_and_leaves_nothing_behind(
    behave: Behaviour, tls: ssl.SSLContext, scheme: str, *, secure: bool
) -> None:
    with serving(behave, tls if secure else None) as (port, _):
        endpoint = Endpoint(f"{scheme}://127.0.0.1:{port}/files", timeout_seconds=SECONDS)
        before = held()
        started = time.monotonic()
        for _ in range(TRIES):
            with pytest.raises(UnreachableError, match="no answer"):
                post(endpoint)
        took = time.monotonic() - started

        nothing_is_left_since(before)
    assert took < TRIES * 2 * SECONDS + LONG


def test_an_endless_body_is_not_waited_for_and_leaves_nothing_behind() -> None:
    with serving(flood(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 999)) as (port, _):
        endpoint = Endpoint(f"http://127.0.0.1:{port}/", timeout_seconds=5)
        before = held()

        assert [post(endpoint).status for _ in range(TRIES)] == [200] * TRIES

        nothing_is_left_since(before)


@pytest.mark.usefixtures("impatient")
def test_a_name_that_is_looked_up_for_ever_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver cannot be stopped, but it is not asked again before it has answered."""
    answered, asked = threading.Event(), []

    def look_up(*arguments: object, **_: object) -> list[object]:
        asked.append(arguments)
        answered.wait(10)
        return []

    endpoint = Endpoint("https://receiver.example.com/", timeout_seconds=SECONDS)
    before = held()
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for _ in range(TRIES):
        with pytest.raises(UnreachableError, match="no answer in time"):
            post(endpoint)
    assert len(asked) == 1

    answered.set()
    nothing_is_left_since(before)
    with pytest.raises(UnreachableError, match="no answer"):
        post(endpoint)


@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_is_used_again(tls: ssl.SSLContext, *, secure: bool) -> None:
    with serving(answering(b"HTTP/1.1 204 No Content\r\n\r\n"), tls if secure else None) as (port, accepted):
        endpoint = Endpoint(f"http{'s' * secure}://127.0.0.1:{port}/files?a=b", timeout_seconds=5)

        assert [post(endpoint).status for _ in range(TRIES)] == [204] * TRIES

        assert len(accepted) == 1
        del endpoint


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", id="closed"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked body"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", id="interim answer"),
    ],
)
def test_a_connection_on_which_more_may_come_is_not_used_again(answer: bytes) -> None:
    """What comes late must not be taken for the answer to the next delivery."""
    with serving(answering(answer)) as (port, accepted):
        endpoint = Endpoint(f"http://127.0.0.1:{port}/", timeout_seconds=5)

        assert {post(endpoint).status for _ in range(3)} <= {200, 103}

        assert len(accepted) == 3


def test_a_kept_connection_that_was_closed_meanwhile_fails_no_delivery() -> None:
    closed = threading.Event()

    def once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with serving(once) as (port, accepted):
        endpoint = Endpoint(f"http://127.0.0.1:{port}/", timeout_seconds=5)
        for _ in range(3):
            closed.clear()
            assert post(endpoint).status == 204
            assert closed.wait(5)

        assert len(accepted) == 3


def forbidden(stack: DeclaredStack) -> list[str]:
    """The networks that the program forbids the function."""
    networks: list[str] = json.loads(declared_environment(stack)["FORBIDDEN_NETWORKS"])
    return networks


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int) -> str:
    """Have a name lead to some addresses; returns the URL."""
    families = {True: socket.AF_INET6, False: socket.AF_INET}
    found = [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    return f"http://receiver.example.com:{port}/"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "169.254.170.2", "224.0.0.1", "255.255.255.255"),  # noqa: S104 - an address that is refused
        *("::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1%lo", "ff02::1", "fd00:ec2::254"),
    ],
)
def test_nothing_is_sent_to_what_is_special_whatever_name_leads_there(
    delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with serving(silence) as (port, accepted):
        url = leads_to(monkeypatch, address, port=port)

        with pytest.raises(UnreachableError) as error:
            post(Endpoint(url, timeout_seconds=SECONDS, forbidden_networks=forbidden(delivering)))

    assert str(error.value) == f"receiver.example.com is at {address}, where nothing may be delivered"
    assert accepted == []


def test_the_other_addresses_of_a_name_are_still_delivered_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as (port, accepted):
        url = leads_to(monkeypatch, "169.254.169.254", "127.0.0.1", port=port)

        assert post(Endpoint(url, timeout_seconds=5, forbidden_networks=["169.254.0.0/16"])).status == 204

        assert len(accepted) == 1


@pytest.mark.parametrize("network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd12::/16"])
def test_a_function_in_a_vpc_may_deliver_to_private_networks(delivering: DeclaredStack, network: str) -> None:
    private = ip_network(network)
    same_family = [one for one in map(ip_network, forbidden(delivering)) if one.version == private.version]

    assert not [one for one in same_family if one.overlaps(private)]

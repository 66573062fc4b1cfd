"""Handshakes that are none: each ends by itself, whatever uvicorn alone would do."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.blog import Blog
from tests.people import ALICE
from web import receive_deadline

HANDSHAKE = (
    "GET /live/dashboard HTTP/1.1\r\nHost: blog\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SHORT = 0.5


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_deadline, "DEADLINE_SECONDS", SHORT)


@pytest.fixture
def wire(blog: Blog) -> Iterator[socket.socket]:
    """A bare connection."""
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        yield connection


def everything_from(wire: socket.socket) -> str:
    """All until the other side closes it."""
    with wire.makefile("rb") as stream:
        return stream.read().decode()


def test_a_handshake_that_stops_half_way_is_closed(hurried: None, wire: socket.socket) -> None:
    wire.sendall(HANDSHAKE.encode())  # the empty line is missing
    started_at = time.monotonic()
    assert everything_from(wire) == ""
    assert time.monotonic() - started_at < 5


def test_a_handshake_with_a_body_that_never_comes_is_closed(
    hurried: None, wire: socket.socket
) -> None:
    wire.sendall(f"{HANDSHAKE}Content-Length: 1000\r\n\r\nhalf a".encode())
    started_at = time.monotonic()
    everything_from(wire)
    assert time.monotonic() - started_at < 5


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ("X-Long: " + "x" * 9_000, "431"),
        ("X-Long: " + "x" * 40_000, "431"),
        ("\r\n".join(f"X-{number}: x" for number in range(200)), "431"),
        ("Sec-WebSocket-Key: again", "400"),
        ("Origin: http://blog\r\nOrigin: http://blog", "400"),
        ("Sec-WebSocket-Version: 8", "400"),
    ],
)
def test_a_handshake_with_wrong_headers_is_answered_and_closed(
    wire: socket.socket, extra: str, status: str
) -> None:
    wire.sendall(f"{HANDSHAKE}{extra}\r\n\r\n".encode())
    assert everything_from(wire).startswith(f"HTTP/1.1 {status} ")


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_a_handshake_by_another_method_is_no_handshake(wire: socket.socket, method: str) -> None:
    wire.sendall(f"{HANDSHAKE.replace('GET', method, 1)}\r\n".encode())
    assert everything_from(wire).partition("\r\n")[0] in ("", "HTTP/1.1 405 Method Not Allowed")


def test_a_stranger_is_refused_and_the_connection_closed(wire: socket.socket) -> None:
    wire.sendall(f"{HANDSHAKE}\r\n".encode())
    answer = everything_from(wire)
    assert answer.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert "HTTP/1.1" not in answer[1:]  # one answer, not two


def test_a_connection_that_was_used_before_stays_open(
    hurried: None, wire: socket.socket, blog: Blog
) -> None:
    """The deadline of its next request must not close it."""
    alice = blog.person(ALICE)
    cookies = "; ".join(f"{each.name}={each.value}" for each in alice.client.cookies.jar)
    wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: blog\r\n\r\n")
    assert b"200 OK" in wire.recv(65536)
    wire.sendall(f"{HANDSHAKE}Cookie: {cookies}\r\nOrigin: http://blog\r\n\r\n".encode())
    time.sleep(SHORT * 3)
    received = wire.recv(65536)
    assert b"101 Switching Protocols" in received
    assert b'{"type":"ready"}' in received


def test_too_many_connections_are_refused(
    wire: socket.socket, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blog.server.config, "limit_concurrency", 1)
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as another:
        another.sendall(f"{HANDSHAKE}\r\n".encode())
        assert everything_from(another).startswith("HTTP/1.1 503 ")

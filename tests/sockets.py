"""WebSockets as browsers open them: with the page's origin and all cookies."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.sync.client import ClientConnection, connect

from tests.blog import Person
from tests.processes import Serving

DASHBOARD = "/live/dashboard"
PATIENCE = 10  # seconds


@contextmanager
def listening(
    person: Person, path: str = DASHBOARD, origin: str | None = "", **headers: str
) -> Iterator[ClientConnection]:
    """An open WebSocket; `origin` is that of the blog unless given, and left out when None.

    Raises:
        InvalidStatus: it was refused.
    """
    blog = person.blog
    cookies = "; ".join(f"{each.name}={each.value}" for each in person.client.cookies.jar)
    with connect(
        blog.url.replace("http", "ws", 1) + path,
        origin=blog.url if origin == "" else origin,  # type: ignore[arg-type]
        additional_headers={**({"Cookie": cookies} if cookies else {}), **headers},
        proxy=None,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
    ) as socket:
        yield socket


def refused(person: Person, path: str = DASHBOARD, **options: Any) -> Response:
    """The answer to a handshake that must not succeed."""
    with pytest.raises(InvalidStatus) as raised, listening(person, path, **options):
        pass
    return raised.value.response


def told(socket: ClientConnection, seconds: float = PATIENCE) -> dict[str, Any]:
    """The next message."""
    message: dict[str, Any] = json.loads(socket.recv(timeout=seconds))
    return message


@contextmanager
def ready(person: Person, path: str = DASHBOARD, **options: Any) -> Iterator[ClientConnection]:
    """`with ready(alice) as socket`: open, and told so."""
    with listening(person, path, **options) as socket:
        assert told(socket) == {"type": "ready"}
        yield socket


def end_of(socket: ClientConnection, seconds: float = PATIENCE) -> int:
    """The code by which the other side closes it; what is told before is of no interest."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=seconds)
    assert socket.close_code is not None
    return socket.close_code


def dashboard(server: Serving, cookies: str = "") -> AbstractContextManager[ClientConnection]:
    """The same for a server process: `with dashboard(server, cookies) as socket`."""
    address = server.url.replace("http", "ws", 1) + DASHBOARD
    headers = {"Cookie": cookies, "Origin": server.url}
    return connect(address, additional_headers=headers, proxy=None, open_timeout=PATIENCE)

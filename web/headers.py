"""Reading and changing ASGI header lists, in the few ways our middleware needs."""

from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

RESPONSE_STARTS = ("http.response.start", "websocket.http.response.start")


def header(scope: Scope, name: bytes) -> str | None:
    """The one value of a header. None if it is missing, or doubtful because there are several."""
    values = [value for key, value in scope["headers"] if key == name]
    return str(values[0].decode("latin-1")) if len(values) == 1 else None


def on_start(send: Send, change: Callable[[MutableHeaders, int], None]) -> Send:
    """A `send` that lets `change(headers, status)` at the headers of the response, also of one
    that refuses a WebSocket."""

    async def sending(message: Message) -> None:
        if message["type"] in RESPONSE_STARTS:
            message.setdefault("headers", [])
            change(MutableHeaders(raw=message["headers"]), message["status"])
        await send(message)

    return sending


def state(scope: Scope) -> MutableMapping[str, Any]:
    """What `request.state` shows."""
    found: MutableMapping[str, Any] = scope.setdefault("state", {})
    return found


def read_cookie(scope: Scope, name: str) -> str | None:
    """The value of a cookie; None when it is missing or there are several of that name."""
    found = []
    for key, line in scope["headers"]:
        if key == b"cookie":
            for part in line.decode("latin-1").split(";"):
                cookie, _, value = part.strip().partition("=")
                if cookie == name:
                    found.append(value)
    return found[0] if len(found) == 1 else None

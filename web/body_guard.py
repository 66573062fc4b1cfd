"""Bodies too large or too slow. Our own: Starlette's limit knows only size, and has no page."""

import time

from anyio import fail_after
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.headers import header

# A post of 512 KB in a form, where one byte of any script may take three.
MOST_BYTES = 2 * 1024 * 1024
# A whole body may take this long, and longer only while it really arrives.
DEADLINE_SECONDS = 15
SLOWEST_BYTES_PER_SECOND = 16 * 1024
HANG_UP = {"Connection": "close"}


class BodyGuard:
    """Refuse bodies over the limit before they are read, and drop those that trickle in.

    `too_large` is an ASGI app that answers 413. What turns out too large or too slow only while a
    route reads it raises 413 or 408 there.
    """

    def __init__(self, app: ASGIApp, too_large: ASGIApp) -> None:
        self.app = app
        self.too_large = too_large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if announced(scope) > MOST_BYTES:
            return await self.too_large(scope, receive, closing(send))
        return await self.app(scope, Watched(receive), send)


class Watched:
    """A `receive` that counts and clocks the body; what comes after it is not its business."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.bytes = 0
        self.complete = False
        self.started_at = time.monotonic()

    async def __call__(self) -> Message:
        if self.complete:
            return await self.receive()
        allowed = DEADLINE_SECONDS + self.bytes / SLOWEST_BYTES_PER_SECOND
        left = self.started_at + allowed - time.monotonic()
        try:
            with fail_after(max(left, 0)):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(408, headers=HANG_UP) from None
        if message["type"] == "http.request":
            self.bytes += len(message.get("body", b""))
            if self.bytes > MOST_BYTES:
                raise HTTPException(413, headers=HANG_UP)
            self.complete = not message.get("more_body", False)
        return message


def announced(scope: Scope) -> int:
    length = header(scope, b"content-length") or ""
    return int(length) if length.isascii() and length.isdigit() else 0


def closing(send: Send) -> Send:
    """What is left of the body is not worth reading: hang up after the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send(message)

    return sending

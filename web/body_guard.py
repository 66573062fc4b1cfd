"""Bodies too large or too slow. Our own: Starlette's limit knows only size, and has no page."""

import time
from collections.abc import Collection

from anyio import fail_after, move_on_after
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.csrf import SAFE_METHODS
from web.headers import header, state

# A post of 512 KB in a form, where one byte of any script may take three.
MOST_BYTES = 2 * 1024 * 1024
# Of what is sent as a file, to the addresses that take files.
MOST_UPLOAD_BYTES = 20 * 1024 * 1024
# A whole body may take this long, and longer only while it really arrives.
DEADLINE_SECONDS = 15
SLOWEST_BYTES_PER_SECOND = 16 * 1024
# What comes on top of the limit is thrown away for a while: whoever is still sending when the
# connection is closed is told of a broken connection, and never sees the answer.
LINGER_SECONDS = 5
LINGER_FOR_UPLOAD_SECONDS = 30
MOST_BYTES_THROWN_AWAY = 32 * 1024 * 1024
HANG_UP = {"Connection": "close"}


class BodyGuard:
    """Refuse bodies over the limit before they are read, and drop those that trickle in.

    `too_large` is an ASGI app that answers 413. What turns out too large or too slow only while a
    route reads it raises 413 or 408 there. `uploads` are methods and paths that take files: more
    bytes, and nothing is read before the route asks for it.
    """

    def __init__(
        self, app: ASGIApp, too_large: ASGIApp, uploads: Collection[tuple[str, str]] = ()
    ) -> None:
        self.app = app
        self.too_large = too_large
        self.uploads = frozenset(uploads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_upload = (scope["method"], scope["path"]) in self.uploads
        state(scope)["is_upload"] = is_upload
        watched = Watched(receive, MOST_UPLOAD_BYTES if is_upload else MOST_BYTES)
        lingering = Lingering(watched, send, is_upload=is_upload)
        if announced(scope) > watched.most:
            return await self.too_large(scope, receive, lingering)
        return await self.app(scope, watched, lingering)


class Watched:
    """A `receive` that counts and clocks the body; what comes after it is not its business."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.receive = receive
        self.most = most
        self.bytes = 0
        self.complete = False
        self.started_at: float | None = None  # when somebody began to read

    async def __call__(self) -> Message:
        if self.complete:
            return await self.receive()
        self.started_at = self.started_at or time.monotonic()
        allowed = DEADLINE_SECONDS + self.bytes / SLOWEST_BYTES_PER_SECOND
        left = self.started_at + allowed - time.monotonic()
        try:
            with fail_after(max(left, 0)):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(408, headers=HANG_UP) from None
        if message["type"] == "http.request":
            self.bytes += len(message.get("body", b""))
            if self.bytes > self.most:
                raise HTTPException(413, headers=HANG_UP)
            self.complete = not message.get("more_body", False)
        return message


async def whole_body(connection: HTTPConnection) -> None:
    """The first dependency of every route: read the body before anything is looked up.

    A route would otherwise wait for a slow sender in the middle of a transaction, and all who
    write would wait with it. A route that takes files reads them once it knows that it wants to.
    """
    if state(connection.scope).get("is_upload"):
        return
    if isinstance(connection, Request) and connection.method not in SAFE_METHODS:
        state(connection.scope)["request"] = connection  # the body cannot be read again
        await connection.body()


def announced(scope: Scope) -> int:
    length = header(scope, b"content-length") or ""
    return int(length) if length.isascii() and length.isdigit() else 0


class Lingering:
    """A `send` that ends an answer only when the body is over, or when it becomes too much: a 413,
    and any answer to a file that nobody has read."""

    def __init__(self, watched: Watched, send: Send, *, is_upload: bool) -> None:
        self.watched = watched
        self.send = send
        self.is_upload = is_upload
        self.is_early = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            is_unread = self.is_upload and not self.watched.complete
            self.is_early = message["status"] == 413 or is_unread
            if self.is_early:
                closing = (b"connection", b"close")
                message["headers"] = [h for h in message["headers"] if h[0].lower() != closing[0]]
                message["headers"].append(closing)
        elif self.is_early and not message.get("more_body", False):
            await self.send({**message, "more_body": True})
            await self.throw_away()
            message = {"type": "http.response.body", "body": b""}
        await self.send(message)

    async def throw_away(self) -> None:
        left = MOST_BYTES_THROWN_AWAY
        seconds = LINGER_FOR_UPLOAD_SECONDS if self.is_upload else LINGER_SECONDS
        with move_on_after(seconds):
            while left > 0:
                message = await self.watched.receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message["body"])

"""uvicorn with deadlines for clients that send or read too slowly, and a limit for the size of
request heads; it has neither itself."""

import logging
import math
import socket
from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.answers import Ready
from web.cycle import EXTENSIONS, WholeCycle

log = logging.getLogger("inkstand")
DEADLINE_SECONDS = 15
MOST_HEAD_BYTES = 32 * 1024
# A client that takes nothing of its answer for as long is gone.
UNREAD_SECONDS = 30
# What has not arrived when we stop may arrive for as long, within uvicorn's own grace.
LAST_SECONDS = 5
NEVER = math.inf
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"content-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
)


class HeadTooLarge(Exception):
    """Stops the parser, which reports it to `data_received` in its own way."""


class DeadlineProtocol(HttpToolsProtocol):
    """Close a connection whose request head is not complete within 15 s, or over 32 KB.

    A body that somebody reads has a deadline of its own, in `body_guard.py`: only there is an
    answer possible. What is left of one that was answered unread must be over in 15 s as well.
    """

    # One timer for each connection, which looks at `due_at` when it wakes: to set a timer for each
    # request costs more than to answer it.
    timer: TimerHandle | None = None
    wakes_at = due_at = NEVER
    head_bytes: int | None = None  # so far, while a head is awaited
    header_bytes = 0  # of the head that is read
    is_in_body = False
    ready: Ready | None = None  # of the application
    idle_bytes = 0  # of a body, since something of it came: sizes of chunks, trailers

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.ready = getattr(self.app, "ready", None)
        give_up_unread(transport)
        self.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.head_bytes is None and not self.is_in_body:
            self.await_head()
        if self.head_bytes is not None:
            self.head_bytes += len(data)
        if self.is_in_body:
            self.idle_bytes += len(data)
        super().data_received(data)
        if self.head_bytes is not None and self.head_bytes > MOST_HEAD_BYTES:
            self.refuse_head()
        elif self.is_in_body and self.idle_bytes > MOST_HEAD_BYTES:
            self.hang_up()

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn's own. A trailer is read by nobody, and there may be no end to them."""
        if self.is_in_body:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))
        self.header_bytes += len(name) + len(value) + 4

    def on_body(self, body: bytes) -> None:
        self.idle_bytes = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self.head_bytes = None
        self.due_at = NEVER
        self.is_in_body, self.idle_bytes = True, 0
        size, self.header_bytes = len(self.url) + self.header_bytes, 0
        if size > MOST_HEAD_BYTES:
            self.refuse_head()  # all of it came at once
            raise HeadTooLarge
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.set_deadline(DEADLINE_SECONDS)  # a body of theirs is read by nobody

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Ask first whether the application has the answer ready. In a turn of its own, as a task
        would: who reads all that came before it writes anything wakes the other side less often."""
        cycle.scope["extensions"] = EXTENSIONS
        cycle.__class__ = WholeCycle
        if app is self.app and self.ready is not None:
            self.loop.call_soon(self.answer, cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def answer(self, cycle: Any) -> None:
        message = None
        if self.ready is not None and not cycle.disconnected and not self.flow.write_paused:
            try:
                message = self.ready(cycle.scope)
            except Exception:
                log.exception("a page from memory must be made anew")
        if message is not None:
            cycle.write(message)
        else:
            super()._start_asgi_task(cycle, self.app)

    def on_message_complete(self) -> None:
        self.is_in_body = False
        self.due_at = NEVER
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self.await_head()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; from here on pings tell whether somebody is there."""
        self.set_deadline(None)
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency:
            self.transport.write(TOO_MANY)
            self.transport.close()
            return
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_in_body:
            self.set_deadline(DEADLINE_SECONDS)

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def shutdown(self) -> None:
        """Finish what is in flight, but do not wait for a body that does not come."""
        super().shutdown()
        if self.is_in_body:
            self.set_deadline(LAST_SECONDS)

    def await_head(self) -> None:
        self.head_bytes = 0
        self.set_deadline(DEADLINE_SECONDS)

    def refuse_head(self) -> None:
        self.head_bytes = None
        self.transport.write(TOO_LARGE)
        self.transport.close()

    def set_deadline(self, seconds: float | None) -> None:
        self.due_at = self.loop.time() + seconds if seconds else NEVER
        if self.due_at < self.wakes_at:
            self.wake_at(self.due_at)

    def wake_at(self, moment: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.wakes_at, self.timer = moment, self.loop.call_at(moment, self.look)

    def look(self) -> None:
        """The timer has woken: it is over, it was put off, or nothing is awaited."""
        self.wakes_at, self.timer = NEVER, None
        if self.loop.time() >= self.due_at:
            self.hang_up()
        elif self.due_at < NEVER:
            self.wake_at(self.due_at)

    def hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def give_up_unread(transport: Transport) -> None:
    """Let the kernel end a connection that takes nothing, however full its buffers are (Linux)."""
    connection = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT") and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)

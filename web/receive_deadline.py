"""uvicorn with a deadline for request heads, and a limit for their size; it has neither itself."""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DEADLINE_SECONDS = 15
MOST_HEAD_BYTES = 32 * 1024
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class DeadlineProtocol(HttpToolsProtocol):
    """Close a connection whose request head is not complete within 15 s, or over 32 KB.

    The body has a deadline of its own, in `body_guard.py`: only there is an answer possible.
    """

    head_deadline: TimerHandle | None = None
    head_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.head_deadline is None and self.is_between_requests():
            self.await_head()
        if self.head_deadline is not None:
            self.head_bytes += len(data)
        super().data_received(data)
        if self.head_deadline is not None and self.head_bytes > MOST_HEAD_BYTES:
            self.head_arrived()
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self.head_arrived()
        super().on_headers_complete()

    def is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def await_head(self) -> None:
        self.head_bytes = 0
        self.head_deadline = self.loop.call_later(DEADLINE_SECONDS, self.hang_up)

    def head_arrived(self) -> None:
        if self.head_deadline is not None:
            self.head_deadline.cancel()
            self.head_deadline = None

    def hang_up(self) -> None:
        self.head_deadline = None
        if not self.transport.is_closing():
            self.transport.close()

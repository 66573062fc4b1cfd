"""uvicorn's part of one request and its answer, which can also take a whole answer at once: see
`answers.py`. Our own: uvicorn has no such extension."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from web.answers import WHOLE

# A larger body is copied for nobody: many slow readers share the one in memory.
MOST_JOINED_BYTES = 64 * 1024
EXTENSIONS: dict[str, dict[Any, Any]] = {WHOLE: {}}


class WholeCycle(RequestResponseCycle):
    """Follows `RequestResponseCycle.send` in all that concerns the connection."""

    async def send(self, message: Any) -> None:
        if message["type"] != WHOLE or self.response_started:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self.write(message)

    def write(self, message: Any) -> None:
        """A whole answer, to a client that is there and takes it."""
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        parts = [STATUS_LINE[message["status"]]]
        for name, value in self.default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(message["head"])
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        body = message["body"]
        if is_small := len(body) <= MOST_JOINED_BYTES:
            parts.append(body)
        self.transport.write(b"".join(parts))
        if not is_small:
            self.transport.write(body)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

"""uvicorn's WebSockets with two ends mended: it leaves handshakes that are none open for ever, and
takes a refusal for a fault."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class WebSocketProtocol(WebSocketsSansIOProtocol):
    def data_received(self, data: bytes) -> None:
        """The first data are a whole request head, which `DeadlineProtocol` has read."""
        super().data_received(data)
        if not self.handshake_initiated:  # a header of over 8 KB, or over 128 of them
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # or else it logs an error

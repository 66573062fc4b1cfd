"""WebSockets that are open: who they belong to, what they are told, and how they are closed."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

MOST_OF_PERSON = 20
MOST_OF_PROCESS = 400
# Whoever does not take what they are told for so many messages is closed: they come again.
MOST_UNREAD = 100
LONGEST = timedelta(hours=12)

# 4000 to 4999 are for applications (RFC 6455, section 7.4.2); these are named after HTTP's.
LOGIN_ENDED = 4401
NOT_ALLOWED = 4403
GOING_AWAY = 1001
NOT_UNDERSTOOD = 1003
MESSAGE_TOO_BIG = 1009
FAULT = 1011
TRY_AGAIN_LATER = 1013


class Refused(Exception):
    """A WebSocket is not opened; the answer to its handshake has this status."""

    def __init__(self, status: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Holder:
    """Whose WebSocket it is, and by what they are known: the kind of login or token, and its id.

    `limit` are the scopes of a token; None where the role alone decides.
    """

    user: str
    key: tuple[str, str]
    limit: frozenset[str] | None
    lasts: timedelta


class LiveSocket:
    """A WebSocket of somebody who is known. Its methods belong to the event loop.

    `needs` are the scopes without which it may not stay.
    """

    def __init__(
        self, websocket: WebSocket, holder: Holder, scopes: frozenset[str], needs: frozenset[str]
    ) -> None:
        self.websocket = websocket
        self.holder = holder
        self.scopes = scopes
        self.needs = needs
        self.opened_at = datetime.now(UTC)
        self.unread: asyncio.Queue[dict[str, Any] | str | None] = asyncio.Queue()
        self.ending: tuple[int, str] | None = None

    def send(self, message: dict[str, Any] | str) -> None:
        """Tell something, soon, as JSON unless it is text; nothing once it is to be closed."""
        if self.ending:
            return
        self.unread.put_nowait(message)
        if self.unread.qsize() > MOST_UNREAD:
            self.close(TRY_AGAIN_LATER, "Too much was left unread.")

    def close(self, code: int, reason: str) -> None:
        """Close it, as soon as it takes anything; what was not sent yet is not sent."""
        if self.ending is None:
            self.ending = code, reason
            self.unread.put_nowait(None)

    async def tell(self, hear: Callable[[str], None] | None = None) -> None:
        """Accept it, and tell what there is until one of the two sides ends it.

        Without `hear` it is for listening only: whatever is sent to it closes it.
        """
        if self.ending:  # while it was being looked up
            raise Refused(403)
        await self.websocket.accept()
        telling = asyncio.create_task(self.send_unread())
        try:
            async with asyncio.timeout(self.holder.lasts.total_seconds()):
                message = await self.websocket.receive()
                while message["type"] != "websocket.disconnect":
                    self.take(message.get("text"), hear)
                    message = await self.websocket.receive()
        except TimeoutError:
            self.close(GOING_AWAY, "Please connect again.")
            with suppress(WebSocketDisconnect):
                await telling
        finally:
            telling.cancel()

    def take(self, text: str | None, hear: Callable[[str], None] | None) -> None:
        if hear is None:
            self.close(NOT_UNDERSTOOD, "This address only tells.")
        elif text is None:
            self.close(NOT_UNDERSTOOD, "This address reads text only.")
        elif self.ending is None:
            hear(text)

    async def send_unread(self) -> None:
        with suppress(WebSocketDisconnect):
            while self.ending is None:
                message = await self.unread.get()
                if message is not None and self.ending is None:
                    await self.write(message)
                self.unread.task_done()
            if self.websocket.client_state is WebSocketState.CONNECTED:
                await self.websocket.close(*self.ending)

    async def write(self, message: dict[str, Any] | str) -> None:
        if isinstance(message, str):
            await self.websocket.send_text(message)
        else:
            await self.websocket.send_json(message)


class LiveSockets:
    """Those of this process."""

    def __init__(self) -> None:
        self.of_person: dict[str, set[LiveSocket]] = {}
        self.count = 0

    def __iter__(self) -> Iterator[LiveSocket]:
        for sockets in list(self.of_person.values()):
            yield from list(sockets)

    @contextmanager
    def holding(self, socket: LiveSocket) -> Iterator[None]:
        """Count it among the open ones. Raises Refused when there are too many."""
        if self.count >= MOST_OF_PROCESS:
            raise Refused(503)
        theirs = self.of_person.setdefault(socket.holder.user, set())
        if len(theirs) >= MOST_OF_PERSON:
            raise Refused(429, "You have too many of these open. Close some, then try again.")
        theirs.add(socket)
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
            theirs.discard(socket)
            if not theirs:
                self.of_person.pop(socket.holder.user, None)

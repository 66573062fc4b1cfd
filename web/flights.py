"""One piece of work for all who want its result at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from typing import Any, Generic, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")


class Flights(Generic[T]):
    """The work goes on by itself: whoever has begun it may leave, and the others lose nothing."""

    def __init__(self) -> None:
        self.tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def join(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], seconds: float
    ) -> tuple[T | None, bool]:
        """The result, and whether this one began the work; None if it takes too long or fails for
        somebody who only waits. Who began it waits until the end, and gets what it raises."""
        task = self.tasks.get(key)
        begins = task is None
        if task is None:
            task = self.tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda _: self.tasks.pop(key, None))
        done, _ = await asyncio.wait({task}, timeout=None if begins else seconds)
        if begins:
            return task.result(), True
        is_good = done and not task.cancelled() and task.exception() is None
        return (task.result() if is_good else None), False


class Recording:
    """An answer as it would have been sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def record(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, nothing_to_receive(), self.send)

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"]) if self.messages else 0

    @property
    def is_fault(self) -> bool:
        """Whether something behind us failed: that is so for all who asked at the time."""
        return self.status >= 500

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.lower(), value) for name, value in self.messages[0].get("headers", ())]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    async def play(self, send: Send, *, without_body: bool) -> None:
        for message in self.messages:
            is_body = message["type"] == "http.response.body"
            await send({**message, "body": b""} if is_body and without_body else message)


def bare(scope: Scope, query: bytes, changes: Mapping[str, Any]) -> Scope:
    """The same address, asked for by somebody of whom nothing else is known."""
    headers = [(name, value) for name, value in scope["headers"] if name == b"host"]
    return {
        **scope,
        "method": "GET",
        "headers": headers,
        "query_string": query,
        "raw_path": None,
        "state": dict(changes),
    }


def nothing_to_receive() -> Receive:
    """A request without a body, from somebody who never hangs up."""
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            await asyncio.Event().wait()
        is_read = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive

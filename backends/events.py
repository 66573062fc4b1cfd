"""What happens, told to all processes at once: by Redis pub/sub, else within this process only."""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

log = logging.getLogger("inkstand.events")
CHANNEL = "inkstand:events"
# What may wait for Redis to come back, and how often it is tried again; then it is dropped, and
# those who listen find out by looking for themselves.
MOST_WAITING = 1_000
TRIES = 10
PAUSE_SECONDS = 0.5
# A subscription on which nothing comes is asked for a sign of life, and once more before it is
# given up: machines that froze do not close their connections.
SILENCE_SECONDS = 2.0

Message = dict[str, Any]  # JSON values, and small
Hear = Callable[[Message], None]
Doubt = Callable[[], None]


class Events(Protocol):
    @property
    def reaches_everybody(self) -> bool:
        """Whether all processes hear each other at this moment. If not, look for yourself."""

    def publish(self, message: Message) -> None:
        """Tell everybody. From any thread; it never waits and never fails."""

    def subscribe(self, hear: Hear, doubt: Doubt) -> None:
        """Call `hear` with each message, in the event loop; `doubt` when some may be missing."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class LocalEvents:
    """Within this process. Others may exist, so it never claims to reach everybody."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.listeners: list[tuple[Hear, Doubt]] = []

    @property
    def reaches_everybody(self) -> bool:
        return False

    def publish(self, message: Message) -> None:
        if self.loop is None:
            return
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self.loop.call_soon_threadsafe(self.deliver, message)

    def subscribe(self, hear: Hear, doubt: Doubt) -> None:
        self.listeners.append((hear, doubt))

    def deliver(self, message: Message) -> None:
        for hear, _ in self.listeners:
            try:
                hear(message)
            except Exception:
                log.exception("nobody could be told")

    async def open(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self.loop = None


class RedisEvents(LocalEvents):
    """Own listeners hear at once, those of other processes by Redis."""

    def __init__(self, url: str) -> None:
        super().__init__()
        import redis.asyncio as redis
        from redis.asyncio.retry import Retry

        from backends.redis_options import NO_RETRIES, redis_options

        self.client: Any = redis.Redis.from_url(url, retry=Retry(*NO_RETRIES), **redis_options(url))
        # Channels are the same in all numbered databases of a server, and blogs are not.
        database = self.client.connection_pool.connection_kwargs.get("db") or 0
        self.channel = f"{CHANNEL}:{database}"
        self.sender = secrets.token_hex(8)
        self.is_subscribed = False
        self.outgoing: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def reaches_everybody(self) -> bool:
        return self.is_subscribed

    async def open(self) -> None:
        await super().open()
        self.tasks = [asyncio.create_task(work()) for work in (self.keep_listening, self.send)]

    async def close(self) -> None:
        await super().close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.client.aclose()

    def deliver(self, message: Message) -> None:
        super().deliver(message)
        with suppress(asyncio.QueueFull):
            self.outgoing.put_nowait(json.dumps({"from": self.sender, "message": message}))

    async def send(self) -> None:
        from redis.exceptions import RedisError

        while True:
            message = await self.outgoing.get()
            for _ in range(TRIES):
                try:
                    await self.client.publish(self.channel, message)
                    break
                except (RedisError, OSError):
                    await asyncio.sleep(PAUSE_SECONDS)

    async def keep_listening(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                async with self.client.pubsub() as subscription:
                    await subscription.subscribe(self.channel)
                    await self.listen(subscription)
            except (RedisError, OSError) as error:
                if self.is_subscribed:
                    log.warning("events of other processes are lost: %s", type(error).__name__)
            self.note(is_subscribed=False)
            await asyncio.sleep(PAUSE_SECONDS)

    async def listen(self, subscription: Any) -> None:
        """Hear what comes; returns when nothing does, not even a sign of life."""
        is_asked = False
        while True:
            found = await subscription.get_message(timeout=SILENCE_SECONDS)
            if found is not None:
                is_asked = False
                self.take(found)
            elif is_asked:
                return
            else:
                is_asked = True
                await subscription.ping()

    def take(self, found: dict[str, Any]) -> None:
        if found["type"] == "subscribe":
            self.note(is_subscribed=True)
        elif found["type"] == "message":
            with suppress(ValueError, TypeError, KeyError):  # whoever else writes there
                sent = json.loads(found["data"])
                if sent["from"] != self.sender and isinstance(sent["message"], dict):
                    super().deliver(sent["message"])

    def note(self, is_subscribed: bool) -> None:
        """Lost or found again: in both cases something may have been missed."""
        if is_subscribed != self.is_subscribed:
            self.is_subscribed = is_subscribed
            for _, doubt in self.listeners:
                doubt()


def open_events(redis_url: str) -> Events:
    return RedisEvents(redis_url) if redis_url else LocalEvents()

"""The watch over open WebSockets: it tells them what happens, and closes those that may not stay."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from backends.events import Events, Message
from database import Database
from models import AuditEvent, now
from services import audit, live, logins
from web.errors import reason_of
from web.live import LOGIN_ENDED, NOT_ALLOWED, LiveSocket, LiveSockets

log = logging.getLogger("inkstand.live")
# How often the database is asked whether the logins of open sockets are still good: while
# processes do not hear each other, and otherwise, for what ends without anybody saying so.
LOOK_SECONDS = 2.0
LOOK_ANYHOW_SECONDS = 15.0
# A transaction is seen when it commits, which may be so much later than what it wrote down.
LATEST_COMMIT = timedelta(seconds=10)
MOST_REMEMBERED = 2_000


class Watch:
    """Tells open sockets what happens, and closes those whose login has ended.

    Whatever is told goes to a socket only after its login was looked up again: one query for all
    that are concerned.
    """

    def __init__(self, database: Database, events: Events) -> None:
        self.database = database
        self.events = events
        self.sockets = LiveSockets()
        self.heard = 0  # messages so far
        self.concerned: set[str] = set()  # people to look up again
        self.untold: list[live.Event] = []
        self.told: dict[live.Key, None] = {}  # the latest events, in order
        self.is_due = asyncio.Event()
        self.is_in_doubt = False
        self.looked_at = now()
        self.task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self.database.listeners[audit.RECORDED] = self.publish_recorded
        self.database.listeners[logins.ENDED] = self.publish_ended
        self.events.subscribe(self.hear, self.doubt)
        await self.events.open()
        self.task = asyncio.create_task(self.keep_looking())

    async def close(self) -> None:
        if self.task:
            self.task.cancel()
        await self.events.close()

    def publish_recorded(self, row: AuditEvent) -> None:
        self.events.publish({"event": live.as_event(row)})

    def publish_ended(self, user_id: UUID) -> None:
        self.events.publish({"ended": str(user_id)})

    def hear(self, message: Message) -> None:
        if event := message.get("event"):
            self.untold.append(event)
        elif ended := message.get("ended"):
            self.concerned.add(ended)
        else:
            return  # it concerns no socket
        self.heard += 1
        self.is_due.set()

    def doubt(self) -> None:
        self.is_in_doubt = True
        self.is_due.set()

    def catch_up(self, socket: LiveSocket, heard: int) -> None:
        """What was heard while it was being looked up may have been about its login."""
        if self.heard != heard:
            self.concerned.add(socket.holder.user)
            self.is_due.set()

    async def keep_looking(self) -> None:
        while True:
            wait = LOOK_ANYHOW_SECONDS if self.events.reaches_everybody else LOOK_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await self.is_due.wait()
            except TimeoutError:
                self.is_in_doubt = True
            self.is_due.clear()
            try:
                await self.look()
            except Exception as error:  # it must go on, whatever it was
                log.warning("open sockets could not be checked: %s", reason_of(error))
                self.is_in_doubt = True
                await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Check the sockets that something concerns, all of them when in doubt; then tell."""
        events, self.untold = self.untold, []
        people, self.concerned = self.concerned, set()
        everybody, self.is_in_doubt = self.is_in_doubt, False
        sockets, moment = list(self.sockets), now()
        if everybody and sockets:
            since = self.looked_at - LATEST_COMMIT
            events += await run_in_threadpool(self.read, partial(live.recorded_since, moment=since))
        events = self.untold_of(events)
        concerned = [
            socket
            for socket in sockets
            if everybody or socket.holder.user in people or lines_of(socket, events)
        ]
        if concerned:
            held = {socket.holder.key for socket in concerned}
            good = await run_in_threadpool(self.read, partial(live.standing, held=held))
            for socket in concerned:
                settle(socket, good.get(socket.holder.key))
                for line in lines_of(socket, events):
                    socket.send(line)
        self.remember(events)
        self.looked_at = moment

    def read(self, query: Callable[..., Any]) -> Any:
        with self.database.reading() as db:
            return query(db)

    def untold_of(self, events: list[live.Event]) -> list[live.Event]:
        """Those that were not told before: some are heard, and read as well."""
        found = {live.key_of(each): each for each in events}
        return [event for key, event in found.items() if key not in self.told]

    def remember(self, events: list[live.Event]) -> None:
        self.told |= dict.fromkeys(map(live.key_of, events))
        while len(self.told) > MOST_REMEMBERED:
            del self.told[next(iter(self.told))]


def settle(socket: LiveSocket, scopes: frozenset[str] | None) -> None:
    """Close a socket whose login has ended, or whose person may not be there any more."""
    if scopes is None:
        return socket.close(LOGIN_ENDED, "Your login has ended.")
    limit = socket.holder.limit
    socket.scopes = scopes if limit is None else scopes & limit
    if not socket.scopes.issuperset(socket.needs):
        socket.close(NOT_ALLOWED, "Your account may not do that any more.")
    return None


def lines_of(socket: LiveSocket, events: list[live.Event]) -> list[dict[str, Any]]:
    lines = (
        live.line_for(event, socket.holder.user, socket.scopes)
        for event in events
        if datetime.fromisoformat(event["at"]) >= socket.opened_at
    )
    return [line for line in lines if line]

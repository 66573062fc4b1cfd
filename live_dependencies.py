"""WebSockets of people who are logged in: what routes declare, and the watch over those open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from auth_dependencies import CurrentClient
from backends.events import Events, Message
from database import Database
from models import AuditEvent, Login, User, now
from services import audit, live, logins
from services.logins import Client
from services.permissions import has_scopes, scopes_of
from settings import Settings
from web.live import LOGIN_ENDED, NOT_ALLOWED, LiveSocket, LiveSockets, Refused
from web.sessions import SessionView

log = logging.getLogger("inkstand.live")
# How often the database is asked whether the logins of open sockets are still good: while
# processes do not hear each other, and otherwise, for what ends without anybody saying so.
LOOK_SECONDS = 2.0
LOOK_ANYHOW_SECONDS = 15.0
# A transaction is seen when it commits, which may be so much later than what it wrote down.
LATEST_COMMIT = timedelta(seconds=10)
MOST_REMEMBERED = 2_000


@dataclass(frozen=True)
class Here:
    """Who opens a WebSocket, by which login; `session` is for reading only."""

    user: User
    login: Login
    session: SessionView
    heard: int  # by the watch, before any of this was looked up


async def websocket_user(websocket: WebSocket, client: CurrentClient) -> Here | None:
    """Who is logged in at the other end, as the database knows them now; None for a stranger.

    Raises:
        Refused: logins cannot be looked up at the moment.
    """
    session = SessionView.of(websocket.state.session)
    watch: Watch = websocket.app.state.watch
    heard = watch.heard
    if session.is_unavailable:
        raise Refused(503)
    if not session.user_id:
        return None
    find = partial(logins.find, user_id=session.user_id, login_id=session.get("login"))
    try:
        found = await run_in_threadpool(watch.read, find)
    except SQLAlchemyError:
        raise Refused(503) from None
    if found is None or has_moved(websocket.app.state.settings, session, client, found[1]):
        return None
    user, login = found
    return Here(user, login, session, heard)


async def ws_login_required(here: Annotated[Here | None, Depends(websocket_user)]) -> Here:
    """Who is logged in at the other end. Raises Refused, which answers the handshake with 403."""
    if here is None:
        raise Refused(403, "Please log in first.")
    return here


def ws_requires(*scopes: str) -> Callable[..., AsyncIterator[LiveSocket]]:
    """A dependency: the WebSocket, not accepted yet, of somebody who has all of these scopes.

    While it is open it is watched: it is closed with 4401 when the login ends, and with 4403 when
    the person loses a scope. Raises Refused.
    """

    async def watched(
        websocket: WebSocket, here: Annotated[Here, Depends(ws_login_required)]
    ) -> AsyncIterator[LiveSocket]:
        if not has_scopes(here.user, *scopes):
            raise Refused(403, "Your account may not do that here.")
        watch: Watch = websocket.app.state.watch
        ids = str(here.user.id), str(here.login.id)
        socket = LiveSocket(websocket, *ids, scopes_of(here.user), needs=frozenset(scopes))
        with watch.sockets.holding(socket):
            watch.catch_up(socket, here.heard)
            yield socket

    return watched


def has_moved(settings: Settings, session: SessionView, client: Client, login: Login) -> bool:
    """Whether the next page would end this login, because another browser or network shows it."""
    is_strict = settings.session_protection == "strong" and not login.is_remembered
    return is_strict and not client.is_known_as(session.get("client"))


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
        self.heard += 1
        if event := message.get("event"):
            self.untold.append(event)
        else:
            self.concerned.add(message["ended"])
        self.is_due.set()

    def doubt(self) -> None:
        self.is_in_doubt = True
        self.is_due.set()

    def catch_up(self, socket: LiveSocket, heard: int) -> None:
        """What was heard while it was being looked up may have been about its login."""
        if self.heard != heard:
            self.concerned.add(socket.user)
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
            except SQLAlchemyError as error:
                log.warning("open sockets could not be checked: %s", type(error).__name__)
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
            if everybody or socket.user in people or lines_of(socket, events)
        ]
        if concerned:
            ids = {socket.login for socket in concerned}
            good = await run_in_threadpool(self.read, partial(live.standing, login_ids=ids))
            for socket in concerned:
                settle(socket, good.get(socket.login))
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
        socket.close(LOGIN_ENDED, "Your login has ended.")
    elif not scopes.issuperset(socket.needs):
        socket.close(NOT_ALLOWED, "Your account may not do that any more.")
    else:
        socket.scopes = scopes


def lines_of(socket: LiveSocket, events: list[live.Event]) -> list[dict[str, Any]]:
    lines = (
        live.line_for(event, socket.user, socket.scopes)
        for event in events
        if datetime.fromisoformat(event["at"]) >= socket.opened_at
    )
    return [line for line in lines if line]

"""Who is logged in, for pages that everybody shares but for the account part.

The session is read from its store for each request, so a logout counts at once and everywhere.
The account behind it is remembered for a second at most, and never past a change in this process.
Whatever is not as usual is left to the session middleware and the dependencies of routes.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Scope

from auth_dependencies import client_of
from backends import Unavailable
from backends.events import Message
from backends.session_store import Record, SessionStore
from database import Database
from models import Login, User, now
from public_watch import PublicWatch
from services import logins
from services.permissions import scopes_of
from settings import Settings
from web.flights import Flights
from web.headers import read_cookie, state
from web.session_middleware import LOADED
from web.sessions import Session, store_key
from web.signing import Cookies
from web.templating import account_parts

GOOD_SECONDS = 0.9
WAIT_SECONDS = 2.0  # for a look that is on its way
MOST_PEOPLE, MOST_COOKIES, MOST_CLIENTS = 1_000, 2_000, 2_000


@dataclass(frozen=True)
class KnownReader:
    """Somebody, and the account parts of pages as they were made for them."""

    user_id: str
    scopes: frozenset[str]
    parts: list[bytes]
    seen_at: float
    epoch: int


class KnownReaders:
    def __init__(self, app: FastAPI, watch: PublicWatch, idle: timedelta) -> None:
        self.app = app
        self.watch = watch
        self.idle = idle
        self.settings: Settings = app.state.settings
        self.database: Database = app.state.database
        self.store: SessionStore = app.state.sessions
        self.cookies: Cookies = app.state.cookies
        self.looks: Flights[KnownReader | None] = Flights()
        self.people: OrderedDict[tuple[str, str], KnownReader] = OrderedDict()
        self.keys: dict[str, str] = {}  # of sessions, by cookies that we have signed
        self.fingerprints: dict[tuple[Any, Any], str] = {}
        watch.events.subscribe(self.hear, self.people.clear)

    def hear(self, message: Message) -> None:
        if "ended" in message:
            self.people.clear()

    async def find(self, scope: Scope) -> KnownReader | None:
        """Who has sent a request; None if anything about it is not as usual."""
        key = self.key_of(read_cookie(scope, self.cookies.session_name))
        if key is None:
            return None
        try:
            record = await self.store.load(key)
        except Unavailable:
            return None
        state(scope)[LOADED] = key, record  # for the session middleware, if it must look too
        if record is None or not self.is_usual(record, scope):
            return None
        who = (record.user_id or "", str(record.data.get("login")))
        known = self.people.get(who)
        if known is None or not self.is_good(known):
            look = partial(self.look_up, who, record)
            known, _ = await self.looks.join((who, self.watch.epoch), look, WAIT_SECONDS)
        return known

    def key_of(self, cookie: str | None) -> str | None:
        """Of a session whose cookie is signed with the newest key."""
        if cookie is None:
            return None
        if cookie not in self.keys:
            session_id = self.cookies.verify(cookie)
            if session_id is None or self.cookies.sign(session_id) != cookie:
                return None
            if len(self.keys) >= MOST_COOKIES:
                self.keys.clear()
            self.keys[cookie] = store_key(session_id)
        return self.keys[cookie]

    def is_usual(self, record: Record, scope: Scope) -> bool:
        """Whether nothing has to be written: it need not be extended, and is where it was."""
        is_young = record.expires_at - now() >= self.idle / 2 or record.expires_at >= record.ends_at
        return is_young and (
            self.settings.session_protection == "off"
            or record.data.get("client") == self.fingerprint_of(scope)
        )

    def fingerprint_of(self, scope: Scope) -> str:
        client = scope.get("client")
        agents = [value for name, value in scope["headers"] if name == b"user-agent"]
        here = (client and client[0], agents[-1][: logins.LONGEST_USER_AGENT] if agents else None)
        if here not in self.fingerprints:
            if len(self.fingerprints) >= MOST_CLIENTS:
                self.fingerprints.clear()
            self.fingerprints[here] = client_of(scope, self.settings).fingerprint
        return self.fingerprints[here]

    def is_good(self, known: KnownReader) -> bool:
        return monotonic() < known.seen_at + GOOD_SECONDS and known.epoch == self.watch.epoch

    async def look_up(self, who: tuple[str, str], record: Record) -> KnownReader | None:
        seen_at, epoch = monotonic(), self.watch.epoch
        try:
            found = await run_in_threadpool(self.read, who)
        except SQLAlchemyError:
            return None
        if found is None or logins.is_worth_noting(found[1]):
            return None
        user = found[0]
        parts = await run_in_threadpool(self.parts_for, user, record)
        known = KnownReader(str(user.id), scopes_of(user), parts, seen_at, epoch)
        self.people[who] = known
        if len(self.people) > MOST_PEOPLE:
            self.people.popitem(last=False)
        return known

    def read(self, who: tuple[str, str]) -> tuple[User, Login] | None:
        with self.database.reading() as db:
            return logins.find(db, *who)

    def parts_for(self, user: User, record: Record) -> list[bytes]:
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "app": self.app,
            "state": {"user": user, "session": Session("known", record)},
        }
        return account_parts(Request(scope))

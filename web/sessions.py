"""Server-side sessions. Our own: the packages in use adopt ids that a client chose, and lose
fields when two requests write at once."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backends import Unavailable
from backends.session_store import Record, SessionStore
from web.headers import state
from web.signing import Cookies

# What a session must win before its end is written again.
WORTH_WRITING = timedelta(minutes=1)


class Session:
    """One visitor's session for the length of a request: read at once, written at its end."""

    def __init__(self, session_id: str | None = None, record: Record | None = None) -> None:
        self.id = session_id
        self.record = record
        self.is_unavailable = False
        self.changes: dict[str, Any] = {}
        self.begins_for: str | None = None
        self.is_ended = False

    @property
    def user_id(self) -> str | None:
        if self.begins_for:
            return self.begins_for
        return self.record.user_id if self.record and not self.is_ended else None

    @property
    def key(self) -> str | None:
        return store_key(self.id) if self.id else None

    def get(self, name: str) -> Any:
        stored = self.record.data if self.record else {}
        return (stored | self.changes).get(name)

    def set(self, name: str, value: Any) -> None:
        """Change one field of an existing session; None removes it. Values must fit into JSON."""
        self.changes[name] = value

    def begin(self, user_id: str) -> None:
        """Log in: the reply carries a new id, and the old session ends where it is stored."""
        self.begins_for, self.is_ended = user_id, False

    def end(self) -> None:
        """Log out."""
        self.begins_for, self.is_ended = None, True


class SessionMiddleware:
    """Load the session before the route, write it when the reply starts.

    Anonymous visitors have no cookie and cost no look-up. An id that the store does not know is
    never adopted. Nothing is written when the reply is a 5xx. If the store is away, `session`
    says so and the cookie stays; if it fails when a login must be written, `unavailable` answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: SessionStore,
        cookies: Cookies,
        idle: timedelta,
        longest: timedelta,
        unavailable: ASGIApp,
    ) -> None:
        self.app = app
        self.store = store
        self.cookies = cookies
        self.idle = idle
        self.longest = longest
        self.unavailable = unavailable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        cookie = read_cookie(scope, self.cookies.session_name)
        session = await self.load(cookie)
        state(scope)["session"] = session
        state(scope)["user_id"] = session.user_id
        is_replaced = False

        async def sending(message: Message) -> None:
            nonlocal is_replaced
            if is_replaced:
                return
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                try:
                    if message["status"] < 500:
                        await self.save(session, cookie, headers)
                except Unavailable:
                    is_replaced = True
                    await self.unavailable(scope, receive, send)
                    return
                headers.add_vary_header("Cookie")
                if cookie or "set-cookie" in headers or "cache-control" not in headers:
                    headers["Cache-Control"] = "private, no-store"
            await send(message)

        return await self.app(scope, receive, sending)

    async def load(self, cookie: str | None) -> Session:
        session_id = self.cookies.verify(cookie) if cookie else None
        if session_id is None:
            return Session()
        try:
            return Session(session_id, await self.store.load(store_key(session_id)))
        except Unavailable:
            session = Session(session_id)
            session.is_unavailable = True
            return session

    async def save(self, session: Session, cookie: str | None, headers: MutableHeaders) -> None:
        if session.begins_for:
            await self.begin(session, headers)
        elif session.is_unavailable:
            if session.is_ended:
                raise Unavailable
        elif session.is_ended or session.record is None:
            if session.key and session.is_ended:
                await self.store.delete(session.key)
            if cookie:
                self.clear_cookie(headers)
        else:
            await self.keep(session, session.record, cookie, headers)

    async def begin(self, session: Session, headers: MutableHeaders) -> None:
        if session.key and not session.is_unavailable:
            await self.store.delete(session.key)
        session_id = secrets.token_urlsafe(32)
        moment = now()
        expires_at, ends_at = moment + min(self.idle, self.longest), moment + self.longest
        record = Record(session.begins_for, session.changes, expires_at, ends_at)
        await self.store.create(store_key(session_id), record)
        self.set_cookie(headers, self.cookies.sign(session_id), expires_at - moment)

    async def keep(
        self, session: Session, record: Record, cookie: str | None, headers: MutableHeaders
    ) -> None:
        assert session.id
        assert session.key
        is_alive = not session.changes or await self.store.update(session.key, session.changes)
        extended = min(now() + self.idle, record.ends_at)
        is_half_over = record.expires_at - now() < self.idle / 2
        rolls = is_half_over and extended - record.expires_at > WORTH_WRITING
        if is_alive and rolls:
            try:
                is_alive = await self.store.extend(session.key, self.idle)
            except Unavailable:
                return  # the next request will do
        signed = self.cookies.sign(session.id)
        if not is_alive:
            self.clear_cookie(headers)  # it was ended meanwhile, and stays so
        elif rolls or signed != cookie:  # the latter: by an older key
            expires_at = extended if rolls else record.expires_at
            self.set_cookie(headers, signed, expires_at - now())

    def clear_cookie(self, headers: MutableHeaders) -> None:
        self.set_cookie(headers, "", timedelta(0))

    def set_cookie(self, headers: MutableHeaders, value: str, age: timedelta) -> None:
        name = self.cookies.session_name
        headers.append("Set-Cookie", self.cookies.header(name, value, round(age.total_seconds())))


def now() -> datetime:
    return datetime.now(UTC)


def store_key(session_id: str) -> str:
    """What the store knows a session by: a leaked store gives nobody a login."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def read_cookie(scope: Scope, name: str) -> str | None:
    """The value of a cookie; None when it is missing or there are several of that name."""
    found = []
    for key, line in scope["headers"]:
        if key == b"cookie":
            for part in line.decode("latin-1").split(";"):
                cookie, _, value = part.strip().partition("=")
                if cookie == name:
                    found.append(value)
    return found[0] if len(found) == 1 else None

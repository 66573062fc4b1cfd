"""Sessions around every request: loaded before the route, written when the reply starts."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from itsdangerous import BadData
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backends import Unavailable
from backends.session_store import Record, SessionStore
from web.headers import on_start, read_cookie, state
from web.sessions import Remembered, Session, store_key
from web.signing import LONGEST_COOKIE, Cookies

# What a session must win before its end is written again.
WORTH_WRITING = timedelta(minutes=1)
A_YEAR = 365 * 24 * 60 * 60
# The same bytes for everybody, for ever: whoever is logged in may keep them too.
IMMUTABLE = "immutable"
# In the state of a request whose session was loaded already: its key, and what was found.
LOADED = "loaded session"
Restore = Callable[[Scope, str], Awaitable[Remembered | None]]


class SessionMiddleware:
    """Load the session, and write what changed.

    Anonymous visitors have no cookie and cost no look-up. An id that the store does not know is
    never adopted; then a remember cookie may bring the login back: `restore(scope, cookie)` says
    whose it is. Nothing is written when the reply is a 5xx. If the store is away, `session` says
    so and the cookies stay; if it fails when a login must be written, `unavailable` answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: SessionStore,
        cookies: Cookies,
        idle: timedelta,
        longest: timedelta,
        restore: Restore,
        unavailable: ASGIApp,
    ) -> None:
        self.app = app
        self.store = store
        self.cookies = cookies
        self.idle = idle
        self.longest = longest
        self.restore = restore
        self.unavailable = unavailable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        cookie = read_cookie(scope, self.cookies.session_name)
        remembered = read_cookie(scope, self.cookies.remember_name)
        session = await self.load(cookie, state(scope).pop(LOADED, None))
        session.has_remember_cookie = remembered is not None
        session.devices_cookie = partial(self.devices_in, scope)
        if remembered and session.record is None and scope["type"] == "http":
            await self.bring_back(scope, session, remembered)
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
                    writing = on_start(send, partial(self.write_other_cookies, session))
                    await self.unavailable(scope, receive, writing)
                    return
                self.write_other_cookies(session, headers, message["status"])
                has_news = "set-cookie" in headers
                is_for_all = IMMUTABLE in headers.get("cache-control", "") and not has_news
                if not is_for_all:
                    headers.add_vary_header("Cookie")
                    is_personal = cookie or remembered or has_news
                    if is_personal or "cache-control" not in headers:
                        headers["Cache-Control"] = "private, no-store"
            await send(message)

        return await self.app(scope, receive, sending)

    async def load(self, cookie: str | None, loaded: tuple[str, Record | None] | None) -> Session:
        session_id = self.cookies.verify(cookie) if cookie else None
        if session_id is None:
            return Session()
        if loaded and loaded[0] == store_key(session_id):
            return Session(session_id, loaded[1])
        try:
            return Session(session_id, await self.store.load(store_key(session_id)))
        except Unavailable:
            session = Session(session_id)
            session.is_unavailable = True
            return session

    async def bring_back(self, scope: Scope, session: Session, cookie: str) -> None:
        if session.is_unavailable:
            return
        try:
            await self.store.ping()  # a cookie that is used up must not be used up for nothing
            found = await self.restore(scope, cookie)
        except Unavailable:
            session.is_unavailable = True
            return
        if found is None:
            session.forget()
            return
        session.begin(found.user_id, lasting=True, **found.data)
        if found.cookie:
            session.remember(found.cookie, found.lasts)

    async def save(self, session: Session, cookie: str | None, headers: MutableHeaders) -> None:
        for user_id in session.ends_elsewhere:
            await self.store.delete_of_user(user_id)
        if session.begins:
            await self.begin(session, headers)
        elif session.is_unavailable:
            if session.is_ended:
                raise Unavailable
        elif session.is_ended or session.record is None:
            if session.key and session.is_ended:
                await self.store.delete(session.key)
            if cookie:
                self.write_cookie(headers, "", timedelta(0))
        else:
            await self.keep(session, session.record, cookie, headers)

    async def begin(self, session: Session, headers: MutableHeaders) -> None:
        if session.key and not session.is_unavailable:
            await self.store.delete(session.key)
        session_id = secrets.token_urlsafe(32)
        moment = now()
        longest = session.lifetime or self.longest
        expires_at, ends_at = moment + min(self.idle, longest), moment + longest
        record = Record(session.begins_for, session.data, expires_at, ends_at)
        await self.store.create(store_key(session_id), record)
        lasts = expires_at - moment if session.is_lasting else None
        self.write_cookie(headers, self.cookies.sign(session_id), lasts)

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
            self.write_cookie(headers, "", timedelta(0))  # it was ended meanwhile, and stays so
        elif rolls or signed != cookie:  # the latter: by an older key
            expires_at = extended if rolls else record.expires_at
            self.write_cookie(headers, signed, expires_at - now() if session.is_lasting else None)

    def write_cookie(self, headers: MutableHeaders, value: str, lasts: timedelta | None) -> None:
        age = None if lasts is None else round(lasts.total_seconds())
        name = self.cookies.session_name
        headers.append("Set-Cookie", self.cookies.header(name, value, age))

    def write_other_cookies(self, session: Session, headers: MutableHeaders, status: int) -> None:
        """The remember cookie on every reply: its old value was used up when it was read."""
        if session.remember_cookie:
            value, lasts = session.remember_cookie
            age = round(lasts.total_seconds())
            name = self.cookies.remember_name
            headers.append("Set-Cookie", self.cookies.header(name, value, age))
        if session.devices and status < 500:
            value = str(self.cookies.devices.dumps(session.devices))
            name = self.cookies.devices_name
            headers.append("Set-Cookie", self.cookies.header(name, value, A_YEAR))

    def devices_in(self, scope: Scope) -> list[str]:
        cookie = read_cookie(scope, self.cookies.devices_name)
        if not cookie or len(cookie) > LONGEST_COOKIE:
            return []
        try:
            found = self.cookies.devices.loads(cookie)
        except BadData:
            return []
        return [str(each) for each in found] if isinstance(found, list) else []


def now() -> datetime:
    return datetime.now(UTC)

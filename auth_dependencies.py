"""Who is asking: the dependencies that routes declare, and what templates know of it."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

import auth_service
from backends import Unavailable
from database import SAFE_METHODS, Database, Db, release
from errors import Forbidden
from languages import _
from models import Login, User
from services import logins
from services.logins import Client
from services.permissions import has_scopes
from settings import Settings
from web.proxy import client_address, client_network
from web.sessions import Remembered
from web.sessions import Session as LoginSession


class LoginRequired(Exception):
    """Nobody is logged in. Raised, never returned: a returned redirect would protect nothing."""


class FreshLoginRequired(Exception):
    """Somebody is logged in, but it has been a while since they showed who they are."""


class GoElsewhere(Exception):
    """Not for this person; `location` is a path or the name of a route."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


async def get_session_of(connection: HTTPConnection) -> LoginSession:
    session: LoginSession = connection.state.session
    return session


async def get_client(connection: HTTPConnection) -> Client:
    return client_of(connection.scope, connection.app.state.settings)


CurrentSession = Annotated[LoginSession, Depends(get_session_of)]
CurrentClient = Annotated[Client, Depends(get_client)]


async def get_user_from_session(request: Request, session: CurrentSession, db: Db) -> User | None:
    """The person who is logged in, as the database knows them now; None for a stranger.

    A session whose login was ended, or whose account is gone or disabled, ends here. Strangers
    cost nothing, no thread either.
    """
    if not session.user_id:
        request.state.user, request.state.login = None, None
        return None
    return await run_in_threadpool(user_of, request, session, db)


def user_of(request: Request, session: LoginSession, db: Session) -> User | None:
    """The same, for a route that is in a thread and asks only if it must."""
    request.state.user, request.state.login = None, None
    client = client_of(request.scope, request.app.state.settings)
    found = find_here(request, db, session, client)
    if found is None:
        return None
    request.state.user, request.state.login = found
    note_visit(request, found[1], client)
    return found[0]


def find_here(
    connection: HTTPConnection, db: Session, session: LoginSession, client: Client
) -> tuple[User, Login] | None:
    """Whose session this is; a session whose login is not good any more ends."""
    if not session.user_id:
        return None
    found = logins.find(db, session.user_id, session.get("login"))
    if found and has_moved(connection, db, session, client, *found):
        found = None
    if found is None:
        session.end()
    return found


async def login_required(
    session: CurrentSession, user: Annotated[User | None, Depends(get_user_from_session)]
) -> User:
    """The person who is logged in.

    Raises:
        LoginRequired: nobody is; a page goes to the login form, the API answers 401.
        Unavailable: logins cannot be looked up at the moment.
    """
    if session.is_unavailable:
        raise Unavailable
    if user is None:
        raise LoginRequired
    return user


async def fresh_login_required(
    session: CurrentSession, user: Annotated[User, Depends(login_required)]
) -> User:
    """The person who is logged in, and has shown who they are within the last 15 minutes.

    Raises:
        FreshLoginRequired: it has been longer; a page goes to /auth/confirm, the API answers 401.
    """
    if not auth_service.is_fresh(session):
        raise FreshLoginRequired
    return user


async def current_login(request: Request, _user: Annotated[User, Depends(login_required)]) -> Login:
    """The login by which they are here."""
    login: Login = request.state.login
    return login


async def for_everybody() -> None:
    """Marks what needs no login; every route has either this or one of the above."""


async def logins_available(request: Request) -> None:
    """For what ends in a login: asked first, so that no account is made that nobody is let into.

    Raises:
        Unavailable: sessions cannot be stored at the moment.
    """
    await request.app.state.sessions.ping()


OptionalUser = Annotated[User | None, Depends(get_user_from_session)]
CurrentUser = Annotated[User, Depends(login_required)]
FreshUser = Annotated[User, Depends(fresh_login_required)]
CurrentLogin = Annotated[Login, Depends(current_login)]


def requires(
    *scopes: str, redirect: str | None = None, status_code: int = 403
) -> Callable[[User], Awaitable[User]]:
    """A dependency: somebody is logged in and has all of these scopes.

    Who lacks one gets `status_code`, or is sent to `redirect`, a path or the name of a route.
    """

    async def check(user: CurrentUser) -> User:
        if has_scopes(user, *scopes):
            return user
        if redirect:
            raise GoElsewhere(redirect)
        raise Forbidden(_("Your account may not do that here. Nothing was changed."), status_code)

    return check


def public(prefix: str = "", *dependencies: Any) -> APIRouter:
    """A router for everybody, logged in or not."""
    return APIRouter(prefix=prefix, dependencies=[Depends(for_everybody), *dependencies])


def guarded(prefix: str = "", *scopes: str, fresh: bool = False) -> APIRouter:
    """A router for people who are logged in, have all of `scopes`, and freshly so if wanted."""
    check = fresh_login_required if fresh else login_required
    checks = [Depends(check), *([Depends(requires(*scopes))] if scopes else [])]
    return APIRouter(prefix=prefix, dependencies=checks)


def has_moved(
    connection: HTTPConnection,
    db: Session,
    session: LoginSession,
    client: Client,
    user: User,
    login: Login,
) -> bool:
    """Whether a login that turns up elsewhere is to end; if not, it is at least not fresh."""
    settings: Settings = connection.app.state.settings
    if settings.session_protection == "off" or session.get("client") == client.fingerprint:
        return False
    if client.is_known_as(session.get("client")):
        session.set("client", client.fingerprint)
        return False
    if session.get("fresh_at"):  # once: each change is written
        session.set("fresh_at", None)
    if settings.session_protection == "basic" or login.is_remembered:
        return False
    release(db)
    with writing(connection) as apart:
        auth_service.end_moved(apart, user, login, client)
    session.forget()
    return True


def note_visit(request: Request, login: Login, client: Client) -> None:
    """Pages only: on SQLite a form has the only lock there is, and its page was a visit too."""
    if request.method not in SAFE_METHODS or not logins.is_worth_noting(login):
        return
    with suppress(SQLAlchemyError), writing(request) as apart:  # a page must not fail for that
        logins.see(apart, login, client)


def writing(connection: HTTPConnection) -> Any:
    """A transaction apart from that of the request, which may be rolled back or only read."""
    database: Database = connection.app.state.database
    return database.writing()


def restoring(app: FastAPI) -> Callable[[Scope, str], Awaitable[Remembered | None]]:
    """What brings logins back for the session middleware."""
    settings: Settings = app.state.settings
    database: Database = app.state.database

    def restore(cookie: str, client: Client) -> Remembered | None:
        try:
            with database.reading() as db:
                if not logins.is_known(db, cookie):
                    return None
            with database.writing() as db:
                found = auth_service.restore(db, settings, cookie, client)
        except SQLAlchemyError as error:
            raise Unavailable from error
        if found is None:
            return None
        data = {"login": str(found.login.id), "client": client.fingerprint}
        lasts = found.login.expires_at - found.login.seen_at
        return Remembered(str(found.login.user_id), data, found.cookie, lasts)

    async def in_thread(scope: Scope, cookie: str) -> Remembered | None:
        return await run_in_threadpool(restore, cookie, client_of(scope, settings))

    return in_thread


def client_of(scope: Scope, settings: Settings) -> Client:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    user_agent = headers.get(b"user-agent", "")[: logins.LONGEST_USER_AGENT]
    here = f"client {client_network(scope, 24, 48)} {user_agent}".encode()
    fingerprint, *older = (
        hmac.new(key.encode(), here, hashlib.sha256).hexdigest()[:32] for key in settings.secrets
    )
    return Client(
        address=client_address(scope),
        network=client_network(scope),
        user_agent=user_agent,
        fingerprint=fingerprint,
        older_fingerprints=tuple(older),
        # The former comes over HTTPS only; a blog at home may have none.
        is_browser=b"sec-fetch-site" in headers or b"accept-language" in headers,
    )


def account_context(request: Request) -> dict[str, Any]:
    """For every template: `user`, and whether logins cannot be checked right now."""
    session: LoginSession | None = getattr(request.state, "session", None)
    return {
        "user": user_for_template(request, session),
        "logins_unavailable": bool(session and session.is_unavailable),
    }


def user_for_template(request: Request, session: LoginSession | None) -> User | None:
    """Error pages come without the route's dependencies, so they look here."""
    if hasattr(request.state, "user"):
        found: User | None = request.state.user
        return found if session is None or session.user_id else None
    if session is None or not session.user_id:
        return None
    database: Database = request.app.state.database
    try:
        with database.reading() as db:
            here = logins.find(db, session.user_id, session.get("login"))
    except SQLAlchemyError:
        return None  # an error page must come out without the database too
    return here[0] if here else None

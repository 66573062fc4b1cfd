"""Who is asking: the dependencies that routes declare, and what templates know of it."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.requests import Request

from backends import Unavailable
from database import Database, Db
from errors import Forbidden
from models import User
from services.permissions import has_scopes
from web.sessions import Session as LoginSession


class LoginRequired(Exception):
    """Nobody is logged in. Raised, never returned: a returned redirect would protect nothing."""


def get_session_of(request: Request) -> LoginSession:
    session: LoginSession = request.state.session
    return session


CurrentSession = Annotated[LoginSession, Depends(get_session_of)]


def get_user_from_session(request: Request, session: CurrentSession, db: Db) -> User | None:
    """The person who is logged in, as the database knows them now; None for a stranger.

    A session whose account is gone or disabled ends here.
    """
    request.state.user = user = load(db, session)
    if user is None and session.user_id:
        session.end()
    return user


def login_required(
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


async def logins_available(request: Request) -> None:
    """For what ends in a login: asked first, so that no account is made that nobody is let into.

    Raises:
        Unavailable: sessions cannot be stored at the moment.
    """
    await request.app.state.sessions.ping()


OptionalUser = Annotated[User | None, Depends(get_user_from_session)]
CurrentUser = Annotated[User, Depends(login_required)]


def requires(*scopes: str) -> Callable[[User], User]:
    """A dependency: somebody is logged in and has all of these scopes, else 403."""

    def check(user: CurrentUser) -> User:
        if not has_scopes(user, *scopes):
            raise Forbidden("Your account may not do that here. Nothing was changed.")
        return user

    return check


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
            return load(db, session)
    except SQLAlchemyError:
        return None  # an error page must come out without the database too


def load(db: Session, session: LoginSession) -> User | None:
    if not session.user_id:
        return None
    try:
        user = db.get(User, UUID(session.user_id))
    except ValueError:
        return None  # whatever stands in the store, it is nobody's id
    return user if user and user.is_active else None

"""Signing up, logging in and out by a session cookie, and who one is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

import auth_service
from api_dependencies import CurrentPrincipal, OptionalPrincipal, api_guarded, api_public
from auth_dependencies import CurrentClient, CurrentSession, logins_available
from auth_providers import JWT, SESSION, Principal
from backends.limits import take_one
from database import Db
from errors import Forbidden
from models import User
from routers.api import entering
from services import audit, credentials, refresh_tokens, verifications
from services.permissions import in_order, scopes_of
from settings import LONGEST_REMEMBERED
from web.json_bodies import body_of

router = api_public("/auth", "Account")
me = api_guarded("", "Account")

Days = Annotated[int, Field(ge=1, le=LONGEST_REMEMBERED)]


class Credentials(entering.Credentials):
    """`remember` is true, or for how many days to stay logged in."""

    remember: bool | Days = False

    def remember_days(self, usually: int) -> int | None:
        if self.remember is True:
            return usually
        return self.remember or None


Registration = Annotated[
    credentials.Registration,
    Depends(body_of(credentials.Registration, username="alice", password="...")),  # noqa: S106
]
Login = Annotated[
    Credentials,
    Depends(body_of(Credentials, username="alice", password="...")),  # noqa: S106
]


class Me(BaseModel):
    """Somebody's own account; `scopes` is what they may do by the way that they are known."""

    id: UUID
    username: str
    display_name: str
    email: str | None
    email_verified: bool
    role: str
    scopes: list[str]
    by: str
    created_at: datetime


def shown(principal: Principal) -> Me:
    user = principal.user
    return Me(
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        email_verified=user.email_is_verified,
        role=user.role,
        scopes=in_order(principal.scopes),
        by=principal.by,
        created_at=user.created_at,
    )


def by_session(user: User) -> Me:
    return shown(Principal(user, scopes_of(user), SESSION))


@router.post(
    "/signup",
    name="api.auth.signup",
    summary="Make an account",
    status_code=201,
    dependencies=[Depends(logins_available)],
)
def sign_up(
    request: Request, session: CurrentSession, client: CurrentClient, new: Registration, db: Db
) -> Me:
    """You are logged in by the session cookie of the answer, unless this blog wants your e-mail
    address confirmed first. The very first account owns the blog."""
    state = request.app.state
    take_one(state.limits, auth_service.REGISTRATIONS_OF_ADDRESS, client.network)
    user = auth_service.register(db, new, state.settings, client)
    if not verifications.is_needed(user, state.settings):
        auth_service.log_in(db, session, user, client, state.settings)
    return by_session(user)


@router.post(
    "/login",
    name="api.auth.login",
    summary="Log in",
    dependencies=[Depends(logins_available)],
)
def log_in(
    request: Request, session: CurrentSession, client: CurrentClient, given: Login, db: Db
) -> Me:
    """The answer has the session cookie. Send it with what you ask next.

    An account with a second factor needs its `code` too: without it the answer is 401, of the
    type `second_factor_required`.
    """
    settings = request.app.state.settings
    known = entering.known_person(request, db, session, client, given)
    days = given.remember_days(settings.remember_days)
    user, by = known.user, known.by
    auth_service.log_in(db, session, user, client, settings, remember_days=days, by=by)
    return by_session(user)


@router.post("/logout", name="api.auth.logout", summary="Log out", status_code=204)
def log_out(
    principal: OptionalPrincipal, session: CurrentSession, client: CurrentClient, db: Db
) -> None:
    """Ends the login by session cookie, or the login that a JWT belongs to."""
    if principal is None or principal.by == SESSION:
        auth_service.log_out(db, session, principal.user if principal else None, client)
    elif principal.by == JWT and principal.id:
        refresh_tokens.end(db, principal.user.id, principal.id)
        audit.record(db, audit.API_LOGOUT, principal.user, client=client)
    else:
        raise Forbidden("This key cannot log out; it has to be revoked. Nothing was changed.")


@me.get("/me", name="api.me", summary="Who you are")
@me.get("/auth/me", name="api.auth.me", include_in_schema=False)
def show(principal: CurrentPrincipal) -> Me:
    """Your account, and what you may do by the way that you are known."""
    return shown(principal)

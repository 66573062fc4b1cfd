"""The one way in: what every login goes through once its first step is right."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentSession
from database import Db
from languages import _
from models import User
from services import audit, second_steps, two_factor, verifications
from web.next_url import safe_next
from web.templating import redirect, redirect_to


def enter(
    request: Request,
    db: Db,
    session: CurrentSession,
    user: User,
    client: CurrentClient,
    *,
    by: str,
    remember_days: int | None,
    back: str,
) -> Response:
    """Log in and go `back`; or, if this account has a second factor, ask for that first.

    `by` says what was shown, "password" for example; `back` may be anything that was sent as
    `next`. The caller has proven that this is `user`, and that the account is active.
    """
    back = safe_next(back)
    if two_factor.is_on(db, user):
        second_steps.begin(session, user, by=by, remember_days=remember_days, back=back)
        audit.record(db, audit.SECOND_STEP_ASKED, user, client=client, after=by)
        return redirect_to(request, f"/auth/two-factor?next={quote(back, safe='')}")
    return log_in(request, db, session, user, client, by=by, remember_days=remember_days, back=back)


def log_in(
    request: Request,
    db: Db,
    session: CurrentSession,
    user: User,
    client: CurrentClient,
    *,
    by: str,
    remember_days: int | None,
    back: str,
    say: str = "",
) -> Response:
    """Log in somebody who has shown all that their account asks for, and go `back`."""
    settings = request.app.state.settings
    auth_service.log_in(db, session, user, client, settings, remember_days=remember_days, by=by)
    return redirect_to(
        request,
        safe_next(back),
        say=say or _("Welcome back, %(display_name)s.", display_name=user.display_name),
    )


def welcome(
    request: Request,
    db: Db,
    session: CurrentSession,
    newcomer: User,
    client: CurrentClient,
    *,
    by: str = "password",
    back: str = "/",
) -> Response:
    """Log in whose account was made a moment ago, and go `back`. It has no second factor yet; if it
    has to wait for its address to be confirmed, show what it waits for instead."""
    settings = request.app.state.settings
    if verifications.is_needed(newcomer, settings):
        return redirect(request, "verifications.new")
    auth_service.log_in(db, session, newcomer, client, settings, by=by)
    name = newcomer.display_name
    say = (
        _("Welcome. This blog is yours now.")
        if newcomer.is_owner
        else _("Welcome, %(name)s.", name=name)
    )
    return redirect_to(request, safe_next(back), say=say)

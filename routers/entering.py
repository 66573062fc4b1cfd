"""The one way in: what every login goes through once its first step is right."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentSession
from database import Db
from models import User
from services import audit, second_steps, two_factor
from web.next_url import safe_next
from web.templating import redirect_to


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
    return redirect_to(request, safe_next(back), say=say or f"Welcome back, {user.display_name}.")

"""Ten codes for whoever loses the second factor."""

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from errors import NotFound
from languages import _
from services import audit, recovery_codes, two_factor
from web.templating import page, redirect

router = guarded("/settings/two-factor/recovery-codes", fresh=True)


@router.get("", name="recovery_codes.show")
def show(request: Request, user: CurrentUser, session: CurrentSession, db: Db) -> Response:
    """New codes, for as long as they are not noted down; else how many are left."""
    factors = two_factor.of_user(db, user)
    codes = recovery_codes.shown(session, request.app.state.settings) if factors.any else []
    return page(request, "recovery_codes/show.html", codes=codes, factors=factors)


@router.post("", name="recovery_codes.create")
def create(
    request: Request, user: CurrentUser, session: CurrentSession, client: CurrentClient, db: Db
) -> Response:
    if not two_factor.is_on(db, user):
        raise NotFound
    settings = request.app.state.settings
    recovery_codes.show(session, settings, recovery_codes.make(db, user))
    sentence = _("New recovery codes were made. The ones from before are worth nothing any more.")
    two_factor.tell(db, settings, user, client, audit.RECOVERY_CODES_MADE, sentence)
    return redirect(request, "recovery_codes.show")


@router.post("/noted", name="recovery_codes.hide")
def hide(request: Request, session: CurrentSession) -> Response:
    """They are written down: nobody is to see them again."""
    recovery_codes.hide(session)
    return redirect(request, "two_factor.show")

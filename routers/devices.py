"""Where somebody is logged in: look, log one device out, or all the others."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentLogin, CurrentSession, CurrentUser, guarded
from database import Db
from errors import NotFound
from languages import _
from models import Login
from services import audit, logins
from web.templating import page, redirect

router = guarded("/settings/sessions")


@router.get("", name="devices.index")
def index(request: Request, here: CurrentLogin, db: Db) -> Response:
    devices = logins.of_user(db, here, request.app.state.settings.session_idle)
    return page(request, "devices/index.html", devices=devices, here=here)


@router.post("/delete", name="devices.destroy_others")
def destroy_others(
    request: Request,
    user: CurrentUser,
    here: CurrentLogin,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
) -> Response:
    auth_service.log_out_elsewhere(db, session, user, here)
    audit.record(db, audit.DEVICES_ENDED, user, client=client)
    return redirect(request, "devices.index", say=_("You are logged out everywhere else."))


@router.post("/{handle}/delete", name="devices.destroy")
def destroy(
    request: Request,
    handle: str,
    user: CurrentUser,
    here: CurrentLogin,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
) -> Response:
    login = own_login(db, user.id, handle)
    logins.end(db, user.id, login.id)
    ended = logins.device_name(login.user_agent)
    audit.record(db, audit.DEVICE_ENDED, user, client=client, device=ended)
    if login.id == here.id:
        session.end()
        session.forget()
        return redirect(request, "home", say=_("You are logged out."))
    return redirect(request, "devices.index", say=_("%(ended)s is logged out.", ended=ended))


def own_login(db: Db, user_id: UUID, handle: str) -> Login:
    """Raises NotFound if it is none of theirs."""
    try:
        return logins.of_handle(db, user_id, UUID(handle))
    except ValueError:
        raise NotFound from None

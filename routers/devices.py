"""Where somebody is logged in: look, log one device out, or all the others."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentLogin, CurrentSession, CurrentUser, guarded
from database import Db
from errors import NotFound
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
    return redirect(request, "devices.index", say="You are logged out everywhere else.")


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
    ended = end(db, user.id, handle)
    audit.record(db, audit.DEVICE_ENDED, user, client=client, device=ended)
    if handle == str(here.id):
        session.end()
        session.forget()
        return redirect(request, "home", say="You are logged out.")
    return redirect(request, "devices.index", say=f"{ended} is logged out.")


def end(db: Db, user_id: UUID, handle: str) -> str:
    """The name of the device that was logged out. Raises NotFound if it is none of theirs."""
    try:
        login = logins.of_handle(db, user_id, UUID(handle))
    except ValueError:
        raise NotFound from None
    logins.end(db, user_id, login.id)
    return logins.device_name(login.user_agent)

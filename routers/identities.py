"""By which other services one logs in here."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, FreshUser, guarded
from database import Db, release
from errors import NotFound
from languages import _
from routers.openid import leave
from services import identities
from web.templating import page, redirect

router = guarded("/settings/identities", fresh=True)


@router.get("", name="identities.index")
def index(request: Request, user: FreshUser, db: Db) -> Response:
    linked = identities.of_user(db, user)
    return page(request, "identities/index.html", identities=linked)


@router.post("/{provider}", name="identities.create")
def create(
    request: Request,
    provider: str,
    user: FreshUser,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
) -> Response:
    release(db)
    return leave(request, session, client, provider, "link", "/settings/identities", user)


@router.post("/{handle}/delete", name="identities.destroy")
def destroy(
    request: Request, handle: str, user: FreshUser, client: CurrentClient, db: Db
) -> Response:
    state = request.app.state
    try:
        wanted = UUID(handle)
    except ValueError:
        raise NotFound from None
    identities.unlink(db, state.settings, user, wanted, state.providers, client)
    return redirect(request, "identities.index", say=_("Unlinked. It lets nobody in any more."))

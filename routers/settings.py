"""The way to everything about one's own account, and what happened to it."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from services import audit
from web.templating import page

router = guarded("/settings")


@router.get("", name="settings.index")
def index(request: Request) -> Response:
    return page(request, "settings/index.html")


@router.get("/security", name="settings.security")
def security(
    request: Request,
    user: CurrentUser,
    db: Db,
    before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> Response:
    """What happened to the account, the latest first, fifty at a time."""
    events = audit.of_user(db, user, before)
    return page(request, "settings/security.html", events=events)

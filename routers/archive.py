"""All posts by year and month."""

from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import get_user_from_session, public
from database import Db
from services import archive, heads
from web.templating import public_page

router = public("/archive", Depends(get_user_from_session))

Cursor = Annotated[str, Query(max_length=64)]


@router.get("", name="archive.index")
def index(request: Request, db: Db, before: Cursor = "", after: Cursor = "") -> Response:
    zone = request.app.state.settings.zone
    found = archive.page(db, zone, before=before, after=after)
    return shown(request, found, "/archive", before, after, year=None)


@router.get("/{year}", name="archive.show")
def show(request: Request, year: str, db: Db, before: Cursor = "", after: Cursor = "") -> Response:
    zone, wanted = request.app.state.settings.zone, archive.year_of(year)
    found = archive.page(db, zone, wanted, before, after)
    return shown(request, found, f"/archive/{wanted}", before, after, year=wanted)


def shown(
    request: Request, found: archive.Archive, path: str, before: str, after: str, **more: Any
) -> Response:
    head = heads.of_stream(request.app.state.site.now(), path, found, before, after)
    return public_page(
        request, "archive/index.html", differs_for=(), archive=found, head=head, **more
    )

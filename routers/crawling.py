"""For programs that come to look around: sitemaps, robots.txt, security.txt."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import public
from database import Db
from services import crawling, sitemaps
from web.templating import public_document

router = public()

XML, TEXT = "application/xml", "text/plain"
Cursor = Annotated[str, Query(max_length=140)]


@router.get("/sitemap.xml", name="sitemaps.index")
def index(request: Request, db: Db) -> Response:
    return public_document(sitemaps.sitemap(db, request.app.state.site.now().link_base), XML)


@router.get("/sitemaps/{name}.xml", name="sitemaps.show")
def show(request: Request, name: str, db: Db, after: Cursor = "") -> Response:
    base = request.app.state.site.now().link_base
    return public_document(sitemaps.part(db, name, base, after), XML)


@router.get("/robots.txt", name="robots")
def robots(request: Request) -> Response:
    state = request.app.state
    return public_document(crawling.robots(state.site.now(), state.settings), TEXT)


@router.get("/.well-known/security.txt", name="security")
def security(request: Request) -> Response:
    state = request.app.state
    return public_document(crawling.security(state.site.now(), state.settings), TEXT)

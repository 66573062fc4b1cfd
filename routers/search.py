"""Searching the blog, and what is offered while somebody types."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import get_user_from_session, public
from database import Db
from services import search
from services.search.queries import LONGEST
from services.search.turns import SEARCHES, SUGGESTIONS
from services.text import printable
from web.proxy import client_network
from web.templating import public_document, public_page

router = public("/search")

Cursor = Annotated[str, Query(max_length=64)]


async def searching(request: Request, q: str = "") -> AsyncIterator[None]:
    if q.strip():
        async with request.app.state.searches.one(SEARCHES, client_network(request.scope)):
            yield
    else:
        yield


async def suggesting(request: Request) -> AsyncIterator[None]:
    async with request.app.state.searches.one(SUGGESTIONS, client_network(request.scope)):
        yield


# First of all, and until the route has its answer; see `Turns.one`.
SEARCHING = [Depends(searching, scope="function"), Depends(get_user_from_session)]
SUGGESTING = [Depends(suggesting, scope="function")]


@router.get("", name="search.index", dependencies=SEARCHING)
def index(
    request: Request, db: Db, q: str = "", before: Cursor = "", after: Cursor = ""
) -> Response:
    """Whatever is typed, the answer is a page: too long or without a word, it says so."""
    typed, found = q.strip(), None
    if typed:
        per_page = request.app.state.site.now().per_page
        found = search.find(db, typed, before, per_page, after=after)
    shown = printable(typed[:LONGEST])
    return public_page(request, "search/index.html", differs_for=(), typed=shown, found=found)


@router.get("/suggestions", name="search.suggestions", dependencies=SUGGESTING)
def suggestions(db: Db, q: str = "") -> Response:
    said = json.dumps(
        {"suggestions": [asdict(each) for each in search.suggest(db, q)]}, ensure_ascii=False
    )
    return public_document(said, "application/json")

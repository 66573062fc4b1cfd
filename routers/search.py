"""Searching the blog, and what is offered while somebody types."""

import json
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


@router.get("", name="search.index", dependencies=[Depends(get_user_from_session)])
def index(
    request: Request, db: Db, q: str = "", before: Cursor = "", after: Cursor = ""
) -> Response:
    """Whatever is typed, the answer is a page: too long or without a word, it says so."""
    typed, found = q.strip(), None
    if typed:
        with request.app.state.searches.one(SEARCHES, client_network(request.scope)):
            per_page = request.app.state.site.now().per_page
            found = search.find(db, typed, before, per_page, after=after)
    shown = printable(typed[:LONGEST])
    return public_page(request, "search/index.html", differs_for=(), typed=shown, found=found)


@router.get("/suggestions", name="search.suggestions")
def suggestions(request: Request, db: Db, q: str = "") -> Response:
    with request.app.state.searches.one(SUGGESTIONS, client_network(request.scope)):
        found = search.suggest(db, q)
    said = json.dumps({"suggestions": [asdict(each) for each in found]}, ensure_ascii=False)
    return public_document(said, "application/json")

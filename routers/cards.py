"""The pictures that other places show beside a link to here."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import public
from database import Db, release
from routers.loading import AtAnotherAddress
from routers.media import PUBLIC
from services import cards, posts
from services.cards import Card

router = public()

Version = Annotated[str, Query(alias="v", max_length=64)]


@router.get("/card.png", name="cards.index")
def index(request: Request, version: Version = "") -> Response:
    return answered(request, cards.of_site(request.app.state.site.now()), version)


@router.get("/posts/{slug}/card.png", name="cards.show")
def show(request: Request, slug: str, db: Db, version: Version = "") -> Response:
    """Of what is public, whoever asks: nobody else shows it."""
    try:
        shown = posts.show(db, slug, None)
    except posts.MovedPost as moved:
        raise AtAnotherAddress(cards.path_of_post(moved.post)) from None
    card = cards.of_post(request.app.state.site.now(), shown.post, shown.author)
    release(db)
    return answered(request, card, version)


def answered(request: Request, card: Card, version: str) -> Response:
    """Whoever asked for this very version may keep it, as an image of a text."""
    headers = {
        "Cache-Control": PUBLIC if version == card.version else "no-cache",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{card.version}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    picture = request.app.state.gallery.picture(card)
    return Response(picture, media_type=cards.CONTENT_TYPE, headers=headers)

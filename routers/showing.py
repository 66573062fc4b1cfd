"""Posts as readers get them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from database import Db, release
from models import User
from routers.loading import AtAnotherAddress
from services import beside, heads, outline, posts, reading
from services.permissions import EDIT_ANY, can_edit
from services.posts import Page
from web.templating import public_page


def show_to(
    request: Request, slug: str, user: User | None, db: Db, *, as_page: bool, **more: Any
) -> Response:
    """A post, or a page such as About, at its own address. Raises as `posts.show`; AtAnotherAddress
    for an older one."""
    try:
        shown = posts.show(db, slug, user, as_page=as_page)
    except posts.MovedPost as moved:
        raise AtAnotherAddress(moved.post.path) from None
    around, text = beside.of(db, shown), text_of(request, shown, db)
    if shown.post.is_public:
        more["head"] = heads.of_post(db, request.app.state.site.now(), shown, text["html"])
    return public_page(
        request,
        "posts/show.html",
        differs_for=[shown.post.author_id],
        differs_for_scopes=[EDIT_ANY],
        shown=shown,
        beside=around,
        **text,
        can_edit=can_edit(user, shown.post),
        **more,
    )


def text_of(request: Request, shown: Page, db: Db) -> dict[str, Any]:
    """The text of a post and its contents, for a template."""
    html = html_of(request, shown, db)
    contents = outline.of(html, shown.post.word_count)
    return {"html": reading.first_image_first(html), "contents": contents}


def html_of(request: Request, shown: Page, db: Db) -> str:
    """The HTML of a post, for a route that has written nothing. An old one may have to be rendered
    afresh: nothing is held meanwhile."""
    if reading.is_outdated(shown.post):
        release(db)
    return reading.html_of(shown.post, shown.author, request.app.state.settings)

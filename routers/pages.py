"""Pages such as About, each at an address of its own: whatever no other router knows."""

from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import OptionalUser, public
from database import Db
from routers.showing import html_of
from services import posts
from services.permissions import can_edit
from web.templating import public_page, redirect_to


class SlugConvertor(Convertor[str]):
    """What can be the address of a page, in capitals too; all else is missing without a look."""

    regex = "[A-Za-z0-9][A-Za-z0-9-]{0,119}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page", SlugConvertor())
router = public()


@router.get("/{slug:page}", name="pages.show")
def show(request: Request, slug: str, user: OptionalUser, db: Db) -> Response:
    try:
        shown = posts.show(db, slug, user, as_page=True)
    except posts.MovedPost as moved:
        return redirect_to(request, moved.post.path, status_code=301)
    return public_page(
        request,
        "posts/show.html",
        shown=shown,
        html=html_of(request, shown, db),
        can_edit=can_edit(user, shown.post),
    )


def pages_context(request: Request) -> dict[str, Any]:
    """For every template: the pages to link to."""
    return {"site_pages": request.app.state.pages.now()}

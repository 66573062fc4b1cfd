"""Pages such as About, each at an address of its own: whatever no other router knows."""

from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import OptionalUser, public
from database import Db
from routers.showing import show_to
from services.pages import RESERVED


class SlugConvertor(Convertor[str]):
    """What can be the address of a page, in capitals too; all else is missing without a look."""

    regex = f"(?!(?:{'|'.join(sorted(RESERVED))})$)[A-Za-z0-9][A-Za-z0-9-]{{0,119}}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page", SlugConvertor())
router = public()


@router.get("/{slug:page}", name="pages.show")
def show(request: Request, slug: str, user: OptionalUser, db: Db) -> Response:
    return show_to(request, slug, user, db, as_page=True)


def pages_context(request: Request) -> dict[str, Any]:
    """For every template: the pages to link to."""
    return {"site_pages": request.app.state.pages.now()}

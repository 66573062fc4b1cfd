"""The owner's pages: the way to all of them."""

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import guarded
from services.permissions import MANAGE_SITE
from web.templating import page

router = guarded("/admin", MANAGE_SITE)


@router.get("", name="admin.index")
def index(request: Request) -> Response:
    return page(request, "admin/index.html")

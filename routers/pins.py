"""What stands first on the front page."""

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import guarded
from database import Db
from languages import _
from routers.loading import OwnPost
from services import pins
from services.permissions import EDIT_ANY
from web.templating import redirect_to

router = guarded("/posts", EDIT_ANY)


@router.post("/{slug}/pin", name="pins.create")
def create(request: Request, post: OwnPost, db: Db) -> Response:
    pins.pin(db, post)
    return redirect_to(request, post.path, say=_("Pinned: it stands first on the front page."))


@router.post("/{slug}/unpin", name="pins.destroy")
def destroy(request: Request, post: OwnPost, db: Db) -> Response:
    pins.unpin(db, post)
    return redirect_to(request, post.path, say=_("No longer pinned."))

"""Changes to a published post that readers do not see yet."""

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from languages import _
from routers.loading import OwnPost
from services import restoring
from services.permissions import WRITE
from web.templating import redirect

router = guarded("/posts/{slug}/staged", WRITE)


@router.post("/delete", name="staged.destroy")
def destroy(request: Request, user: CurrentUser, post: OwnPost, db: Db) -> Response:
    post = restoring.unstage(db, post, user)
    say = _("Thrown away. You edit what readers see; what you had saved is among the revisions.")
    return redirect(request, "posts.edit", slug=post.slug, say=say)

"""Secret links to posts that are not published yet."""

from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import OptionalUser, guarded, public
from database import Db, release
from errors import NotFound
from languages import _
from routers.loading import OwnPost
from routers.media import Width, as_id, served
from routers.showing import text_of
from services import media_uses, posts, preview_links
from services.beside import Beside
from services.permissions import WRITE
from web.templating import page, redirect, redirect_to

readable = public("/preview")
router = guarded("/posts/{slug}/preview-link", WRITE)

# Search engines obey the header where a page is none, for an image; the page says it as well.
SECRET = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


@router.post("", name="preview_links.create")
def create(request: Request, post: OwnPost, db: Db) -> Response:
    preview_links.make(db, post)
    return redirect(
        request, "posts.edit", slug=post.slug, say=_("The secret link is below the text.")
    )


@router.post("/delete", name="preview_links.destroy")
def destroy(request: Request, post: OwnPost, db: Db) -> Response:
    preview_links.revoke(db, post)
    return redirect(
        request, "posts.edit", slug=post.slug, say=_("The secret link leads nowhere now.")
    )


@readable.get("/{token}", name="preview_links.show")
def show(request: Request, token: str, _user: OptionalUser, db: Db) -> Response:
    post = preview_links.find(db, token)
    if post.is_public and not post.staged:
        response = redirect_to(request, post.path)
    else:
        found = posts.page_of(db, post)
        release(db)  # rendering may take a second: hold nothing meanwhile
        shown = preview_links.as_it_will_be(found)
        text = text_of(request, shown, db)
        text["html"] = preview_links.with_images(text["html"], token)
        context = {**text, "shown": shown, "beside": Beside(), "can_edit": False}
        response = page(request, "preview_links/show.html", **context)
    response.headers.update(SECRET)
    return response


@readable.get("/{token}/media/{media_id}/{name}", name="preview_links.media")
def image(
    request: Request, token: str, media_id: str, name: str, db: Db, w: Width = ""
) -> Response:
    """An image of the text that the link shows."""
    found = media_uses.find_in_preview(db, preview_links.find(db, token), as_id(media_id))
    if name != found.name:
        raise NotFound
    response = served(request, db, found, w, is_public=False)
    response.headers.update(SECRET)
    return response

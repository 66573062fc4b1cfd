"""Images: sent, served, and looked after in the library."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth_dependencies import (
    CurrentSession,
    CurrentUser,
    guarded,
    public,
    user_of,
)
from backends import Unavailable
from database import Db, release
from errors import NotFound, Rejected
from languages import _, ngettext
from models import Media
from routers.api.media_shapes import of_image
from routers.receiving import about_in, add, add_one, received_from, uploader
from services import media, media_names, media_uses
from services.permissions import EDIT_ANY, WRITE, has_scopes
from web.forms import STATUS, Form, form_of
from web.templating import page, redirect, redirect_to
from web.uploads import Upload

router = guarded("/media", WRITE)
readable = public("/media")

Received = Annotated[Upload, Depends(received_from(uploader), scope="function")]
AboutForm = Annotated[Form[media.About], Depends(form_of(media.About))]
Width = Annotated[str, Query(max_length=20)]
# A browser that has an image may keep it. Caches that many share ask again soon: what is taken back,
# or deleted, is not to be had from them for a year.
PUBLIC = "public, max-age=31536000, s-maxage=300, immutable"


def own_image(media_id: str, user: CurrentUser, db: Db) -> Media:
    """An image that they may describe and delete. Raises NotFound or Forbidden."""
    return media_uses.find_own(db, as_id(media_id), user)


OwnImage = Annotated[Media, Depends(own_image)]


@router.get("", name="media.index")
def index(
    request: Request,
    user: CurrentUser,
    db: Db,
    q: Annotated[str, Query(max_length=200)] = "",
    of: Annotated[str, Query(max_length=10)] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    return page(request, "media/index.html", **library(request, user, db, q, of, before))


@router.post("", name="media.create")
def create(request: Request, user: CurrentUser, upload: Received, db: Db) -> Response:
    """For scripts one image, and JSON; for the form of the library any number, and the library."""
    if "text/html" not in request.headers.get("accept", ""):
        image = of_image(add_one(request, user, upload))
        return JSONResponse(image.model_dump(mode="json"), 201)
    about = about_in(upload)
    status, wrong, added = 422, [], 0
    for name, file in upload.files:
        try:
            add(request, user, name, file, about)
            added += 1
        except Rejected as error:
            status = STATUS.get(type(error), 422)
            wrong.append((name, str(error)))
    if upload.files and not wrong:
        say = ngettext(
            "The image is in your library.",
            "%(added)s images are in your library.",
            added,
            added=added,
        )
        return redirect(request, "media.index", say=say)
    wrong = wrong or [("", _("Please choose an image."))]
    found = library(request, user, db)
    return page(request, "media/index.html", status_code=status, **{**found, "wrong": wrong})


@router.get("/{media_id}/edit", name="media.edit")
def edit(request: Request, user: CurrentUser, image: OwnImage, db: Db) -> Response:
    form: Form[media.About] = Form({"alt": image.alt, "caption": image.caption})
    return page(request, "media/edit.html", form=form, **whole(db, image, user))


@router.post("/{media_id}/edit", name="media.update")
def update(
    request: Request, user: CurrentUser, image: OwnImage, form: AboutForm, db: Db
) -> Response:
    with form.or_show("media/edit.html", **whole(db, image, user)):
        media.describe(db, image, form.data)
    return redirect(request, "media.index", say=_("Saved. Texts that show the image keep theirs."))


@router.get("/{media_id}/delete", name="media.delete")
def delete(request: Request, user: CurrentUser, image: OwnImage, db: Db) -> Response:
    return page(request, "media/delete.html", **whole(db, image, user))


@router.post("/{media_id}/delete", name="media.destroy")
def destroy(request: Request, image: OwnImage, db: Db) -> Response:
    media.delete(db, [image])
    return redirect(request, "media.index", say=_("“%(name)s” is deleted.", name=image.name))


@readable.get("/{media_id}/{name}", name="media.show")
def show(
    request: Request,
    media_id: str,
    name: str,
    session: CurrentSession,
    db: Db,
    w: Width = "",
) -> Response:
    """An image, or one of its widths. Who is asking matters only if it is not public."""
    seen = media_uses.find(db, as_id(media_id))
    if not seen.is_public:
        if session.is_unavailable:
            raise Unavailable
        media_uses.check_seen(db, seen, user_of(request, session, db))
    if f"/media/{media_id}/{name}" != media.url_of(seen.image):
        return redirect_to(request, media.url_of(seen.image) + f"?w={w}" * bool(w), status_code=301)
    return served(request, db, seen.image, w, is_public=seen.is_public)


def served(request: Request, db: Db, image: Media, w: str, *, is_public: bool) -> Response:
    """The file that shows an image in a width, the whole one if none is asked for.

    Raises:
        NotFound: it is not offered in that width, or there is no such file.
    """
    offered = {str(width): width for width in media_names.offered_widths(image.width)}
    width = offered.get(w) if w else image.width
    if width is None:
        raise NotFound
    headers = headers_of(image, width, is_public=is_public)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    release(db)
    data = request.app.state.storage.get(media.key(image.id, width))
    if data is None:
        raise NotFound
    return Response(data, media_type=image.content_type, headers=headers)


def headers_of(image: Media, width: int, *, is_public: bool) -> dict[str, str]:
    """Whatever is in the file, a browser that opens it by itself runs nothing. Pages of others and
    readers of feeds may show what is public."""
    return {
        "Cache-Control": PUBLIC if is_public else "private, no-store",
        "Content-Disposition": f'inline; filename="{image.name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin" if is_public else "same-origin",
        "ETag": f'"{image.id.hex}-{width}"',
    }


def as_id(media_id: str) -> UUID:
    try:
        return UUID(media_id)
    except ValueError:
        raise NotFound from None


def library(
    request: Request, user: Any, db: Db, q: str = "", of: str = "", before: str = ""
) -> dict[str, Any]:
    may_see_all = has_scopes(user, EDIT_ANY)
    of_all = of == "all" and may_see_all
    return {
        "found": media.latest(db, user, q, before, of_all=of_all),
        "room": media.room(db, user, request.app.state.settings),
        "q": q,
        "before": before,
        "of_all": of_all,
        "may_see_all": may_see_all,
        "wrong": [],
    }


def whole(db: Db, image: Media, user: Any) -> dict[str, Any]:
    return {"card": media.card_of(image), "places": media_uses.places_of(db, image, user)}

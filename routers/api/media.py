"""Images: the same library as on the site."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api_dependencies import CurrentPrincipal, api_guarded
from database import Db
from models import Media
from routers.api import media_shapes as shapes
from routers.receiving import add_one, api_uploader, received_from
from services import media, media_uses
from services.permissions import WRITE
from web.forms import MULTIPART
from web.json_bodies import body_of, checked
from web.uploads import Upload

router = api_guarded("/media", "Media", WRITE)

receive = received_from(api_uploader)
receive.body_model, receive.media_types = shapes.NewImage, (MULTIPART,)
receive.example = {"file": "@heron.jpg", "alt": "A heron on a pontoon"}
Received = Annotated[Upload, Depends(receive, scope="function")]
Described = Annotated[
    shapes.Description, Depends(body_of(shapes.Description, alt="A heron on a pontoon"))
]


def own_image(media_id: UUID, principal: CurrentPrincipal, db: Db) -> Media:
    """An image that they may describe and delete by the way that they are known.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: it is somebody else's.
    """
    return media_uses.find_own(db, media_id, principal.user, principal.scopes)


OwnImage = Annotated[Media, Depends(own_image)]


@router.get("", name="api.media.index", summary="List images")
def index(
    response: Response,
    principal: CurrentPrincipal,
    db: Db,
    q: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[str, Query(max_length=64)] = "",
) -> shapes.Images:
    """Your images, 30 at a time; only those with the words of `q` in name, `alt` or `caption`."""
    found = media.latest(db, principal.user, q, before)
    items = [shapes.of_image(image) for image in found.images]
    if not found.older:
        return shapes.Images(items=items)
    asked = {"q": q} if q else {}
    url = f"/api/v1/media?{urlencode(asked | {'before': found.older})}"
    response.headers["Link"] = f'<{url}>; rel="next"'
    return shapes.Images(items=items, next=url)


@router.post("", name="api.media.create", summary="Upload an image", status_code=201)
def create(
    request: Request, response: Response, principal: CurrentPrincipal, upload: Received
) -> shapes.Image:
    """As `multipart/form-data`. The same file again is the same image again.

    415 if it is no image, 422 if it is damaged or there is no room for it, 413 if it is too large.
    """
    image = add_one(request, principal.user, upload)
    response.headers["Location"] = f"/api/v1/media/{image.id}"
    return shapes.of_image(image)


@router.get("/{media_id}", name="api.media.show", summary="Look up an image")
def show(image: OwnImage) -> shapes.Image:
    """One of yours; of anybody's with `posts:edit_any`."""
    return shapes.of_image(image)


@router.patch("/{media_id}", name="api.media.update", summary="Describe an image")
def update(image: OwnImage, sent: Described, db: Db) -> shapes.Image:
    """Changes what you send. Texts that show the image keep what they say of it."""
    before = {"alt": image.alt, "caption": image.caption}
    media.describe(db, image, checked(media.About, before | sent.model_dump(exclude_unset=True)))
    return shapes.of_image(image)


@router.delete("/{media_id}", name="api.media.destroy", summary="Delete an image", status_code=204)
def destroy(image: OwnImage, db: Db) -> None:
    """For good. Texts that show it show a gap."""
    media.delete(db, [image])

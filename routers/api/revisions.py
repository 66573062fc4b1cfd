"""What a post said before, for programs."""

from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api_dependencies import CurrentPrincipal, api_guarded
from database import Db, release
from routers.api import post_shapes
from routers.api import revision_shapes as shapes
from routers.api.links import linked
from routers.api.loading import OwnPost
from routers.api.posts import answer
from routers.revisions import LARGEST, text_of
from services import histories, posts, restoring, texts
from services.permissions import WRITE

router = api_guarded("/posts/{slug}/revisions", "Posts", WRITE)

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Cursor = Annotated[int | None, Query(ge=0, le=LARGEST)]


@router.get("", name="api.revisions.index", summary="List the revisions of a post")
def index(
    response: Response,
    post: OwnPost,
    db: Db,
    before: Cursor = None,
    after: Cursor = None,
) -> shapes.Revisions:
    """Every text that was saved, the newest first, 20 at a time."""
    history = histories.page(db, post, before, after)
    address = f"/api/v1/posts/{post.slug}/revisions"
    links = linked(response, address, {}, history.older, history.newer)
    return shapes.Revisions(items=[shapes.of_entry(each) for each in history.entries], **links)


@router.get("/{number}", name="api.revisions.show", summary="Read a revision")
def show(post: OwnPost, db: Db, number: Number) -> shapes.WholeRevision:
    """The text as it was saved then."""
    return shapes.whole(histories.find(db, post, number))


@router.post("/{number}/restore", name="api.revisions.restore", summary="Restore a revision")
def restore(
    request: Request, principal: CurrentPrincipal, post: OwnPost, db: Db, number: Number
) -> post_shapes.Post:
    """Title, text, tags and series become those of then; the address stays. Of a published post
    they are staged: readers see them once you update it. What was there before is a revision too."""
    again = text_of(histories.find(db, post, number).revision.text, post)
    release(db)
    columns = texts.rendered(again)
    post = restoring.restore(db, post, again, principal.user, columns, scopes=principal.scopes)
    return answer(request, posts.page_of(db, post), principal)

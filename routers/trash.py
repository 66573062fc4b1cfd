"""The trash: what is in it, back from it, and gone for good."""

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentUser, guarded
from database import Db
from errors import NotFound
from languages import _
from models import Post
from routers.loading import OwnTrashedPost, find_own
from services import desk, trash
from services.permissions import WRITE
from web.templating import page, redirect

router = guarded("", WRITE)

Cursor = Annotated[str, Query(max_length=64)]


def thrown_away_post(slug: str, user: CurrentUser, db: Db) -> Post:
    """A post that lies in the trash, and that this person may edit. Raises NotFound or Gone."""
    post = find_own(db, slug, user)
    if not post.is_trashed:
        raise NotFound
    return post


ThrownAwayPost = Annotated[Post, Depends(thrown_away_post)]


@router.get("/trash", name="trash.index")
def index(
    request: Request, user: CurrentUser, db: Db, before: Cursor = "", after: Cursor = ""
) -> Response:
    shelf = desk.thrown_away(db, user, before, after)
    return page(request, "trash/index.html", shelf=shelf, kept_for=trash.KEPT_FOR)


@router.post("/posts/{slug}/restore", name="posts.restore")
def restore(request: Request, post: OwnTrashedPost, db: Db) -> Response:
    post = trash.restore(db, post)
    if post.is_public:
        return redirect(
            request, "posts.show", slug=post.slug, say=_("“%(title)s” is back.", title=post.title)
        )
    say = _("“%(title)s” is back, as a draft.", title=post.title)
    return redirect(request, "posts.edit", slug=post.slug, say=say)


@router.get("/trash/delete", name="trash.delete_all")
def delete_all(request: Request) -> Response:
    return page(request, "trash/delete_all.html")


@router.post("/trash/delete", name="trash.destroy_all")
def destroy_all(request: Request, user: CurrentUser, db: Db) -> Response:
    trash.empty(db, user)
    return redirect(request, "trash.index", say=_("The trash is empty."))


@router.get("/trash/{slug}/delete", name="trash.delete")
def delete(request: Request, post: ThrownAwayPost) -> Response:
    return page(request, "trash/delete.html", post=post)


@router.post("/trash/{slug}/delete", name="trash.destroy")
def destroy(request: Request, post: ThrownAwayPost, db: Db) -> Response:
    trash.delete_for_good(db, post)
    return redirect(
        request, "trash.index", say=_("“%(title)s” is gone for good.", title=post.title)
    )

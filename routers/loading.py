"""Posts loaded through permission: a route that declares one cannot forget the check."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

import auth_service
from auth_dependencies import CurrentUser
from database import SAFE_METHODS, Db
from errors import Forbidden, Gone, NotFound
from languages import _
from models import Post, Series, User
from services import names, posts, series
from services.permissions import can_edit, can_see


class AtAnotherAddress(Exception):
    """A page of a post was asked for by an old address; it is redirected to the newest."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def own_post(request: Request, slug: str, user: CurrentUser, db: Db) -> Post:
    """A post that this person may edit, from the trash too.

    Raises:
        NotFound: there is none that this person may see.
        Forbidden: it is public, and somebody else's.
    """
    post = find_own(db, slug, user)
    if post.slug != slug and request.method in SAFE_METHODS:
        page_of_it = request.scope["path"].removeprefix(f"/posts/{slug}")
        raise AtAnotherAddress(f"/posts/{post.slug}{page_of_it}")
    return post


def find_own(db: Db, slug: str, user: User, scopes: frozenset[str] | None = None) -> Post:
    """The same by any of its addresses; `scopes` are those of a token."""
    try:
        post = posts.find(db, slug)
    except posts.MovedPost as moved:
        post = moved.post
    if not can_edit(user, post, scopes):
        if can_see(user, post, scopes):
            raise Forbidden(_("Only its author may change this post. Nothing was changed."))
        raise NotFound
    if post.is_erased:
        raise Gone
    return post


def editable_post(post: Annotated[Post, Depends(own_post)]) -> Post:
    """As own_post, but not from the trash."""
    if post.is_trashed:
        raise NotFound
    return post


def own_series(slug: str, user: CurrentUser, db: Db) -> Series:
    """A series that this person may change.

    Raises:
        NotFound: there is none that this person may see.
        Forbidden: readers know it, and it is somebody else's.
    """
    found = series.by_slug(db, slug.lower())
    if can_edit(user, found):
        return found
    if series.has_public_parts(db, found):
        raise Forbidden(_("Only its author may change this series. Nothing was changed."))
    raise NotFound


OwnSeries = Annotated[Series, Depends(own_series)]
OwnPost = Annotated[Post, Depends(editable_post)]
OwnTrashedPost = Annotated[Post, Depends(own_post)]


def author_named(db: Db, username: str) -> User:
    """Who has this name, or had it until lately, in any case of letters; never those who have left.

    Raises as `names.successor`.
    """
    name = username.lower()
    found = auth_service.find_by_username(db, name) or names.successor(db, name)
    if found.is_nobody:
        raise NotFound
    return found

"""Posts: found by their addresses, and shown to those who may see them.

They are written in `writing.py` and thrown away in `trash.py`; readers' lists are in `streams.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import String, bindparam
from sqlmodel import Session, col, select

from errors import Gone, Moved, NotFound
from models import Post, Tag, User
from services import series, slugs, streams, tags
from services.permissions import can_see
from services.series import Place
from services.streams import Label


@dataclass(frozen=True)
class Page:
    """Everything that a post's page shows."""

    post: Post
    author: User
    tags: Sequence[Tag | Label]
    series: Place | None


def find(db: Session, slug: str) -> Post:
    """The post with this address, whatever its state.

    Raises:
        Moved: it is another address of a post, or the post's id.
        NotFound: no post ever had it.
    """
    post = db.exec(select(Post).where(Post.slug == slug.lower())).first()
    post = post or at_other_address(db, slug)
    if post.slug != slug:
        raise MovedPost(post)
    return post


def at_other_address(db: Session, slug: str) -> Post:
    """The post that had this address before, or has this id. Raises NotFound."""
    post_id = slugs.find_post_id(db, slug.lower()) or as_uuid(slug)
    post = db.get(Post, post_id) if post_id else None
    if post is None:
        raise NotFound
    return post


def get(db: Session, post_id: UUID) -> Post:
    """The post with this id, as it is stored now. Raises NotFound."""
    post = db.get(Post, post_id, populate_existing=True)
    if post is None:
        raise NotFound
    return post


def locked(db: Session, post_id: UUID) -> Post:
    """The same, and nobody else's to change until the transaction ends. Raises NotFound."""
    query = select(Post).where(Post.id == post_id).with_for_update()
    post = db.exec(query.execution_options(populate_existing=True)).first()
    if post is None:
        raise NotFound
    return post


class MovedPost(Moved):
    """As Moved, with the post, since only those who may see it may learn where it went."""

    def __init__(self, post: Post) -> None:
        super().__init__(post.slug)
        self.post = post


def show(
    db: Session,
    slug: str,
    reader: User | None,
    scopes: frozenset[str] | None = None,
    *,
    as_page: bool | None = None,
) -> Page:
    """What a reader gets for an address; `scopes` are those of a token, and `as_page` says whether
    it is an address of pages or one of posts, if that matters.

    Raises:
        NotFound: there is nothing, or nothing for this reader.
        Gone: it was public once and was thrown away.
        Moved: it is to be found at another address.
    """
    statement = whole(is_sqlite=streams.is_sqlite(db))
    row = db.execute(statement, {"slug": slug.lower()}).first()
    if row is None:
        post = at_other_address(db, slug)
        if post.slug == slug:  # it was given this address a moment ago
            raise NotFound
        hide(post, reader, scopes)
        raise MovedPost(post)
    post, author, labels = row
    hide(post, reader, scopes)
    if post.slug != slug or (as_page is not None and post.is_page is not as_page):
        raise MovedPost(post)
    return Page(post, author, streams.in_order(labels), series.place_of(db, post))


@cache
def whole(*, is_sqlite: bool) -> Any:
    """A post by its address, its author and its tags by one statement, which is built once."""
    return (
        select(Post, User, streams.labels_of(is_sqlite=is_sqlite))
        .join(User, col(User.id) == col(Post.author_id))
        .where(Post.slug == bindparam("slug", type_=String()))
    )


def page_of(db: Session, post: Post) -> Page:
    """A post with its author, tags and place in a series, whoever may see it."""
    author = db.get_one(User, post.author_id)
    return Page(post, author, tags.of_post(db, post.id), series.place_of(db, post))


def hide(post: Post, reader: User | None, scopes: frozenset[str] | None = None) -> None:
    """Raise Gone or NotFound for what this reader may not see."""
    if post.is_trashed and post.is_published:
        raise Gone
    if post.is_trashed or not can_see(reader, post, scopes):
        raise NotFound


def text_of(db: Session, post: Post, carried: Sequence[Tag] | None = None) -> dict[str, str]:
    """The author's working copy as form fields: what is staged, else what is there. `carried` are
    the tags of the post, for who knows them."""
    return public_text(db, post, carried) | (post.staged or {})


def public_text(db: Session, post: Post, carried: Sequence[Tag] | None = None) -> dict[str, str]:
    """The fields of what readers see, or would see if it were published."""
    shelf = {"series": series.title_of(db, post), "kind": "page" if post.is_page else "post"}
    if carried is None:
        carried = tags.of_post(db, post.id)
    names = ", ".join(tag.name for tag in carried)
    text = {"title": post.title, "content": post.content, "tags": names, "slug": post.slug}
    return shelf | text


def as_uuid(slug: str) -> UUID | None:
    try:
        return UUID(slug)
    except ValueError:
        return None

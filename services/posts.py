"""Posts: write, edit, publish, take back, throw away. Readers' lists are in `streams.py`."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict, Gone, Moved, NotFound, StaleVersion
from models import Post, Tag, User, now
from services import audit, slugs, tags
from services.permissions import can_see
from services.texts import NewPost, PostEdit, Text, rendered


@dataclass(frozen=True)
class Page:
    """Everything that a post's page shows."""

    post: Post
    author: User
    tags: list[Tag]


def create(db: Session, author: User, new: NewPost, columns: dict[str, Any] | None = None) -> Post:
    """Write a post, as a draft or published at once.

    The same form again, known by its idempotency key, gives the same post again. `columns` are
    what `rendered(new)` gives, for callers that have rendered before the transaction began.

    Raises:
        StaleVersion: the same key came with another text.
        Conflict: the address that the author asked for is another post's.
    """
    if twin := find_by_key(db, author, new.idempotency_key):
        return same(twin, new)
    post = Post(
        author_id=author.id,
        slug="",
        idempotency_key=new.idempotency_key or None,
        **(columns or rendered(new)),
    )
    if new.action == "publish":
        post.published_at = post.first_published_at = post.created_at
    try:
        with db.begin_nested():
            give_address(db, post, new)
            db.add(post)
    except IntegrityError:  # the same form, a moment earlier, on another connection
        if twin := find_by_key(db, author, new.idempotency_key):
            return same(twin, new)
        raise
    tags.put_on(db, post.id, tags.parse(new.tags))
    if post.is_published:
        note_publication(db, post, author)
    return post


def edit(
    db: Session,
    post: Post,
    change: PostEdit,
    columns: dict[str, Any] | None = None,
    editor: User | None = None,
) -> Post:
    """Save, publish or take back. Saving a published post changes nothing public: it is staged.

    Raises:
        StaleVersion: the post was changed since `change.version` was read.
        Conflict: it is in the trash, or the address asked for is another post's.
    """
    if post.is_trashed:
        raise Conflict({"title": "This post is in the trash. Restore it there, then save again."})
    next_version(db, post, change.version)
    if change.action == "save" and post.is_published:
        post.staged = change.model_dump(include=set(Text.model_fields))
    else:
        apply(db, post, change, columns or rendered(change))
        post.staged = None
    if change.action == "publish":
        publish(db, post, editor)
    elif change.action == "unpublish":
        post.published_at = None
    return post


def is_rendered_by(change: PostEdit, post: Post) -> bool:
    """Whether an edit changes what the page shows, so that its text must be rendered."""
    return change.action != "save" or not post.is_published


def trash(db: Session, post: Post) -> None:
    """Out of everybody's sight; it can still be restored. Twice is once."""
    move(db, post, now())


def restore(db: Session, post: Post) -> None:
    """Back from the trash, as it was. Twice is once."""
    move(db, post, None)


def find(db: Session, slug: str) -> Post:
    """The post with this address, whatever its state.

    Raises:
        Moved: it is another address of a post, or the post's id.
        NotFound: no post ever had it.
    """
    lower = slug.lower()
    post = db.exec(select(Post).where(Post.slug == lower)).first()
    if post is None:
        post_id = slugs.find_post_id(db, lower) or as_uuid(slug)
        post = db.get(Post, post_id) if post_id else None
    if post is None:
        raise NotFound
    if post.slug != slug:
        raise MovedPost(post)
    return post


def get(db: Session, post_id: UUID) -> Post:
    """The post with this id, as it is stored now. Raises NotFound."""
    post = db.get(Post, post_id, populate_existing=True)
    if post is None:
        raise NotFound
    return post


class MovedPost(Moved):
    """As Moved, with the post, since only those who may see it may learn where it went."""

    def __init__(self, post: Post) -> None:
        super().__init__(post.slug)
        self.post = post


def show(db: Session, slug: str, reader: User | None, scopes: frozenset[str] | None = None) -> Page:
    """What a reader gets for an address; `scopes` are those of a token.

    Raises:
        NotFound: there is nothing, or nothing for this reader.
        Gone: it was public once and was thrown away.
        Moved: it is to be found at another address.
    """
    try:
        post = find(db, slug)
    except MovedPost as moved:
        hide(moved.post, reader, scopes)
        raise
    hide(post, reader, scopes)
    return page_of(db, post)


def page_of(db: Session, post: Post) -> Page:
    """A post with its author and tags, whoever may see it."""
    return Page(post, db.get_one(User, post.author_id), tags.of_post(db, post.id))


def hide(post: Post, reader: User | None, scopes: frozenset[str] | None = None) -> None:
    """Raise Gone or NotFound for what this reader may not see."""
    if post.is_trashed and post.is_published:
        raise Gone
    if post.is_trashed or not can_see(reader, post, scopes):
        raise NotFound


def text_of(db: Session, post: Post) -> dict[str, str]:
    """The author's working copy as form fields: what is staged, else what is there."""
    if post.staged:
        return dict(post.staged)
    names = ", ".join(tag.name for tag in tags.of_post(db, post.id))
    return {"title": post.title, "content": post.content, "tags": names, "slug": post.slug}


def apply(db: Session, post: Post, text: Text, columns: dict[str, Any]) -> None:
    give_address(db, post, text)
    for name, value in columns.items():
        setattr(post, name, value)
    tags.put_on(db, post.id, tags.parse(text.tags))


def give_address(db: Session, post: Post, text: Text) -> None:
    """The one that the author asks for, or one made of the title, with a number if need be."""
    if text.slug and text.slug != post.slug:
        if not slugs.claim(db, post, text.slug):
            raise Conflict({"slug": "That address is taken. Please choose another."})
    elif not post.slug or (not post.was_published and title_has_changed(post, text)):
        slugs.claim_similar(db, post, slugs.slug_of(text.title))


def title_has_changed(post: Post, text: Text) -> bool:
    """Whether the address was made of the title, and the title is another one now."""
    old = slugs.slug_of(post.title)
    was_made_of_it = re.fullmatch(re.escape(old) + r"(-\d+|-[0-9a-f]{6})?", post.slug)
    return old != slugs.slug_of(text.title) and was_made_of_it is not None


def publish(db: Session, post: Post, editor: User | None) -> None:
    if not post.is_published:
        post.first_published_at = post.first_published_at or now()
        post.published_at = post.first_published_at
        note_publication(db, post, editor)


def note_publication(db: Session, post: Post, by: User | None) -> None:
    """It concerns the blog and nobody's account, so it names who did it, but no user."""
    who = by.username if by else ""
    audit.record(db, audit.POST_PUBLISHED, actor=by, title=post.title, slug=post.slug, username=who)


def next_version(db: Session, post: Post, seen: int) -> None:
    """Let one of several simultaneous edits win, on any database: the row counts its versions."""
    result = db.execute(
        update_rows(Post)
        .where(col(Post.id) == post.id, col(Post.version) == seen)
        .values(version=seen + 1, updated_at=now())
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleVersion(post.id)


def move(db: Session, post: Post, trashed_at: datetime | None) -> None:
    was = col(Post.trashed_at)
    is_elsewhere = was.is_(None) if trashed_at else was.is_not(None)
    db.execute(
        update_rows(Post)
        .where(col(Post.id) == post.id, is_elsewhere)
        .values(trashed_at=trashed_at, version=col(Post.version) + 1, updated_at=now())
        .execution_options(synchronize_session=False)
    )


def same(twin: Post, new: NewPost) -> Post:
    """The post that this form made before; StaleVersion if the form says something else now."""
    if (twin.title, twin.content) != (new.title, new.content):
        raise StaleVersion(twin.id)
    return twin


def find_by_key(db: Session, author: User, key: str) -> Post | None:
    if not key:
        return None
    mine = select(Post).where(Post.author_id == author.id, Post.idempotency_key == key)
    return db.exec(mine).first()


def as_uuid(slug: str) -> UUID | None:
    try:
        return UUID(slug)
    except ValueError:
        return None

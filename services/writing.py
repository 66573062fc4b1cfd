"""Writing: a post comes to be, and its text changes. Nothing that was saved is ever overwritten."""

import re
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from database import after_commit
from errors import Conflict, StaleVersion
from models import Post, User, now
from services import media_uses, pages, publishing, revisions, series, slugs, tags
from services.permissions import scopes_of
from services.texts import NewPost, PostEdit, Text, rendered


def create(
    db: Session,
    author: User,
    new: NewPost,
    columns: dict[str, Any] | None = None,
    *,
    zone: tzinfo = UTC,
    scopes: frozenset[str] | None = None,
) -> Post:
    """Write a post, as a draft or published at once or later; `zone` is that of `publish_at`.

    The same form again, known by its idempotency key, gives the same post again. `columns` are
    what `rendered(new)` gives, for callers that have rendered before the transaction began;
    `scopes` are those of a token, which may be fewer than those of the person.

    Raises:
        StaleVersion: the same key came with another text.
        Conflict: the address that the author asked for is another post's, the series another's.
        Invalid: it is to be published at a time that is none, see `publishing.moment_of`; or they
            may not make pages.
    """
    held = scopes_of(author) if scopes is None else scopes
    pages.check(new, held)
    if twin := find_by_key(db, author, new.idempotency_key):
        return same(twin, new)
    post = Post(
        author_id=author.id,
        slug="",
        is_page=new.kind == "page",
        idempotency_key=new.idempotency_key or None,
        **(columns or rendered(new)),
    )
    try:
        with db.begin_nested():
            give_address(db, post, new)
            db.add(post)
    except IntegrityError:  # the same form, a moment earlier, on another connection
        if twin := find_by_key(db, author, new.idempotency_key):
            return same(twin, new)
        raise
    tags.put_on(db, post.id, tags.parse(new.tags))
    series.put(db, post, new.series, author, held)
    if new.action == "publish":
        publishing.publish(db, post, author)
        post.published_at = post.first_published_at = post.created_at
    elif new.action == "schedule":
        publishing.schedule(db, post, publishing.moment_of(new.publish_at, zone), author)
    keep(db, post, new, author)
    return post


def edit(
    db: Session,
    post: Post,
    change: PostEdit,
    editor: User,
    columns: dict[str, Any] | None = None,
    *,
    zone: tzinfo = UTC,
    scopes: frozenset[str] | None = None,
) -> Post:
    """Save, publish, schedule or take back. Saving a published post changes nothing public: it is
    staged. `zone` is that of `publish_at`.

    Raises:
        StaleVersion: the post was changed since `change.version` was read.
        Conflict: it is in the trash, the address asked for is another post's, or the series
            another author's.
        Invalid: it is to be published at a time that is none, see `publishing.moment_of`; or they
            may not make pages.
    """
    held = scopes_of(editor) if scopes is None else scopes
    if post.is_trashed:
        raise Conflict({"title": "This post is in the trash. Restore it there, then save again."})
    pages.check(change, held, post)
    next_version(db, post, change.version)
    if change.action == "save" and post.is_published:
        post.staged = change.model_dump(include=set(Text.model_fields), exclude_none=True)
        series.find(db, post, change.series, editor, held)  # said now, not at the update
    else:
        apply(db, post, change, columns or rendered(change))
        series.put(db, post, change.series, editor, held)
        post.staged = None
    if change.action == "publish":
        publishing.publish(db, post, editor)
    elif change.action == "schedule":
        publishing.schedule(db, post, publishing.moment_of(change.publish_at, zone), editor)
    elif change.action == "unpublish":
        publishing.unpublish(post)
    keep(db, post, change, editor)
    return post


def is_rendered_by(change: PostEdit, post: Post) -> bool:
    """Whether an edit changes what the page shows, so that its text must be rendered."""
    return change.action != "save" or not post.is_published


def keep(db: Session, post: Post, text: NewPost | PostEdit, editor: User) -> None:
    """What follows from every text that somebody saved."""
    db.flush()  # the post must be there before what refers to it
    goes_out = text.action in ("publish", "schedule")
    after_commit(db, pages.CHANGED)
    kind = revisions.PUBLISHED if goes_out else revisions.SAVED
    revisions.add(db, post, revisions.as_revision(text, text.slug or post.slug), editor, kind)
    media_uses.note(db, post, editor)


def apply(db: Session, post: Post, text: Text, columns: dict[str, Any]) -> None:
    pages.turn(post, text)
    give_address(db, post, text)
    for name, value in columns.items():
        setattr(post, name, value)
    tags.put_on(db, post.id, tags.parse(text.tags))


def give_address(db: Session, post: Post, text: Text) -> None:
    """The one that the author asks for, or one made of the title, with a number if need be."""
    if post.is_page:
        pages.check_address(text.slug or post.slug)
    if text.slug and text.slug != post.slug:
        if not slugs.claim(db, post, text.slug):
            raise Conflict({"slug": "That address is taken. Please choose another."})
    elif not post.slug or (not post.was_published and title_has_changed(post, text)):
        slug_of = pages.slug_of if post.is_page else slugs.slug_of
        slugs.claim_similar(db, post, slug_of(text.title))


def title_has_changed(post: Post, text: Text) -> bool:
    """Whether the address was made of the title, and the title is another one now."""
    old = slugs.slug_of(post.title)
    was_made_of_it = re.fullmatch(re.escape(old) + r"(-\d+|-[0-9a-f]{6})?", post.slug)
    return old != slugs.slug_of(text.title) and was_made_of_it is not None


def next_version(db: Session, post: Post, seen: int) -> None:
    """Let one of several simultaneous edits win, on any database: the row counts its versions."""
    result = db.execute(
        update(Post)
        .where(col(Post.id) == post.id, col(Post.version) == seen)
        .values(version=seen + 1, updated_at=now())
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleVersion(post.id)


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

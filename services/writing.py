"""Writing: a post comes to be, and its text changes. Nothing that was saved is ever overwritten."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from database import after_commit
from errors import Conflict, StaleVersion
from languages import N_
from models import Post, Tag, User, now
from services import (
    announcements,
    autosaves,
    elsewhere,
    media_uses,
    pages,
    permalinks,
    posts,
    publishing,
    revisions,
    search,
    series,
    tags,
)
from services.permissions import scopes_of
from services.text import checked_line
from services.texts import LONGEST_TITLE, NewPost, PostEdit, Text, rendered


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
        Invalid: the address is one that the blog itself uses; it is to be published at a time that
            is none, see `publishing.moment_of`; or they may not make pages.
    """
    held = scopes_of(author) if scopes is None else scopes
    pages.check(new, held)
    columns = columns or rendered(new)
    appears = partial(publishing.first_moment, new.action, new.publish_at, zone)
    post, is_new = find_or_insert(db, author, new, new.idempotency_key, columns, appears)
    if not is_new:
        return again(db, post, new, author, columns, zone=zone, scopes=scopes)
    carried = tags.put_on(db, post.id, tags.parse(new.tags), is_new=True)
    series.put(db, post, new.series, author, held)
    publishing.note_new(db, post, author)
    announcements.note(db, None, announcements.shown(db, post))
    keep(db, post, author, scopes=held, carried=carried, is_new=True)
    return post


def begin(db: Session, author: User, key: str, title: str) -> tuple[Post, bool]:
    """The draft that goes with the key of a form, for autosaves; and whether it is new.

    It is empty, and has no revision: its author has not saved anything yet.
    """
    empty = Text.model_construct(title=fit_for_a_title(title), content="")
    return find_or_insert(db, author, empty, key, rendered(empty))


def edit(
    db: Session,
    post: Post,
    change: PostEdit,
    editor: User,
    columns: dict[str, Any] | None = None,
    *,
    zone: tzinfo = UTC,
    scopes: frozenset[str] | None = None,
    kind: str = "",
) -> Post:
    """Save, publish, schedule or take back. Saving a published post changes nothing public: it is
    staged. `zone` is that of `publish_at`.

    `kind` is that of the revision, if it is not just saved or published.

    Raises:
        StaleVersion: the post was changed since `change.version` was read.
        Conflict: it is in the trash, the address asked for is another post's, or the series
            another author's.
        Invalid: the address is one that the blog itself uses; it is to be published at a time that
            is none, see `publishing.moment_of`; or they may not make pages.
    """
    held = scopes_of(editor) if scopes is None else scopes
    if post.is_trashed:
        raise Conflict({"title": IN_TRASH})
    pages.check(change, held, post)
    next_version(db, post, change.version)
    before, carried = announcements.shown(db, post), None
    if change.action == "save" and post.is_published:
        stage(db, post, change)
        series.find(db, post, change.series, editor, held)  # said now, not at the update
    else:
        carried = apply(db, post, change, columns or rendered(change))
        series.put(db, post, change.series, editor, held)
        post.staged = None
    if change.action == "publish":
        publishing.publish(db, post, editor)
    elif change.action == "schedule":
        publishing.schedule(db, post, publishing.moment_of(change.publish_at, zone), editor)
    elif change.action == "unpublish":
        publishing.unpublish(post)
    announcements.note(db, before, announcements.shown(db, post))
    autosaves.forget(db, post, editor, change)
    keep(db, post, editor, kind, held, carried)
    return post


def is_rendered_by(change: PostEdit, post: Post) -> bool:
    """Whether an edit changes what the page shows, so that its text must be rendered."""
    return change.action != "save" or not post.is_published


def keep(
    db: Session,
    post: Post,
    editor: User,
    kind: str = "",
    scopes: frozenset[str] | None = None,
    carried: Sequence[Tag] | None = None,
    *,
    is_new: bool = False,
) -> None:
    """What follows from every text that somebody saved; `scopes` are those of a token, and
    `carried` the tags of the post, for who knows them. With `is_new` it is the first text of the
    post, and there is nothing that it could replace."""
    db.flush()  # the post must be there before what refers to it
    after_commit(db, pages.CHANGED)
    is_for_readers = post.is_published and not post.staged
    kind = kind or (revisions.PUBLISHED if is_for_readers else revisions.SAVED)
    revisions.add(db, post, posts.text_of(db, post, carried), editor, kind, is_new=is_new)
    media_uses.note(db, post, editor, scopes, is_new=is_new)
    if not post.staged:  # else nothing has changed for readers
        search.put(db, post, carried, is_new=is_new)


def stage(db: Session, post: Post, text: Text) -> None:
    """Let a text wait beside the one that readers see, unless it is the same."""
    permalinks.check(db, post, text)
    working = posts.text_of(db, post) | revisions.as_revision(text, text.slug or post.slug)
    is_public = revisions.is_same(working, posts.public_text(db, post))
    post.staged = None if is_public else working


def apply(db: Session, post: Post, text: Text, columns: dict[str, Any]) -> list[Tag]:
    """The tags that the post carries now."""
    before = seen(post, tags.of_post(db, post.id)) if post.was_published else None
    pages.turn(post, text)
    permalinks.give(db, post, text)
    for name, value in columns.items():
        setattr(post, name, value)
    carried = tags.put_on(db, post.id, tags.parse(text.tags))
    if before and seen(post, carried) != before:
        post.revised_at = now()
    return carried


def seen(post: Post, carried: list[Tag]) -> tuple[Any, ...]:
    """What of a text would be news to its readers."""
    return post.title, post.content, [tag.id for tag in carried]


def next_version(db: Session, post: Post, seen: int) -> None:
    """Let one of several simultaneous edits win, on any database: the row counts its versions."""
    result = db.execute(
        update(Post)
        .where(col(Post.id) == post.id, col(Post.version) == seen)
        .values(version=seen + 1, updated_at=now())
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleVersion(post.id)


def find_or_insert(
    db: Session,
    author: User,
    text: Text,
    key: str,
    columns: dict[str, Any],
    appears: Callable[[datetime], datetime | None] = lambda _: None,
) -> tuple[Post, bool]:
    """The post that was made with this key, else a new one; and whether it is new. `appears` says
    when readers see one that is made at this moment."""
    if twin := find_by_key(db, author, key):
        return twin, False
    made_at = now()
    seen_from = appears(made_at)
    post = Post(
        author_id=author.id,
        slug="",
        is_page=text.kind == "page",
        idempotency_key=key or None,
        indexer=search.INDEXER,  # which is told in the same transaction, and holds nothing of drafts
        created_at=made_at,
        updated_at=made_at,
        published_at=seen_from,
        first_published_at=seen_from,
        **columns,
    )
    try:
        with db.begin_nested() if key else nullcontext():  # only a key can be there already
            permalinks.give(db, post, text)
            db.add(post)
    except IntegrityError:  # the same form, a moment earlier, on another connection
        if twin := find_by_key(db, author, key):
            return twin, False
        raise
    return post, True


def again(
    db: Session, twin: Post, new: NewPost, author: User, columns: dict[str, Any], **more: Any
) -> Post:
    """The post that this form made before, or the draft that its autosaves began, with its text.

    Raises:
        StaleVersion: another text was saved there.
        Conflict: it is in the trash.
    """
    twin = posts.locked(db, twin.id)  # the same form may be on its way a second time
    if twin.is_trashed:
        raise Conflict({"title": IN_TRASH})
    first = elsewhere.first_save(db, twin)
    if first is None:
        action = "save" if new.action == "draft" else new.action
        fields = new.model_dump() | {"action": action, "version": twin.version}
        return edit(db, twin, PostEdit.model_construct(**fields), author, columns, **more)
    if (new.title, new.content) != (first["title"], first["content"]) or not tags.are_same(
        db, new.tags, first["tags"]
    ):
        raise StaleVersion(twin.id)
    return twin


IN_TRASH = N_("This post is in the trash. Restore it there, then save again.")


def fit_for_a_title(typed: str) -> str:
    try:
        return checked_line(typed, LONGEST_TITLE)
    except ValueError:
        return UNTITLED


UNTITLED = "Untitled"


def find_by_key(db: Session, author: User, key: str) -> Post | None:
    if not key:
        return None
    mine = select(Post).where(Post.author_id == author.id, Post.idempotency_key == key)
    return db.exec(mine).first()

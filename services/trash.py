"""The trash: out of everybody's sight for thirty days, and back, or gone for good."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, col, select

from database import after_commit
from errors import Gone
from models import (
    Autosave,
    MediaUse,
    Post,
    PostReferrer,
    PostTag,
    PostViews,
    Revision,
    Slug,
    User,
    now,
)
from services import announcements, pages, posts, publishing, search, streams

KEPT_FOR = timedelta(days=30)


def throw_away(db: Session, post: Post) -> None:
    """Out of everybody's sight; it can still be restored. Twice is once.

    A schedule ends here: nothing comes back from the trash and is public by surprise.
    """
    is_elsewhere = (col(Post.id) == post.id) & col(Post.trashed_at).is_(None)
    before = announcements.shown(db, post)
    search.remove(db, col(Post.id) == post.id)
    change_posts(db, is_elsewhere, trashed_at=now(), **publishing.unscheduled())
    announcements.note(db, before, None)


def restore(db: Session, post: Post) -> Post:
    """Back from the trash, as it was. Twice is once. Raises Gone: it was deleted for good."""
    post = posts.locked(db, post.id)
    if post.is_erased:
        raise Gone
    change_posts(db, (col(Post.id) == post.id) & is_waiting(), trashed_at=None)
    db.refresh(post)
    announcements.note(db, None, announcements.shown(db, post))
    search.put(db, post)
    return post


def delete_for_good(db: Session, post: Post) -> None:
    """Nobody gets it back. Nothing happens if it was restored a moment ago."""
    erase(db, (col(Post.id) == post.id) & col(Post.trashed_at).is_not(None))


def empty(db: Session, author: User) -> None:
    """The same for all that they have thrown away."""
    erase(db, (col(Post.author_id) == author.id) & is_waiting())


def is_waiting() -> ColumnElement[bool]:
    """Which posts can still be restored."""
    return col(Post.trashed_at).is_not(None) & (col(Post.title) != "")


def is_over() -> ColumnElement[bool]:
    """Which of them have waited long enough."""
    return is_waiting() & (col(Post.trashed_at) < now() - KEPT_FOR)


def erase(db: Session, which: ColumnElement[bool], **values: Any) -> None:
    """Delete texts and all that belongs to them.

    What readers cannot have seen goes entirely. Of the rest the row stays, empty: nobody gets its
    address, which answers 410 if it was public at last. `values` are for the rows that stay.
    """
    # Nothing is added to these meanwhile, and what else is thrown away by now stays out of it.
    ids = db.exec(select(Post.id).where(which).with_for_update()).all()
    which = col(Post.id).in_(ids)
    theirs = select(Post.id).where(which)
    search.remove(db, which)
    for model in (PostTag, Revision, Autosave, MediaUse, PostViews, PostReferrer):
        db.execute(delete(model).where(col(model.post_id).in_(theirs)))
    unseen = select(Post.id).where(which, ~streams.was_public())
    db.execute(delete(Slug).where(col(Slug.post_id).in_(unseen)))
    db.execute(delete(Post).where(col(Post.id).in_(unseen)))
    trashed_at = func.coalesce(col(Post.trashed_at), now())
    empty = dict.fromkeys(("title", "content", "html", "excerpt"), "")
    nothing = dict.fromkeys(EMPTIED) | publishing.unscheduled()
    change_posts(db, which, **empty, **nothing, word_count=0, trashed_at=trashed_at, **values)


EMPTIED = (
    "staged",
    "idempotency_key",
    "preview_token",
    "series_id",
    "series_position",
    "pinned_at",
    "revised_at",
)


def change_posts(db: Session, which: ColumnElement[bool], **values: Any) -> None:
    """Also under a new version, so that an edit begun before finds its post changed."""
    after_commit(db, pages.CHANGED)
    db.execute(
        update(Post)
        .where(which)
        .values(version=col(Post.version) + 1, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )

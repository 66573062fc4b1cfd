"""What waits on somebody's desk to be finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from models import Autosave, Post, User
from services import streams

MOST = 200


@dataclass(frozen=True)
class Draft:
    """A post with the title that its author gave it last; `is_unsaved`: by typing alone."""

    post: Post
    title: str
    touched_at: datetime
    is_unsaved: bool = False


def of_user(db: Session, user: User) -> list[Draft]:
    """Drafts, staged edits and whatever else this person is typing into, last touched first."""
    typed = {post_id: (title, at) for post_id, title, at in titles_typed(db, user)}
    waiting = streams.unpublished(db, user)
    known = {post.id for post in waiting}
    found = [
        as_draft(post, *typed.get(post.id, (None, None)))
        for post in [*waiting, *others(db, [id_ for id_ in typed if id_ not in known])]
    ]
    return sorted(found, key=lambda draft: draft.touched_at, reverse=True)[:MOST]


def titles_typed(db: Session, user: User) -> Sequence[tuple[UUID, str | None, datetime]]:
    """The post, the title and the time of what this person has not saved, without the texts."""
    title = col(Autosave.text)["title"].as_string()
    mine = select(Autosave.post_id, title, Autosave.saved_at).where(Autosave.user_id == user.id)
    return db.exec(mine.order_by(col(Autosave.saved_at).desc()).limit(MOST)).all()


def others(db: Session, post_ids: Sequence[UUID]) -> Sequence[Post]:
    """Posts that do not wait by themselves: published ones, and those of other authors."""
    if not post_ids:
        return []
    wanted = select(Post).where(col(Post.id).in_(post_ids), col(Post.trashed_at).is_(None))
    return db.exec(wanted).all()


def as_draft(post: Post, typed: str | None, typed_at: datetime | None) -> Draft:
    title = typed or (post.staged or {}).get("title") or post.title
    touched_at = max(post.updated_at, typed_at) if typed_at else post.updated_at
    return Draft(post, title, touched_at, is_unsaved=typed_at is not None)

"""What waits on somebody's desk to be finished."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case
from sqlmodel import Session, col, select

from models import Autosave, Post, User
from services import streams


@dataclass(frozen=True)
class Draft:
    """A post with the title that its author gave it last; `is_unsaved`: by typing alone."""

    post: Post
    title: str
    touched_at: datetime
    is_unsaved: bool = False


@dataclass(frozen=True)
class Drafts:
    """Those touched last come first; with the cursors of the pages beside this one."""

    drafts: list[Draft]
    older: str | None
    newer: str | None


def of_user(db: Session, user: User, before: str = "", after: str = "") -> Drafts:
    """Drafts, staged edits and whatever else this person is typing into.

    Raises NotFound: a cursor is none of ours.
    """
    typed_at, updated_at = col(Autosave.saved_at), col(Post.updated_at)
    touched_at = case((typed_at > updated_at, typed_at), else_=updated_at)
    typed_title = col(Autosave.text)["title"].as_string()
    theirs = (col(Autosave.post_id) == col(Post.id)) & (col(Autosave.user_id) == user.id)
    waits = (col(Post.author_id) == user.id) & streams.is_waiting()
    typed = select(Autosave.post_id).where(Autosave.user_id == user.id)
    query: Any = (
        select(Post, typed_title, typed_at)
        .outerjoin(Autosave, theirs)
        .where(waits | col(Post.id).in_(typed), col(Post.trashed_at).is_(None))
    )
    key = (touched_at, col(Post.id))
    rows, is_last, is_first = streams.window(db, query, key, before, after)
    found = [as_draft(*row) for row in rows]
    older = None if is_last else cursor(found[-1])
    return Drafts(found, older, None if is_first else cursor(found[0]))


def as_draft(post: Post, typed: str | None, typed_at: datetime | None) -> Draft:
    title = typed or (post.staged or {}).get("title") or post.title
    touched_at = max(post.updated_at, typed_at) if typed_at else post.updated_at
    return Draft(post, title, touched_at, is_unsaved=typed_at is not None)


def cursor(draft: Draft) -> str:
    return streams.cursor_of(draft.touched_at, draft.post.id)

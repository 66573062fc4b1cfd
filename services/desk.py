"""What an author has not published, and what they have thrown away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from models import Autosave, Post, User
from services import cursors, streams, trash


@dataclass(frozen=True)
class Shelf:
    """Posts, the one touched last first, and the cursors of the pages beside this one."""

    posts: Sequence[Post]
    older: str | None
    newer: str | None


def drafts(db: Session, author: User, before: str = "", after: str = "") -> Shelf:
    """Their drafts, scheduled posts and staged edits. Raises NotFound: a cursor is none of ours."""
    return shelf(db, select(Post).where(is_draft_of(author)), "updated_at", before, after)


def unfinished(db: Session, author: User, before: str = "", after: str = "") -> Shelf:
    """The same, and whatever else they are typing into and have not saved."""
    typed = select(Autosave.post_id).where(Autosave.user_id == author.id)
    is_typed = col(Post.id).in_(typed) & col(Post.trashed_at).is_(None)
    mine = select(Post).where(is_draft_of(author) | is_typed)
    return shelf(db, mine, "updated_at", before, after)


def is_draft_of(author: User) -> ColumnElement[bool]:
    return (col(Post.author_id) == author.id) & streams.is_waiting()


def thrown_away(db: Session, author: User, before: str = "", after: str = "") -> Shelf:
    """The same for what they may still restore."""
    mine = select(Post).where(Post.author_id == author.id, trash.is_waiting())
    return shelf(db, mine, "trashed_at", before, after)


def shelf(db: Session, query: Any, column: str, before: str, after: str) -> Shelf:
    key = (getattr(Post, column), col(Post.id))
    rows, is_last, is_first = cursors.window(db, query, key, before, after, streams.PER_PAGE)
    posts = [post for (post,) in rows]

    def cursor(post: Post) -> str:
        return cursors.cursor_of(getattr(post, column), post.id)

    older = None if is_last else cursor(posts[-1])
    return Shelf(posts, older, None if is_first else cursor(posts[0]))

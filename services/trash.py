"""The trash: out of everybody's sight, and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from database import after_commit
from models import Post, now
from services import pages, publishing


def throw_away(db: Session, post: Post) -> None:
    """Out of everybody's sight; it can still be restored. Twice is once.

    A schedule ends here: nothing comes back from the trash and is public by surprise.
    """
    move(db, post, now(), **publishing.unscheduled())


def restore(db: Session, post: Post) -> None:
    """Back from the trash, as it was. Twice is once."""
    move(db, post, None)


def move(db: Session, post: Post, trashed_at: datetime | None, **values: Any) -> None:
    after_commit(db, pages.CHANGED)
    was = col(Post.trashed_at)
    is_elsewhere = was.is_(None) if trashed_at else was.is_not(None)
    db.execute(
        update(Post)
        .where(col(Post.id) == post.id, is_elsewhere)
        .values(trashed_at=trashed_at, version=col(Post.version) + 1, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )

"""Pinned posts stand before all others on the front page."""

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from errors import Conflict
from languages import N_, _
from models import Post, Site, now
from services.streams import MOST_PINNED, is_listed


def pin(db: Session, post: Post) -> None:
    """Twice is once. Raises Conflict if it cannot be pinned, or enough others are."""
    if post.is_page or not post.is_published:
        raise Conflict({"pin": _("Only a published post can be pinned. Nothing was changed.")})
    db.exec(select(Site).with_for_update()).first()  # one pins at a time
    others = select(func.count()).where(
        is_listed(), col(Post.pinned_at).is_not(None), Post.id != post.id
    )
    if db.exec(others).one() >= MOST_PINNED:
        raise Conflict({"pin": _(ENOUGH, most=MOST_PINNED)})
    put(db, post, func.coalesce(col(Post.pinned_at), now()))


def unpin(db: Session, post: Post) -> None:
    put(db, post, None)


ENOUGH = N_(
    "%(most)s posts are pinned already. Unpin one of them first, on its page. Nothing was changed."
)


def put(db: Session, post: Post, pinned_at: object) -> None:
    """The text does not change, so neither does its version."""
    db.execute(
        update(Post).where(col(Post.id) == post.id).values(pinned_at=pinned_at),
        execution_options={"synchronize_session": False},
    )

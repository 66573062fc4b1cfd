"""What others do to a post while somebody writes in it."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from languages import _
from models import Autosave, Post, Revision, User, now
from services import revisions

# Whoever typed so lately is still at it.
AT_IT = timedelta(minutes=2)


def notice_for(db: Session, post: Post, user: User, base: int) -> str:
    """What whoever types should know of others, and of their own other tabs."""
    if post.version > base:
        who, _at = last_save(db, post)
        if who is None or who.id == user.id:
            return _("This post was saved elsewhere since. When you save, you will see both texts.")
        return _(
            "%(display_name)s has saved this post since. When you save, you will see both texts.",
            display_name=who.display_name,
        )
    others = (
        select(User.display_name)
        .join(Autosave, col(Autosave.user_id) == col(User.id))
        .where(Autosave.post_id == post.id, Autosave.user_id != user.id)
        .where(col(Autosave.saved_at) > now() - AT_IT)
    )
    name = db.exec(others.limit(1)).first()
    return _("%(name)s is writing in this post too.", name=name) if name else ""


def last_save(db: Session, post: Post) -> tuple[User | None, datetime | None]:
    """Who saved it last and when, as far as that is known."""
    query = (
        select(Revision.created_at, User)
        .outerjoin(User, col(User.id) == col(Revision.editor_id))
        .where(Revision.post_id == post.id, Revision.kind != revisions.AUTOSAVED)
        .order_by(col(Revision.number).desc())
    )
    found = db.execute(query.limit(1)).first()
    return (found[1], found[0]) if found else (None, None)


def first_save(db: Session, post: Post) -> dict[str, str] | None:
    """The text that was saved first; None if autosaves have made the post and nobody saved it."""
    saved = select(Revision.text).where(
        Revision.post_id == post.id, Revision.kind != revisions.AUTOSAVED
    )
    found = db.exec(saved.order_by(col(Revision.number)).limit(1)).first()
    return None if found is None else dict(found)

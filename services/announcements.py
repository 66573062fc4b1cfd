"""What a WebSub hub is to hear of: which feeds have changed, noted in the transaction that changes
them, so that nothing is lost; hubs.py tells it. Where no hub is set nothing is noted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from database import after_commit
from models import Announcement, Post, User, now
from services import tags

NOTED = "feeds changed"  # after the commit; listeners get nothing


@dataclass(frozen=True)
class Shown:
    """What feeds say of a post, and the feeds that it is in: by what stands before “/feed.xml”."""

    at: datetime
    revised_at: datetime | None
    slug: str
    prefixes: tuple[str, ...]


def shown(db: Session, post: Post) -> Shown | None:
    """None for what is in no feed, now or later, and where nobody is told of anything."""
    if not db.info.get("announces") or post.is_page or post.is_trashed:
        return None
    if not post.is_published:
        return None
    username = db.exec(select(User.username).where(col(User.id) == post.author_id)).one()
    of_tags = [f"/tags/{tag.slug}" for tag in tags.of_post(db, post.id)]
    assert post.published_at
    return Shown(
        post.published_at, post.revised_at, post.slug, ("", f"/users/{username}", *of_tags)
    )


def note(db: Session, before: Shown | None, after: Shown | None) -> None:
    """That feeds change from `before` to `after`: now, and at the moment when a post appears."""
    if before == after:
        return
    moment = now()
    was_read = before is not None and before.at <= moment
    moments = {moment} if was_read else set()
    if after:
        moments.add(max(after.at, moment))
    prefixes = dict.fromkeys(prefix for each in (before, after) if each for prefix in each.prefixes)
    db.add_all(
        Announcement(prefix=prefix, since=at, next_try_at=at)
        for at in moments
        for prefix in prefixes
    )
    after_commit(db, NOTED)

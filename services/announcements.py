"""What a WebSub hub is to hear of: which feeds have changed, noted in the transaction that changes
them, so that nothing is lost; hubs.py tells it. Where no hub is set nothing is noted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func
from sqlmodel import Session, col, select

from database import after_commit
from models import Announcement, Post, PostTag, Tag, User, now
from services import tags
from services.streams import is_listed

NOTED = "feeds changed"  # after the commit; listeners get nothing
OF_A_TAG = "/tags/"


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
    of_tags = [OF_A_TAG + tag.slug for tag in tags.of_post(db, post.id)]
    assert post.published_at
    return Shown(
        post.published_at, post.revised_at, post.slug, ("", f"/users/{username}", *of_tags)
    )


def note(db: Session, before: Shown | None, after: Shown | None) -> None:
    """That feeds change from `before` to `after`: now, and at the moment when a post appears. What
    was to appear later and was read by nobody is not told of any more."""
    if before == after:
        return
    moment = now()
    feeds: dict[datetime, dict[str, None]] = {}
    if before and before.at <= moment:
        feeds.setdefault(moment, {}).update(dict.fromkeys(before.prefixes))
    elif before:
        forget(db, before)
    if after:
        feeds.setdefault(max(after.at, moment), {}).update(dict.fromkeys(after.prefixes))
    db.add_all(
        Announcement(prefix=prefix, since=at, next_try_at=at)
        for at, prefixes in feeds.items()
        for prefix in prefixes
    )
    after_commit(db, NOTED)


def forget(db: Session, planned: Shown) -> None:
    """One row of each feed: others are of posts that appear at the same moment."""
    noted: Any = select(func.min(Announcement.id)).where(
        col(Announcement.since) == planned.at, col(Announcement.prefix).in_(planned.prefixes)
    )
    ids = db.exec(noted.group_by(col(Announcement.prefix))).all()
    db.execute(delete(Announcement).where(col(Announcement.id).in_(ids)))


def are_there(db: Session, prefixes: Iterable[str]) -> set[str]:
    """Those that lead to a feed: a tag without a post that readers see has none."""
    wanted = set(prefixes)
    of_tags = {each for each in wanted if each.startswith(OF_A_TAG)}
    has_posts = exists().where(
        col(PostTag.tag_id) == col(Tag.id), col(Post.id) == col(PostTag.post_id), is_listed()
    )
    slugs = [each.removeprefix(OF_A_TAG) for each in of_tags]
    shown = select(Tag.slug).where(col(Tag.slug).in_(slugs), has_posts.correlate(Tag))
    return wanted - of_tags | {OF_A_TAG + slug for slug in db.exec(shown)}

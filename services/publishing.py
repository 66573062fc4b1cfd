"""Publishing: from which moment readers see a post, and that they no longer do."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import case
from sqlmodel import Session, col

from errors import Invalid
from languages import _
from models import Post, User, now
from services import audit, zones

# The field counts in minutes, so the one that has begun is no mistake: that post is public at once.
GRACE = timedelta(minutes=1)
FURTHEST = timedelta(days=3653)


def first_moment(action: str, publish_at: str, zone: tzinfo, moment: datetime) -> datetime | None:
    """When readers see a post that is made at this moment; None if it is a draft.

    Raises as `moment_of`.
    """
    if action == "draft":
        return None
    return moment if action == "publish" else max(moment_of(publish_at, zone), moment)


def note_new(db: Session, post: Post, author: User) -> None:
    """That a new post was published, or is going to be."""
    if post.is_scheduled:
        at: Any = post.published_at
        note(db, audit.POST_SCHEDULED, post, author, time=zones.appointment(at))
    elif post.is_published:
        note(db, audit.POST_PUBLISHED, post, author)


def publish(db: Session, post: Post, editor: User | None) -> None:
    """Let readers see it, now. What they have seen before keeps its date."""
    if post.is_public:
        return
    if not post.was_published:
        post.first_published_at = now()
    post.published_at = post.first_published_at
    note(db, audit.POST_PUBLISHED, post, editor)


def schedule(db: Session, post: Post, at: datetime, editor: User | None) -> None:
    """Let readers see it from a moment on. What was public until now is hidden until then."""
    if at <= now():
        publish(db, post, editor)
        return
    if not post.was_published:
        post.first_published_at = at
    post.published_at = at
    note(db, audit.POST_SCHEDULED, post, editor, time=zones.appointment(at))


def unpublish(post: Post) -> None:
    """Make a draft of it again."""
    post.published_at = None
    if not post.was_published:
        post.first_published_at = None


def unscheduled() -> dict[str, Any]:
    """For an UPDATE: what is still to appear becomes a draft, everything else stays as it is."""
    columns = {
        "published_at": col(Post.published_at),
        "first_published_at": col(Post.first_published_at),
    }
    return {name: case((at > now(), None), else_=at) for name, at in columns.items()}


def moment_of(typed: str, zone: tzinfo) -> datetime:
    """When a post is to appear, in this zone; `typed` without an offset is a time there.

    Raises:
        Invalid: it is missing, cannot be read, is skipped by clocks, past, or too far away.
    """
    try:
        return checked(typed.strip(), zone)
    except ValueError as error:
        raise Invalid({"publish_at": str(error)}) from None


def checked(typed: str, zone: tzinfo) -> datetime:
    if not typed:
        raise ValueError(_("Please say when it is to appear."))
    at, today = zones.read(typed, zone), now().astimezone(zone)
    if at < today - GRACE:
        raise ValueError(
            _(
                "%(at)s, %(at2)s is over: it is %(today)s now. Please choose a time that is still to come, or publish at once.",
                at=zones.day(at),
                at2=zones.clock(at),
                today=zones.appointment(today),
            )
        )
    if at > today + FURTHEST:
        raise ValueError(_("That is more than ten years away. Please choose an earlier time."))
    return at


def note(db: Session, action: str, post: Post, by: User | None, **more: Any) -> None:
    """It concerns the blog and nobody's account, so it names who did it, but no user."""
    who = by.username if by else ""
    audit.record(db, action, actor=by, title=post.title, slug=post.slug, username=who, **more)

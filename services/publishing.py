"""Publishing: from which moment readers see a post, and that they no longer do."""

from datetime import datetime

from sqlmodel import Session

from models import Post, User, now
from services import audit


def publish(db: Session, post: Post, editor: User | None) -> None:
    """Let readers see it, now. What they have seen before keeps its date."""
    if post.is_public:
        return
    moment = now()
    if not post.was_published:
        post.first_published_at = moment
    post.published_at = post.first_published_at
    note(db, post, editor)


def schedule(db: Session, post: Post, at: datetime, editor: User | None) -> None:
    """Let readers see it from a moment on."""
    if not post.was_published:
        post.first_published_at = at
    post.published_at = at
    note(db, post, editor)


def unpublish(post: Post) -> None:
    """Make a draft of it again."""
    post.published_at = None
    if not post.was_published:
        post.first_published_at = None


def note(db: Session, post: Post, by: User | None) -> None:
    """It concerns the blog and nobody's account, so it names who did it, but no user."""
    who = by.username if by else ""
    audit.record(db, audit.POST_PUBLISHED, actor=by, title=post.title, slug=post.slug, username=who)

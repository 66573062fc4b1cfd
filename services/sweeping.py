"""What is over goes: a few rows at a time, so that nobody waits for it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, inspect, select, tuple_
from sqlmodel import Session, SQLModel, col

from database import Database
from models import (
    Announcement,
    AuditEvent,
    Invitation,
    Login,
    Mail,
    MailToken,
    Post,
    PostReferrer,
    PostTag,
    PostViews,
    RefreshToken,
    RetiredName,
    Series,
    StoredSession,
    Tag,
    TagAlias,
    Throttle,
    now,
)
from services import trash, visitors
from settings import Settings

BATCH, POSTS_AT_ONCE = 500, 20
MOST_BATCHES = 20  # of each table; the rest goes next time
KEPT = timedelta(days=30)  # what somebody may still want to look up
EMPTY_SERIES_KEPT = timedelta(days=1)  # a name that was mistyped, mostly


def sweep(database: Database, settings: Settings) -> int:
    """Delete what has expired; how many rows that were. Several processes may do it at once."""
    swept = sum(
        delete_all(database, model, is_over) for model, is_over in what_is_over(settings, now())
    )
    visitors.forget(database, visitors.first_kept(now(), settings.zone))
    return swept + empty_trashes(database)


def what_is_over(
    settings: Settings, moment: datetime
) -> Iterator[tuple[type[SQLModel], ColumnElement[bool]]]:
    """Each table, and which of its rows."""
    past = moment - KEPT
    yield Login, col(Login.expires_at) < moment
    yield StoredSession, col(StoredSession.expires_at) < moment
    yield Throttle, col(Throttle.expires_at) < moment
    yield MailToken, col(MailToken.expires_at) < moment
    yield RefreshToken, col(RefreshToken.expires_at) < moment
    yield RetiredName, col(RetiredName.until) < moment
    yield Invitation, (col(Invitation.expires_at) < past) | (col(Invitation.used_at) < past)
    yield Mail, (col(Mail.created_at) < past) & col(Mail.next_try_at).is_(None)
    yield Announcement, col(Announcement.since) < past  # of a hub that is no more
    yield AuditEvent, col(AuditEvent.at) < moment - timedelta(days=settings.audit_days)
    first_day = visitors.day_of(moment, settings.zone) - timedelta(days=settings.view_days)
    yield PostViews, col(PostViews.day) < first_day
    yield PostReferrer, col(PostReferrer.day) < first_day
    # Texts that wait may still say what a tag was called, so a tag with an old name stays.
    is_carried = exists().where(col(PostTag.tag_id) == col(Tag.id))
    had_names = exists().where(col(TagAlias.tag_id) == col(Tag.id))
    yield Tag, ~is_carried & ~had_names
    has_parts = exists().where(col(Post.series_id) == col(Series.id))
    a_while_ago = col(Series.created_at) < moment - EMPTY_SERIES_KEPT
    yield Series, a_while_ago & (col(Series.description) == "") & ~has_parts


def delete_all(database: Database, model: type[SQLModel], is_over: ColumnElement[bool]) -> int:
    parts = inspect(model).primary_key
    key: Any = parts[0] if len(parts) == 1 else tuple_(*parts)

    def end(db: Session, keys: Sequence[Any]) -> None:
        # What somebody has made use of meanwhile stays.
        db.execute(delete(model).where(key.in_(keys), is_over))

    return in_batches(database, select(*parts).where(is_over).limit(BATCH), end)


def empty_trashes(database: Database) -> int:
    """Posts that nobody wanted back for thirty days."""

    def end(db: Session, ids: Sequence[Any]) -> None:
        trash.erase(db, col(Post.id).in_(ids) & trash.is_over())

    some = select(col(Post.id)).where(trash.is_over()).limit(POSTS_AT_ONCE)
    return in_batches(database, some, end)


def in_batches(
    database: Database, some: Select[Any], end: Callable[[Session, Sequence[Any]], None]
) -> int:
    """Let `end` do away with the rows that `some` finds, until there are none or it is enough."""
    free = some.with_for_update(skip_locked=True)  # two that sweep at once never wait
    total = 0
    for _ in range(MOST_BATCHES):
        if not finds_any(database, some):
            break
        with database.writing() as db:
            # Not as one statement: PostgreSQL may run its inner query, and so its limit, many times.
            rows = db.execute(free).all()
            keys = [row[0] if len(row) == 1 else tuple(row) for row in rows]
            end(db, keys)
        total += len(keys)
    return total


def finds_any(database: Database, some: Select[Any]) -> bool:
    """Asked first: it takes no lock, and usually there is nothing."""
    with database.reading() as db:
        return db.execute(some.limit(1)).first() is not None

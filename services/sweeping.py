"""What is over goes: a few rows at a time, so that nobody waits for it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, inspect, select
from sqlmodel import SQLModel, col

from database import Database
from models import (
    AuditEvent,
    Invitation,
    Login,
    Mail,
    MailToken,
    Post,
    PostTag,
    RefreshToken,
    RetiredName,
    Series,
    StoredSession,
    Tag,
    TagAlias,
    Throttle,
    now,
)
from settings import Settings

BATCH = 500
MOST_BATCHES = 20  # of each table; the rest goes next time
KEPT = timedelta(days=30)  # what somebody may still want to look up
EMPTY_SERIES_KEPT = timedelta(days=1)  # a name that was mistyped, mostly


def sweep(database: Database, settings: Settings) -> int:
    """Delete what has expired; how many rows that were. Several processes may do it at once."""
    return sum(
        delete_all(database, model, is_over) for model, is_over in what_is_over(settings, now())
    )


def what_is_over(
    settings: Settings, moment: datetime
) -> Iterator[tuple[type[SQLModel], ColumnElement[bool]]]:
    """Each table, and which of its rows. Posts stay: the trash is their author's to empty."""
    past = moment - KEPT
    yield Login, col(Login.expires_at) < moment
    yield StoredSession, col(StoredSession.expires_at) < moment
    yield Throttle, col(Throttle.expires_at) < moment
    yield MailToken, col(MailToken.expires_at) < moment
    yield RefreshToken, col(RefreshToken.expires_at) < moment
    yield RetiredName, col(RetiredName.until) < moment
    yield Invitation, (col(Invitation.expires_at) < past) | (col(Invitation.used_at) < past)
    yield Mail, (col(Mail.created_at) < past) & col(Mail.next_try_at).is_(None)
    yield AuditEvent, col(AuditEvent.at) < moment - timedelta(days=settings.audit_days)
    # Texts that wait may still say what a tag was called, so a tag with an old name stays.
    is_carried = exists().where(col(PostTag.tag_id) == col(Tag.id))
    had_names = exists().where(col(TagAlias.tag_id) == col(Tag.id))
    yield Tag, ~is_carried & ~had_names
    has_parts = exists().where(col(Post.series_id) == col(Series.id))
    a_while_ago = col(Series.created_at) < moment - EMPTY_SERIES_KEPT
    yield Series, a_while_ago & (col(Series.description) == "") & ~has_parts


def delete_all(database: Database, model: type[SQLModel], is_over: ColumnElement[bool]) -> int:
    [key] = inspect(model).primary_key
    some = select(key).where(is_over).limit(BATCH)
    free = some.with_for_update(skip_locked=True)  # two that sweep at once never wait
    total = 0
    for _ in range(MOST_BATCHES):
        if not finds_any(database, some):
            break
        with database.writing() as db:
            # Not as one statement: PostgreSQL may run its inner query, and so its limit, many times.
            keys = db.scalars(free).all()
            # What somebody has made use of meanwhile stays.
            db.execute(delete(model).where(key.in_(keys), is_over))
        total += len(keys)
    return total


def finds_any(database: Database, some: Select[Any]) -> bool:
    """Asked first: it takes no lock, and usually there is nothing."""
    with database.reading() as db:
        return db.execute(some.limit(1)).first() is not None

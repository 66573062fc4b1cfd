"""Lists of posts, newest first, by keyset: the thousandth page costs what the first does."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, select

from errors import NotFound
from models import Post, PostTag, PublicVersion, Tag, User, now
from services import tags

PER_PAGE = 20
MOST_PINNED = 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One line of a list: only the columns that it shows."""

    id: UUID
    slug: str
    title: str
    excerpt: str
    word_count: int
    published_at: datetime
    revised_at: datetime | None
    username: str
    author: str
    tags: list[Tag] = field(default_factory=list)

    @property
    def changed_at(self) -> datetime:
        """As `Post.changed_at`."""
        return max(filter(None, (self.published_at, self.revised_at)))

    @property
    def path(self) -> str:
        return f"/posts/{self.slug}"


@dataclass(frozen=True)
class Stream:
    """A page of a list, and the cursors of the pages beside it."""

    entries: list[Entry]
    older: str | None = None
    newer: str | None = None
    pinned: list[Entry] = field(default_factory=list)


def is_public() -> ColumnElement[bool]:
    """The one condition that decides what strangers see. Every public query goes through it."""
    return (col(Post.published_at) <= now()) & col(Post.trashed_at).is_(None)


def was_public() -> ColumnElement[bool]:
    """Whether strangers can have seen it at some time. Never unknown, so it can be negated."""
    first = col(Post.first_published_at)
    return first.is_not(None) & (first <= now())


def is_waiting() -> ColumnElement[bool]:
    """What strangers will or may see one day: drafts, what is scheduled, and staged changes."""
    is_not_yet = col(Post.published_at).is_(None) | (col(Post.published_at) > now())
    return (is_not_yet | col(Post.staged).is_not(None)) & col(Post.trashed_at).is_(None)


def is_meant_for_readers() -> ColumnElement[bool]:
    """What strangers see, or will see when its moment comes."""
    return col(Post.published_at).is_not(None) & col(Post.trashed_at).is_(None)


def is_listed() -> ColumnElement[bool]:
    """What of it stands in lists: posts, not pages."""
    return is_public() & col(Post.is_page).is_(False)


@dataclass(frozen=True)
class Outlook:
    """The version of what readers see, and when it changes and changed by the clock alone."""

    version: int
    next_at: datetime | None
    last_at: datetime | None


def outlook(db: Session) -> Outlook:
    at, moment = col(Post.published_at), now()
    kept = select(at).where(col(Post.trashed_at).is_(None)).limit(1)
    coming = kept.where(at > moment).order_by(at).scalar_subquery()
    last = kept.where(at <= moment).order_by(at.desc()).scalar_subquery()
    version = select(PublicVersion.version).scalar_subquery()
    found = db.execute(select(version, coming, last)).one()
    return Outlook(found[0] or 0, found[1], found[2])


def front_page(db: Session, before: str = "", after: str = "", per_page: int = PER_PAGE) -> Stream:
    """As `latest`, but pinned posts come first: on the first page, and nowhere else."""
    pinned = with_tags(db, pinned_entries(db))
    others = is_listed() & col(Post.id).not_in([entry.id for entry in pinned])
    stream = page(db, others, before, after, per_page)
    is_first = stream.newer is None and not before
    return replace(stream, pinned=pinned) if is_first else stream


def latest(db: Session, before: str = "", after: str = "", per_page: int = PER_PAGE) -> Stream:
    return page(db, is_listed(), before, after, per_page)


def by_author(
    db: Session, author: User, before: str = "", after: str = "", per_page: int = PER_PAGE
) -> Stream:
    theirs = is_listed() & (col(Post.author_id) == author.id)
    return page(db, theirs, before, after, per_page)


def by_tag(
    db: Session, tag: Tag, before: str = "", after: str = "", per_page: int = PER_PAGE
) -> Stream:
    """One index has these in their order: `post_tags.listed_at` is what the posts themselves say."""
    key = (col(PostTag.listed_at), col(PostTag.post_id))
    tagged = lines().join(PostTag, col(PostTag.post_id) == Post.id)
    under_it = (col(PostTag.tag_id) == tag.id) & (key[0] <= now()) & is_listed()
    return page_of(db, tagged.where(under_it), key, before, after, per_page)


def page(
    db: Session, wanted: ColumnElement[bool], before: str, after: str, per_page: int = PER_PAGE
) -> Stream:
    key = (col(Post.published_at), col(Post.id))
    return page_of(db, lines().where(wanted), key, before, after, per_page)


def page_of(
    db: Session,
    query: Any,
    key: tuple[Any, Any],
    before: str,
    after: str,
    per_page: int = PER_PAGE,
) -> Stream:
    """Up to `per_page` entries older than `before`, or newer than `after`, newest first.

    Raises:
        NotFound: a cursor is not one that we gave.
    """
    rows, is_last, is_first = window(db, query, key, before, after, per_page)
    entries = [Entry(*row) for row in rows]
    return Stream(
        with_tags(db, entries),
        older=None if is_last else cursor(entries[-1]),
        newer=None if is_first else cursor(entries[0]),
    )


def window(
    db: Session,
    query: Any,
    key: tuple[Any, Any],
    before: str,
    after: str,
    per_page: int = PER_PAGE,
) -> tuple[Sequence[Any], bool, bool]:
    """Up to `per_page` rows beside a cursor, by a moment and an id, the newest first; whether they are the
    last ones, and whether they are the first. Raises NotFound."""
    backwards = bool(after) and not before
    if before:
        query = query.where(tuple_(*key) < position(before))
    elif after:
        query = query.where(tuple_(*key) > position(after))
    query = query.order_by(*(key if backwards else (part.desc() for part in key)))
    found = db.execute(query.limit(per_page + 1)).all()
    rows, has_more = found[:per_page], len(found) > per_page
    if backwards:
        return rows[::-1], not rows, not has_more
    return rows, not has_more, not (before and rows)


def pinned_entries(db: Session) -> list[Entry]:
    chosen = lines().where(is_listed(), col(Post.pinned_at).is_not(None))
    order = (col(Post.pinned_at).desc(), col(Post.id))
    return [Entry(*row) for row in db.execute(chosen.order_by(*order).limit(MOST_PINNED))]


def lines() -> Any:
    return select(*COLUMNS).join(User, col(User.id) == col(Post.author_id))


def with_tags(db: Session, entries: list[Entry]) -> list[Entry]:
    found = tags.of_posts(db, [entry.id for entry in entries]) if entries else {}
    for entry in entries:
        entry.tags.extend(found[entry.id])
    return entries


COLUMNS: tuple[Any, ...] = (
    Post.id,
    Post.slug,
    Post.title,
    Post.excerpt,
    Post.word_count,
    Post.published_at,
    Post.revised_at,
    User.username,
    User.display_name,
)


def cursor(entry: Entry) -> str:
    return cursor_of(entry.published_at, entry.id)


def cursor_of(moment: datetime, row_id: UUID) -> str:
    """A place in a list: microseconds since 1970 and the row's id, for an address."""
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(micros.to_bytes(8) + row_id.bytes).decode()


def newest(
    db: Session, query: Any, table: Any, before: str, per_page: int
) -> tuple[Sequence[Any], str | None]:
    """Rows of a table with `created_at` and `id`, made last or before a cursor; and the cursor of
    what is older, if anything is. Raises NotFound: the cursor is none of ours."""
    key = (col(table.created_at), col(table.id))
    if before:
        query = query.where(tuple_(*key) < position(before))
    found = db.exec(query.order_by(*(part.desc() for part in key)).limit(per_page + 1)).all()
    last = found[per_page - 1] if len(found) > per_page else None
    return found[:per_page], cursor_of(last.created_at, last.id) if last else None


def position(cursor: str) -> Any:
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        moment = EPOCH + timedelta(microseconds=int.from_bytes(raw[:8]))
        place = (moment, UUID(bytes=raw[8:]))
    except (ValueError, OverflowError):
        raise NotFound from None
    return tuple_(*place)

"""Lists of posts, newest first: who may see them, and what their lines show."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Uuid,
    bindparam,
    cast,
    false,
    func,
    true,
    tuple_,
    union_all,
)
from sqlmodel import Session, col, select

from models import Post, PostTag, PublicVersion, Tag, User, UtcDateTime, now
from services.cursors import cursor_of, place_of, split

PER_PAGE = 20
MOST_PINNED = 5
MOST_KEPT = 4000  # lines, of half a KB each
Which = Literal["front", "all", "author", "tag"]
Side = Literal["", "before", "after"]


class Label(NamedTuple):
    """A tag, as readers see it."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a list: only the columns that it shows. The same line is the same object."""

    key: str  # the id as this database writes it
    slug: str
    title: str
    excerpt: str
    word_count: int
    published_at: datetime
    revised_at: datetime | None
    username: str
    author: str
    tags: tuple[Label, ...]

    @cached_property
    def id(self) -> UUID:
        return UUID(self.key)

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


def is_public(until: Any = None) -> ColumnElement[bool]:
    """The one condition that decides what strangers see. Every public query goes through it.

    `until` is for what is published before a moment of the past: SQLite looks for one end of a
    range only, and would begin today if it were told of both.
    """
    until = this_moment() if until is None else until
    is_out: ColumnElement[bool] = col(Post.published_at) <= until
    return is_out & col(Post.trashed_at).is_(None)


def this_moment() -> ColumnElement[datetime]:
    """For a query that is built once: the moment at which it is asked."""
    return bindparam(None, callable_=now, type_=UtcDateTime())


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


def is_listed(until: Any = None) -> ColumnElement[bool]:
    """What of it stands in lists: posts, not pages."""
    return is_public(until) & col(Post.is_page).is_(False)


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
    found = ask(db, "front", before, after, per_page + MOST_PINNED)
    chosen = sorted((row for row in found if row.is_pinned), key=lambda row: row.key)
    chosen.sort(key=lambda row: row.pinned_at, reverse=True)
    keys = {row.key for row in chosen}
    others = [row for row in found if row.key not in keys]
    others.sort(key=lambda row: (row.published_at, row.key), reverse=before != "" or after == "")
    stream = stream_of(others[: per_page + 1], before, after, per_page)
    is_first = stream.newer is None and not before
    return replace(stream, pinned=[entry_of(row) for row in chosen]) if is_first else stream


def latest(db: Session, before: str = "", after: str = "", per_page: int = PER_PAGE) -> Stream:
    return stream_of(ask(db, "all", before, after, per_page), before, after, per_page)


def by_author(
    db: Session, author: User, before: str = "", after: str = "", per_page: int = PER_PAGE
) -> Stream:
    found = ask(db, "author", before, after, per_page, author_id=author.id)
    return stream_of(found, before, after, per_page)


def by_tag(
    db: Session, tag: Tag, before: str = "", after: str = "", per_page: int = PER_PAGE
) -> Stream:
    found = ask(db, "tag", before, after, per_page, tag_id=tag.id)
    return stream_of(found, before, after, per_page)


def ask(
    db: Session, which: Which, before: str, after: str, per_page: int, **ids: Any
) -> Sequence[Any]:
    """The rows of a page by one statement, and one more if there is any. Raises NotFound."""
    values = {**ids, "most": per_page + 1}
    if place := before or after:
        values["moment"], values["row_id"] = place_of(place)
    if before:
        values["until"] = min(values["moment"], now())
    side: Side = "before" if before else "after" if after else ""
    statement = query(which, side, is_sqlite=is_sqlite(db))
    # Of the connection itself: a list has no use for what the ORM adds to rows.
    return db.connection().execute(statement, values).all()


def stream_of(found: Sequence[Any], before: str, after: str, per_page: int) -> Stream:
    rows, is_last, is_first = split(found, before, after, per_page)
    entries = [entry_of(row) for row in rows]
    return Stream(
        entries,
        older=None if is_last else cursor(entries[-1]),
        newer=None if is_first else cursor(entries[0]),
    )


def entry_of(row: Any) -> Entry:
    return entry_with(*row[: len(COLUMNS) + 1])


@lru_cache(MOST_KEPT)
def entry_with(*values: Any) -> Entry:
    """Known by what is in it: most lines of a page were read, and set, a moment ago."""
    return Entry(*(*values[:-1], in_order(values[-1])))


def in_order(labels: str | None) -> tuple[Label, ...]:
    """What `labels_of` found. PostgreSQL has nothing where SQLite has an empty list."""
    return tuple(Label(*label) for _, *label in sorted(json.loads(labels or "[]")))


@cache
def query(which: Which, side: Side, *, is_sqlite: bool) -> Any:
    """Built once: that takes longer than most of these queries themselves."""
    key = (col(Post.published_at), col(Post.id))
    until = bindparam("until", type_=UtcDateTime()) if side == "before" else this_moment()
    listed = lines(is_sqlite=is_sqlite).where(is_listed(until))
    if which == "author":
        listed = listed.where(col(Post.author_id) == bindparam("author_id", type_=Uuid()))
    elif which == "tag":
        # One index has these in their order: `listed_at` is what the posts themselves say.
        key = (col(PostTag.listed_at), col(PostTag.post_id))
        listed = (
            listed.join(PostTag, key[1] == Post.id)
            .where(col(PostTag.tag_id) == bindparam("tag_id", type_=Integer()))
            .where(key[0] <= until)
        )
    place = tuple_(bindparam("moment", type_=UtcDateTime()), bindparam("row_id", type_=Uuid()))
    if side:
        listed = listed.where(tuple_(*key) < place if side == "before" else tuple_(*key) > place)
    listed = listed.order_by(*(key if side == "after" else (part.desc() for part in key)))
    listed = listed.limit(bindparam("most", type_=Integer()))
    return with_pinned(listed, is_sqlite=is_sqlite) if which == "front" else listed


def with_pinned(listed: Any, *, is_sqlite: bool) -> Any:
    """Both by one statement, in any order."""
    pinned = lines(is_sqlite=is_sqlite).where(is_listed(), col(Post.pinned_at).is_not(None))
    pinned = pinned.order_by(col(Post.pinned_at).desc(), col(Post.id)).limit(MOST_PINNED)
    first = pinned.add_columns(true().label("is_pinned")).subquery()
    rest = listed.add_columns(false().label("is_pinned")).subquery()
    return union_all(select(first), select(rest))


def lines(*, is_sqlite: bool) -> Any:
    """What an `Entry` shows; and when it was pinned."""
    columns = (*COLUMNS, labels_of(is_sqlite=is_sqlite).label("labels"), Post.pinned_at)
    return select(*columns).join(User, col(User.id) == col(Post.author_id))


def labels_of(*, is_sqlite: bool) -> Any:
    """The tags of a post as a list in JSON, so that a query for posts brings them along; see
    `in_order`."""
    names = ("json_group_array", "json_array") if is_sqlite else ("json_agg", "json_build_array")
    all_of, one = (getattr(func, name) for name in names)
    label = one(PostTag.position, Tag.id, Tag.slug, Tag.name)
    return (
        select(cast(all_of(label), String))
        .join(Tag, col(Tag.id) == PostTag.tag_id)
        .where(col(PostTag.post_id) == Post.id)
        .correlate(Post)
        .scalar_subquery()
    )


def is_sqlite(db: Session) -> bool:
    return db.get_bind().dialect.name == "sqlite"


COLUMNS: tuple[Any, ...] = (
    cast(Post.id, String).label("key"),
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

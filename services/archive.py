"""All posts by year and month: titles and dates only, in long pages.

The years are found by one look into an index for each, not by counting, so that the archive of a
million posts costs what that of a hundred does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from errors import NotFound
from models import Post, now
from services.cursors import cursor_of, place_of, window
from services.lines import Line
from services.streams import is_listed

PER_PAGE = 100
FIRST_YEAR, MOST_YEARS = 1970, 200


@dataclass(frozen=True)
class Month:
    """Posts of one month, the newest first; `first` is any moment in it."""

    first: datetime
    lines: list[Line]

    @property
    def anchor(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class Archive:
    """A page of it, and the cursors of the pages beside it."""

    years: list[int]
    months: list[Month]
    older: str | None = None
    newer: str | None = None


def page(
    db: Session, zone: tzinfo, year: int | None = None, before: str = "", after: str = ""
) -> Archive:
    """The newest hundred posts, of one year or of all; years and months are those of a zone.

    Raises:
        NotFound: nothing was published in that year, or a cursor is not one that we gave.
    """
    until = min(place_of(before)[0], now()) if before else None
    wanted = is_listed(until) if year is None else is_listed(until) & within(year, zone)
    key = (col(Post.published_at), col(Post.id))
    query: Any = select(Post.id, Post.slug, Post.title, Post.published_at).where(wanted)
    rows, is_last, is_first = window(db, query, key, before, after, PER_PAGE)
    lines = [Line(*row) for row in rows]
    if year is not None and not lines:
        raise NotFound
    return Archive(
        years(db, zone),
        list(by_month(lines, zone)),
        older=cursor_of(lines[-1].published_at, lines[-1].id) if not is_last else None,
        newer=cursor_of(lines[0].published_at, lines[0].id) if not is_first else None,
    )


def years(db: Session, zone: tzinfo) -> list[int]:
    """In which something was published, the newest first."""
    ends = (func.min(col(Post.published_at)), func.max(col(Post.published_at)))
    # Each by a look of its own: SQLite finds one end in the index, for both it reads all of it.
    looks_for_ends = [select(end).where(is_listed()).scalar_subquery() for end in ends]
    first, last = db.execute(select(*looks_for_ends)).one()
    if first is None:
        return []
    newest = last.astimezone(zone).year
    oldest = max(first.astimezone(zone).year, newest - MOST_YEARS + 1)
    span = range(newest, oldest - 1, -1)
    found = db.execute(select(*(first_of(year, zone) for year in span))).one()
    return [year for year, at in zip(span, found, strict=True) if at]


def first_of(year: int, zone: tzinfo) -> Any:
    """When its first post was published. In order, so that the index is asked: to know that there is
    any, PostgreSQL would read the table, where it believes that most of it is of that year."""
    at = col(Post.published_at)
    first = select(at).where(is_listed(), within(year, zone)).order_by(at).limit(1)
    return first.scalar_subquery().label(f"y{year}")


def within(year: int, zone: tzinfo) -> Any:
    begin, end = (datetime(each, 1, 1, tzinfo=zone).astimezone(UTC) for each in (year, year + 1))
    return (col(Post.published_at) >= begin) & (col(Post.published_at) < end)


def by_month(lines: list[Line], zone: tzinfo) -> Iterator[Month]:
    def month_of(line: Line) -> datetime:
        there = line.published_at.astimezone(zone)
        return there.replace(day=1, hour=12, minute=0, second=0, microsecond=0)

    for first, group in groupby(lines, month_of):
        yield Month(first, list(group))


def year_of(typed: str) -> int:
    """From an address. Raises NotFound: none that can have posts."""
    if not (typed.isascii() and typed.isdigit() and len(typed) == 4):
        raise NotFound
    year = int(typed)
    if not FIRST_YEAR <= year <= now().year + 1:
        raise NotFound
    return year

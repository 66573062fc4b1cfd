"""Long lists of names, in pages by keyset: each begins where the one before it ends."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, tuple_
from sqlmodel import Session

from errors import NotFound

PER_PAGE = 500
CURSOR = re.compile(r"(?:(\d{1,9})\.)?([a-z0-9-]{1,120})")


@dataclass(frozen=True)
class Listing:
    """A page of a list, and the cursors of the pages beside it."""

    items: list[Any]
    after: str | None = None
    before: str | None = None


def page(
    db: Session, query: Any, *, by_count: bool = False, after: str = "", before: str = ""
) -> Listing:
    """Up to 500 groups of a query whose first column is a slug, and the last one how many there are.

    By slug, or the largest groups first.

    Raises:
        NotFound: a cursor is not one that we gave.
    """
    slug, *_, count = query.selected_columns
    key = (-count, slug) if by_count else (slug,)
    backwards = bool(before) and not after
    if after:
        query = query.having(tuple_(*key) > place(after, by_count))
    elif before:
        query = query.having(tuple_(*key) < place(before, by_count))
    query = query.order_by(*(part.desc() if backwards else part for part in key))
    rows = list(db.execute(query.limit(PER_PAGE + 1)))
    has_more = len(rows) > PER_PAGE
    del rows[PER_PAGE:]
    if backwards:
        rows.reverse()
    return Listing(
        rows,
        after=cursor(rows[-1], by_count) if rows and (has_more or backwards) else None,
        before=cursor(rows[0], by_count) if rows and (has_more if backwards else after) else None,
    )


def cursor(row: Row[Any], by_count: bool) -> str:
    return f"{row[-1]}.{row[0]}" if by_count else str(row[0])


def place(typed: str, by_count: bool) -> Any:
    found = CURSOR.fullmatch(typed)
    if not found or bool(found[1]) is not by_count:
        raise NotFound
    return tuple_(-int(found[1]), found[2]) if by_count else tuple_(found[2])

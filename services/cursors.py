"""Cursors: places in lists that are in the order of a moment and an id. A page beside one is found by
an index, so the thousandth costs what the first does."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import Session, col

from errors import NotFound

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    return tuple_(*place_of(cursor))


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor_of` made it of. Raises NotFound: it is none of ours."""
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        moment = EPOCH + timedelta(microseconds=int.from_bytes(raw[:8]))
        return moment, UUID(bytes=raw[8:])
    except (ValueError, OverflowError):
        raise NotFound from None


def window(
    db: Session,
    query: Any,
    key: tuple[Any, Any],
    before: str,
    after: str,
    per_page: int,
) -> tuple[Sequence[Any], bool, bool]:
    """Up to `per_page` rows beside a cursor, by a moment and an id, the newest first; whether they
    are the last ones, and whether they are the first. Raises NotFound."""
    if before:
        query = query.where(tuple_(*key) < position(before))
    elif after:
        query = query.where(tuple_(*key) > position(after))
    backwards = bool(after) and not before
    query = query.order_by(*(key if backwards else (part.desc() for part in key)))
    found = db.execute(query.limit(per_page + 1)).all()
    return split(found, before, after, per_page)


def split(
    found: Sequence[Any], before: str, after: str, per_page: int
) -> tuple[Sequence[Any], bool, bool]:
    """What was found beside a cursor, without the one row that only says that there are more."""
    rows, has_more = found[:per_page], len(found) > per_page
    if after and not before:
        return rows[::-1], not rows, not has_more
    return rows, not has_more, not (before and rows)

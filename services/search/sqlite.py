"""Looking into FTS5. Its lists are in the order of the rows, and rows are in the order of dates, so
the newest hits come first by themselves, however frequent a word is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from models import SearchEntry
from services.search import queries
from services.search.queries import Match

HITS = """
SELECT e.place, e.post_id FROM search_words JOIN search_entries AS e ON e.place = search_words.rowid
WHERE search_words MATCH :said AND search_words.rowid > :above AND search_words.rowid < :below
ORDER BY search_words.rowid {order} LIMIT :most
"""


def outlook(_: Session, matches: list[Match]) -> list[None]:
    """It needs to know nothing beforehand."""
    return [None for _ in matches]


def hits(
    db: Session, match: Match, _: None, above: int, below: int, most: int, *, backwards: bool
) -> Sequence[tuple[int, UUID]]:
    query = text(HITS.format(order="ASC" if backwards else "DESC"))
    typed = query.columns(SearchEntry.__table__.c.place, SearchEntry.__table__.c.post_id)  # type: ignore[attr-defined]
    said: dict[str, Any] = {"said": queries.for_sqlite(match), "most": most}
    return [
        (place, post_id)
        for place, post_id in db.execute(typed, {**said, "above": above, "below": below})
    ]

"""Looking into FTS5. Its lists are in the order of the rows, and rows are in the order of dates, so
the newest hits come first by themselves, however frequent a word is. A phrase may be rare all the
same where its words are not, so not all posts that have them are looked at."""

from collections.abc import Sequence
from contextlib import closing
from itertools import islice
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

# The same with all that the index holds of a post. FTS5 looks for a phrase until it finds one, and
# knows no bound meanwhile; so where there are phrases it is asked for their words.
WORDED = HITS.replace("e.post_id FROM", "e.post_id, e.words FROM")


def outlook(_: Session, matches: list[Match]) -> list[None]:
    """It needs to know nothing beforehand."""
    return [None for _ in matches]


def hits(
    db: Session, match: Match, _: None, above: int, below: int, most: int, *, backwards: bool
) -> Sequence[tuple[int, UUID]]:
    order = "ASC" if backwards else "DESC"
    said: dict[str, Any] = {"above": above, "below": below}
    if not match.has_phrases:
        said |= {"said": queries.for_sqlite(match), "most": most}
        return [(row.place, row.post_id) for row in rows(db, HITS, order, said)]
    said |= {"said": queries.for_sqlite(match.apart), "most": queries.MOST_PROVED}
    with closing(rows(db, WORDED, order, said)) as found:
        having = (row for row in found if match.holds(row.words))
        return [(row.place, row.post_id) for row in islice(having, most)]


def rows(db: Session, sql: str, order: str, said: dict[str, Any]) -> Any:
    columns = SearchEntry.__table__.c  # type: ignore[attr-defined]
    query = text(sql.format(order=order)).columns(columns.place, columns.post_id)
    return db.execute(query, said)

"""Looking into a tsvector with its GIN index, which knows no order: the way is chosen by how frequent
the words are.

Of frequent words the newest hits are soon met on the way from the newest post back. Of others
the index lists all, and the newest of them are picked: rows are short, since their vectors are kept
beside them. What PostgreSQL has counted for its own plans says which words are frequent.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from models import SearchEntry
from services.search import queries
from services.search.queries import Match

RARE = 0.002  # the share of a word that PostgreSQL has not noted
# To look at a post on the way back costs so much more than to pick it from a list: its vector must
# be fetched.
COST_OF_A_LOOK = 5
MOST_WALKED = 3_000

FREQUENCIES = """
SELECT 'posts' AS word, reltuples AS number FROM pg_class WHERE oid = 'search_entries'::regclass
UNION ALL
SELECT '=' || each.word, each.share FROM pg_stats AS s,
    unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS each(word, share)
WHERE s.schemaname = current_schema() AND s.tablename = 'search_entries' AND s.attname = 'words'
    AND each.word = ANY(:words)
"""
WALK = """
SELECT place, post_id FROM (
    SELECT place, post_id, words FROM search_entries
    WHERE place > :above AND place < :below ORDER BY place {order} LIMIT :window
) AS nearest WHERE words @@ CAST(:said AS tsquery) LIMIT :most
"""
PICK = """
WITH hits AS MATERIALIZED (
    SELECT place, post_id FROM search_entries
    WHERE words @@ CAST(:said AS tsquery) AND place > :above AND place < :below
) SELECT place, post_id FROM hits ORDER BY place {order} LIMIT :most
"""


class Outlook(NamedTuple):
    """What is to be expected: which share of all posts has the words, and how many posts."""

    share: float
    posts: float


def outlook(db: Session, matches: list[Match]) -> list[Outlook]:
    """One for each match. A word that is not among the most frequent has a share of almost none."""
    words = {word for match in matches for phrase in match.phrases for word in phrase}
    rows = db.execute(text(FREQUENCIES), {"words": sorted(words)})
    numbers: dict[str, float] = {each.word: each.number for each in rows}
    posts = max(numbers.pop("posts", 0), 0)
    return [
        Outlook(prod(numbers.get(f"={word}", RARE) for p in match.phrases for word in p), posts)
        for match in matches
    ]


def hits(
    db: Session,
    match: Match,
    expected: Outlook,
    above: int,
    below: int,
    most: int,
    *,
    backwards: bool,
) -> Sequence[tuple[int, UUID]]:
    order = "ASC" if backwards else "DESC"
    values = {"said": queries.for_postgres(match), "above": above, "below": below, "most": most}
    is_frequent = expected.share**2 * expected.posts > COST_OF_A_LOOK * most
    is_to_prove = match.has_phrases and expected.share * expected.posts > queries.MOST_PROVED
    if is_frequent or is_to_prove:
        window = queries.MOST_PROVED if is_to_prove else MOST_WALKED
        found = rows(db, WALK.format(order=order), values | {"window": window})
        if len(found) == most or is_to_prove:
            return found
    return rows(db, PICK.format(order=order), values)


def rows(db: Session, sql: str, values: dict[str, Any]) -> list[tuple[int, UUID]]:
    columns = SearchEntry.__table__.c  # type: ignore[attr-defined]
    query = text(sql).columns(columns.place, columns.post_id)
    return [(place, post_id) for place, post_id in db.execute(query, values)]

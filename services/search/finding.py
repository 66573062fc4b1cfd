"""Finding: a page of what matches, the best first.

The rank of a post is where all the words of a question stand together: in its title, in title and
tags, often or in headings, anywhere; those of one rank are in the order of their dates. So a page
is a look at one list after another, each of which the index has ready, and a cursor is a rank and a
place in it. Nothing is counted, and nothing is scored.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from errors import NotFound
from models import Post, Tag, User, now
from services import streams, tags
from services.search import postgres, queries, sqlite
from services.search.documents import LEVELS
from services.search.excerpts import Part, excerpt, marked
from services.search.index import place_of
from services.search.queries import Query

PER_PAGE = 20
READ_OF_A_TEXT = 60_000  # characters in which words are looked for to show them
BACKENDS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgres}


@dataclass(frozen=True)
class Hit:
    """A post or page that matches, and what to show of it: text, in parts that are marked or not."""

    path: str
    title: list[Part]
    excerpt: list[Part]
    published_at: datetime
    word_count: int
    username: str
    author: str
    is_page: bool
    tags: list[Tag] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """A page of hits, and the cursors of the pages beside it."""

    query: Query
    hits: list[Hit]
    older: str | None = None
    newer: str | None = None


class Place(NamedTuple):
    """Of a hit among all: its rank, and where it stands in it."""

    rank: int
    place: int
    post_id: UUID = UUID(int=0)


def find(
    db: Session, typed: str, before: str = "", per_page: int = PER_PAGE, *, after: str = ""
) -> Found:
    """What matches and is public now: up to 20 hits that follow `before`, or go ahead of `after`.

    Raises:
        NotFound: a cursor is not one that we gave.
    """
    query = queries.parse(typed)
    backwards = bool(after) and not before
    start = position(before or after) if before or after else None
    if not query.asks:
        return Found(query, [])
    places = look(db, query, start, per_page + 1, backwards=backwards)
    has_more = len(places) > per_page
    shown = places[:per_page]
    if backwards:
        shown.reverse()
    is_last, is_first = (not shown, not has_more) if backwards else (not has_more, not before)
    return Found(
        query,
        hits_at(db, query, shown),
        older=None if is_last or not shown else cursor(shown[-1]),
        newer=None if is_first or not shown else cursor(shown[0]),
    )


def look(
    db: Session, query: Query, start: Place | None, most: int, *, backwards: bool
) -> list[Place]:
    """Where the next hits are, rank by rank."""
    backend = BACKENDS[db.get_bind().dialect.name]
    newest = place_of(now())
    found: list[Place] = []
    ranks = list(enumerate(queries.matches(query)))
    outlook = backend.outlook(db, [match for _, match in ranks])
    for rank, match in reversed(ranks) if backwards else ranks:
        above, below = -1, newest + 1
        if start and (rank > start.rank if backwards else rank < start.rank):
            continue
        if start and rank == start.rank:
            above, below = (start.place, below) if backwards else (above, min(start.place, below))
        rows = backend.hits(
            db, match, outlook[rank], above, below, most - len(found), backwards=backwards
        )
        found += [Place(rank, place, post_id) for place, post_id in rows]
        if len(found) >= most:
            break
    return found


def hits_at(db: Session, query: Query, places: list[Place]) -> list[Hit]:
    """By one query, and one for all tags. What is not public is left out, whatever the index says."""
    ids = [place.post_id for place in places]
    if not ids:
        return []
    rows: Any = (
        select(*COLUMNS)
        .join(User, col(User.id) == col(Post.author_id))
        .where(col(Post.id).in_(ids))
    )
    by_id = {row.id: row for row in db.execute(rows) if row.is_public}
    carried = tags.of_posts(db, by_id)
    return [hit_of(by_id[each], query, carried[each]) for each in ids if each in by_id]


COLUMNS: tuple[Any, ...] = (
    Post.id,
    Post.slug,
    Post.is_page,
    Post.title,
    Post.excerpt,
    func.substr(col(Post.html), 1, READ_OF_A_TEXT).label("html"),
    Post.word_count,
    Post.published_at,
    User.username,
    col(User.display_name).label("author"),
    # No condition: without statistics SQLite would walk through all public posts for it.
    streams.is_public().label("is_public"),
)


def hit_of(row: Any, query: Query, carried: list[Tag]) -> Hit:
    return Hit(
        path=f"/{row.slug}" if row.is_page else f"/posts/{row.slug}",
        title=marked(row.title, query.phrases),
        excerpt=excerpt(row.html, query.phrases) or [Part(row.excerpt)],
        published_at=row.published_at,
        word_count=row.word_count,
        username=row.username,
        author=row.author,
        is_page=row.is_page,
        tags=carried,
    )


def cursor(at: Place) -> str:
    return base64.urlsafe_b64encode(bytes([at.rank]) + at.place.to_bytes(8)).decode()


def position(cursor: str) -> Place:
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        raise NotFound from None
    if len(raw) != 9 or raw[0] >= len(LEVELS) or raw[1] > 127:
        raise NotFound
    return Place(raw[0], int.from_bytes(raw[1:]))

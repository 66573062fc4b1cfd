"""The index: changed in the transaction that changes what readers see, and made anew in pieces when
what it holds of a post is of an older version, or missing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, insert, select, text, update
from sqlmodel import Session, col

from database import Database, after_commit, table_of, upsert_of
from models import Post, PostTag, SearchEntry, SearchTitle, Tag
from services import streams
from services.search import documents
from services.search.words import words_of

INDEXER = 1  # the version: one more whenever words are cut, folded or marked in another way
BATCH = 100
OUTDATED = "search outdated"  # after the commit; listeners get nothing
AT_ONCE = 300  # posts that a rename takes along itself; what is more follows soon
MOST_BEGINNINGS, LONGEST_BEGINNING = 10, 60
Labels = dict[UUID, list[tuple[str, str]]]  # slugs and names, in the order of each post
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW = 1_000  # places in which a free one is looked for first


def put(
    db: Session, post: Post, carried: Sequence[Tag] | None = None, *, is_new: bool = False
) -> None:
    """Let the index know of a post what readers see of it, now or from the moment it appears: of a
    draft nothing. It holds nothing yet of one that is new. `carried` are its tags, for who knows
    them."""
    post.indexer = INDEXER
    db.flush()
    if not is_new:
        take_out(db, [post.id])
    if post.is_published and not post.is_trashed:
        known = None if carried is None else {post.id: [(tag.slug, tag.name) for tag in carried]}
        take_in(db, [post], known)


def outdate(db: Session, which: ColumnElement[bool], *, waits: bool = True) -> None:
    """Before the tags of these posts change: they are to be indexed anew. With `waits` also those
    that somebody else is changing, or the job indexes with what they carry now, at this moment."""
    mine = select(col(Post.id)).where(which)
    if not waits:
        mine = mine.where(col(Post.indexer) != 0)
    mine = mine.with_for_update(skip_locked=not waits)
    db.execute(
        update(Post).where(col(Post.id).in_(mine)).values(indexer=0),
        execution_options={"synchronize_session": False},
    )
    after_commit(db, OUTDATED)


def freshen(db: Session) -> None:
    """And afterwards: a few hundred at once; the rest is done soon, by the job, and so is what the
    job is at already."""
    db.flush()
    index_some(db, outdated(AT_ONCE).with_for_update(skip_locked=True))


def remove(db: Session, which: ColumnElement[bool]) -> None:
    """Nothing of these posts is found any more."""
    theirs = select(col(Post.id)).where(which)
    db.execute(
        delete(SearchEntry).where(col(SearchEntry.post_id).in_(theirs)),
        execution_options={"synchronize_session": False},
    )


def catch_up(
    database: Database,
    is_over: Callable[[], bool] = lambda: False,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Index what is missing or outdated; how many posts that were.

    Several processes may do it at once. It ends early when `is_over()`.
    """
    done, last = 0, UUID(int=0)
    while not is_over():
        after = outdated(BATCH).where(col(Post.id) > last)
        with (
            database.reading() as db
        ):  # asked first: it takes no lock, and usually there is nothing
            if db.execute(after.with_only_columns(col(Post.id)).limit(1)).first() is None:
                break
        with database.writing() as db:
            found = index_some(db, after.with_for_update(skip_locked=True))
        if not found:
            break
        done, last = done + len(found), found[-1].id
        advance(len(found))
    if done and not database.is_sqlite:
        with database.writing() as db:
            db.execute(text("ANALYZE search_entries"))  # plans are chosen by how frequent words are
    return done


def mark_all(database: Database) -> int:
    """Let everything be indexed anew by whoever catches up next. How many posts that are."""
    with database.writing() as db:
        marked = db.execute(
            update(Post).values(indexer=0), execution_options={"synchronize_session": False}
        )
    return int(marked.rowcount)  # type: ignore[attr-defined]


def outdated(most: int) -> Any:
    return select(*COLUMNS).where(col(Post.indexer) < INDEXER).order_by(col(Post.id)).limit(most)


COLUMNS: tuple[Any, ...] = (
    Post.id,
    Post.title,
    Post.html,
    Post.published_at,
    streams.is_meant_for_readers().label("is_meant_for_readers"),
)


def index_some(db: Session, query: Any) -> Sequence[Row[Any]]:
    """Index the posts that a query finds; those it has found."""
    found = db.execute(query).all()
    ids = [post.id for post in found]
    take_out(db, ids)
    take_in(db, [post for post in found if post.is_meant_for_readers])
    db.execute(
        update(Post).where(col(Post.id).in_(ids)).values(indexer=INDEXER),
        execution_options={"synchronize_session": False},
    )
    return found


def take_out(db: Session, ids: Sequence[UUID]) -> None:
    db.execute(
        delete(SearchEntry).where(col(SearchEntry.post_id).in_(ids)),
        execution_options={"synchronize_session": False},
    )


def take_in(db: Session, shown: Sequence[Any], known: Labels | None = None) -> None:
    """Of these posts the index holds nothing now; `known` are their tags, if they need not be read."""
    if not shown:
        return
    tags = known or tags_of(db, [post.id for post in shown])
    written_as = WRITTEN_AS[db.get_bind().dialect.name]
    waiting = {
        post.id: {
            "place": place_of(post.published_at),
            "post_id": post.id,
            "words": written_as(documents.document_of(post.title, tags[post.id], post.html)),
        }
        for post in shown
    }
    insert_entries(db, waiting)
    keys = [{"key": key, "post_id": post.id} for post in shown for key in beginnings(post.title)]
    if keys:
        db.execute(insert(table_of(SearchTitle)), keys)


WRITTEN_AS: dict[str, Callable[[documents.Document], str]] = {
    "sqlite": documents.for_sqlite,
    "postgresql": documents.for_postgres,
}


def place_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def insert_entries(db: Session, waiting: dict[UUID, dict[str, Any]]) -> None:
    """Each at its place, or at the next free one before it: two may appear at the same moment, and
    somebody else may publish meanwhile."""
    while waiting:
        # FTS5 writes all that it has in memory whenever a row comes before the last one.
        by_place = {row["place"]: row for row in waiting.values()}
        rows = [by_place[place] for place in sorted(by_place)]
        insert_new = upsert_of(is_sqlite=streams.is_sqlite(db))(table_of(SearchEntry))
        inserted = insert_new.on_conflict_do_nothing(index_elements=["place"])
        for post_id in db.execute(inserted.returning(col(SearchEntry.post_id)), rows).scalars():
            del waiting[post_id]
        free = free_places(db, [row["place"] for row in waiting.values()])
        for row, place in zip(waiting.values(), free, strict=True):
            row["place"] = place


def free_places(db: Session, wanted: list[int]) -> list[int]:
    """For each place that is taken, one before it that is not."""
    found: list[int] = []
    for place in wanted:
        window = WINDOW
        while True:
            taken = select(col(SearchEntry.place)).where(
                col(SearchEntry.place).between(place - window, place)
            )
            used = {*db.execute(taken).scalars(), *found}
            free = next((at for at in range(place, place - window, -1) if at not in used), None)
            if free is not None:
                break
            place, window = place - window, window * 2
        found.append(free)
    return found


def beginnings(title: str) -> list[bytes]:
    """The title from each of its first words on, so that any of them can be typed to find it."""
    words = list(islice(words_of(title), MOST_BEGINNINGS * 2))
    lines = (" ".join(words[start:])[:LONGEST_BEGINNING] for start in range(len(words)))
    return [line.encode() for line in islice(dict.fromkeys(lines), MOST_BEGINNINGS)]


def tags_of(db: Session, post_ids: list[UUID]) -> Labels:
    found: Labels = {post_id: [] for post_id in post_ids}
    rows: Any = (
        select(col(PostTag.post_id), col(Tag.slug), col(Tag.name))
        .join(Tag, col(Tag.id) == col(PostTag.tag_id))
        .where(col(PostTag.post_id).in_(post_ids))
        .order_by(col(PostTag.position))
    )
    for post_id, slug, name in db.execute(rows):
        found[post_id].append((slug, name))
    return found

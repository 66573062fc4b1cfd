"""What readers leave in the database: a number for each post and day, and hosts that led there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session, col, select

from database import Database, upsert_of
from models import Post, PostReferrer, PostViews, User, VisitorDigest
from services import permissions, streams, visitors

if TYPE_CHECKING:
    from services.counting import Visit

ROWS_AT_ONCE = 500
MOST_HOSTS = 50  # of a post on a day; those that come later are together in
OTHERS = "*"
# What one process adds on one day at most, whoever floods it: some 100 MB in the worst case.
MOST_DIGESTS, MOST_NEW_HOSTS = 1_000_000, 20_000

PostDay = tuple[UUID, date]
Batch = Mapping[tuple[date, "Visit"], int]


@dataclass
class Room:
    """What a process may still add on a day."""

    day: date | None = None
    digests: int = 0
    hosts: int = 0

    def on(self, day: date) -> None:
        if day != self.day:
            self.day, self.digests, self.hosts = day, MOST_DIGESTS, MOST_NEW_HOSTS


@dataclass
class Tally:
    views: int = 0
    digests: set[int] = field(default_factory=set)
    hosts: Counter[str] = field(default_factory=Counter)


def store(
    database: Database, batch: Batch, secret: str, room: Room, moment: datetime, zone: tzinfo
) -> None:
    """Add up a batch: all of it or, when this raises, nothing. Reading and hashing come before the
    transaction that writes, which is short, and which takes its locks in one order."""
    room.on(visitors.day_of(moment, zone))
    tallied = tally(database, batch, secret, room, moment, zone)
    if not tallied:
        return
    with database.writing() as db:
        there = still_public(db, {post_id for post_id, _ in tallied})
        counted = sorted((key, each) for key, each in tallied.items() if key[0] in there)
        visited = add_digests(db, database, counted)
        add_views(db, database, counted, visited)
        new_hosts = add_hosts(db, database, counted, room.hosts)
    room.digests -= sum(visited.values())
    room.hosts -= new_hosts


def tally(
    database: Database, batch: Batch, secret: str, room: Room, moment: datetime, zone: tzinfo
) -> dict[PostDay, Tally]:
    """What was read by readers, by post and day."""
    with database.reading() as db:
        found = posts_of(db, {(visit.is_page, visit.slug) for _, visit in batch})
        editing = who_may_edit_all(db, {visit.user_id for _, visit in batch if visit.user_id})
        salts = visitors.salts(db) if found else {}
    if not found:
        return {}
    today = visitors.day_of(moment, zone)
    if today not in salts and any(day == today for day, _ in batch):
        salts[today] = visitors.salt_for(database, today)
    tells = {day: visitors.teller(salt, secret) for day, salt in salts.items()}
    tallied: dict[PostDay, Tally] = {}
    for (day, visit), count in batch.items():
        post_id, author_id = found.get((visit.is_page, visit.slug), (None, None))
        if not post_id or (visit.user_id and visit.user_id in {author_id, *editing}):
            continue
        each = tallied.setdefault((post_id, day), Tally())
        each.views += count
        if visit.is_private:
            continue
        if day in tells and room.digests > 0:
            each.digests.add(tells[day](post_id, visit.network, visit.agent))
        if host := visitors.host_of(visit.referrer, visit.host):
            each.hosts[host] += count
    return tallied


def posts_of(
    db: Session, addresses: set[tuple[bool, str]]
) -> dict[tuple[bool, str], tuple[UUID, str]]:
    """The public posts at these addresses, with their authors."""
    columns = (Post.is_page, Post.slug, Post.id, Post.author_id)
    found = {}
    for some in portions(sorted({slug for _, slug in addresses})):
        query = select(*columns).where(streams.is_public(), col(Post.slug).in_(some))
        for is_page, slug, post_id, author_id in db.exec(query):
            found[(is_page, slug)] = post_id, str(author_id)
    return found


def who_may_edit_all(db: Session, user_ids: set[str | None]) -> set[str]:
    """Whoever looks after the texts of others is no reader of them."""
    roles = [r for r, scopes in permissions.SCOPES.items() if permissions.EDIT_ANY in scopes]
    found: set[str] = set()
    for some in portions(sorted(UUID(user_id) for user_id in user_ids if user_id)):
        query = select(User.id).where(col(User.role).in_(roles), col(User.id).in_(some))
        found |= {str(user_id) for user_id in db.exec(query)}
    return found


def still_public(db: Session, post_ids: set[UUID]) -> set[UUID]:
    """Nobody deletes these until the end of this transaction. Whoever changes one just now is not
    waited for: then this raises, and all is tried again later."""
    found: set[UUID] = set()
    for some in portions(sorted(post_ids)):
        query = select(Post.id).where(streams.is_public(), col(Post.id).in_(some))
        ordered = query.order_by(col(Post.id)).with_for_update(
            read=True, key_share=True, nowait=True
        )
        found |= set(db.exec(ordered))
    return found


Counted = Sequence[tuple[PostDay, Tally]]


def add_digests(db: Session, database: Database, counted: Counted) -> Counter[PostDay]:
    """How many of them are new, by post and day."""
    whose = {digest: key for key, each in counted for digest in each.digests}
    new: Counter[PostDay] = Counter()
    for some in portions(sorted(whose)):
        rows = [{"digest": digest, "day": whose[digest][1]} for digest in some]
        insert = (
            upsert_of(is_sqlite=database.is_sqlite)(VisitorDigest)
            .values(rows)
            .on_conflict_do_nothing()
        )
        for digest in db.scalars(insert.returning(VisitorDigest.digest)):
            new[whose[digest]] += 1
    return new


def add_views(db: Session, database: Database, counted: Counted, visited: Counter[PostDay]) -> None:
    """From here on nobody else adds to these posts on these days."""
    rows = [
        {"post_id": key[0], "day": key[1], "views": each.views, "visitors": visited[key]}
        for key, each in counted
    ]
    add(db, database, PostViews, rows, ("views", "visitors"))


def add_hosts(db: Session, database: Database, counted: Counted, room: int) -> int:
    """How many hosts are new. The most frequent ones of a batch come first."""
    known = known_hosts(db, [key for key, each in counted if each.hosts])
    rows: Counter[tuple[UUID, date, str]] = Counter()
    new = 0
    for key, each in counted:
        hosts = known.setdefault(key, set())
        for host, views in each.hosts.most_common():
            name = host
            if host not in hosts and (len(hosts) >= MOST_HOSTS or new >= room):
                name = OTHERS
            elif host not in hosts:
                hosts.add(host)
                new += 1
            rows[(*key, name)] += views
    named = ("post_id", "day", "host", "views")
    values = [dict(zip(named, (*row, views), strict=True)) for row, views in sorted(rows.items())]
    add(db, database, PostReferrer, values, ("views",))
    return new


def known_hosts(db: Session, keys: Iterable[PostDay]) -> dict[PostDay, set[str]]:
    wanted = list(keys)
    days = {day for _, day in wanted}
    known: dict[PostDay, set[str]] = {key: set() for key in wanted}
    columns: tuple[Any, ...] = (PostReferrer.post_id, PostReferrer.day, PostReferrer.host)
    for some in portions(sorted({post_id for post_id, _ in wanted})):
        query: Any = select(*columns).where(
            col(PostReferrer.post_id).in_(some),
            col(PostReferrer.day).in_(days),
            col(PostReferrer.host) != OTHERS,
        )
        for post_id, day, host in db.exec(query):
            known.setdefault((post_id, day), set()).add(host)
    return known


def add(
    db: Session,
    database: Database,
    model: type[Any],
    rows: list[dict[str, Any]],
    sums: tuple[str, ...],
) -> None:
    keys = [column.name for column in model.__table__.primary_key]
    for some in portions(rows):
        insert = upsert_of(is_sqlite=database.is_sqlite)(model).values(some)
        added = {name: getattr(model, name) + insert.excluded[name] for name in sums}
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=added))


def portions(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))

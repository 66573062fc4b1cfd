"""What stands beside a post for whoever has read it: the ones before and after it, and others about
the same. Each is bounded and found by an index, however many posts there are."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, tuple_, union_all
from sqlmodel import Session, col, select

from models import Post, PostTag, now
from services.posts import Page
from services.streams import is_listed

MOST_RELATED = 3
NEWEST_OF_TAG = 12  # of each tag, the ones that are looked at


@dataclass(frozen=True)
class Neighbour:
    slug: str
    title: str
    published_at: datetime

    @property
    def path(self) -> str:
        return f"/posts/{self.slug}"


@dataclass(frozen=True)
class Beside:
    older: Neighbour | None = None
    newer: Neighbour | None = None
    related: list[Neighbour] = field(default_factory=list)


def of(db: Session, page: Page) -> Beside:
    """For a public post; nothing for drafts and for pages, which have no place in the stream."""
    post = page.post
    if post.is_page or not post.is_public:
        return Beside()
    older, newer = in_time(db, post)
    known = {post.slug, *(each.slug for each in (older, newer) if each)}
    tag_ids = [tag.id for tag in page.tags if tag.id is not None]
    return Beside(older, newer, related(db, post, tag_ids, known))


def in_time(db: Session, post: Post) -> tuple[Neighbour | None, Neighbour | None]:
    """The post before and the one after it, by one query."""
    key, here = (col(Post.published_at), col(Post.id)), tuple_(*moment_and_id(post))
    ways: dict[str, tuple[Any, list[Any]]] = {
        "older": (tuple_(*key) < here, [part.desc() for part in key]),
        "newer": (tuple_(*key) > here, list(key)),
    }
    parts = [
        select(literal(name).label("way"), col(Post.slug), col(Post.title), col(Post.published_at))
        .where(is_listed(), where)
        .order_by(*order)
        .limit(1)
        .subquery()
        for name, (where, order) in ways.items()
    ]
    rows: Any = db.execute(union_all(*(select(part) for part in parts)))
    found = {way: Neighbour(*rest) for way, *rest in rows}
    return found.get("older"), found.get("newer")


def moment_and_id(post: Post) -> tuple[Any, Any]:
    """Typed, since SQLite compares moments as it stores them."""
    return (
        literal(post.published_at, Post.__table__.c.published_at.type),  # type: ignore[attr-defined]
        literal(post.id, Post.__table__.c.id.type),  # type: ignore[attr-defined]
    )


def related(db: Session, post: Post, tag_ids: list[int], known: set[str]) -> list[Neighbour]:
    """Up to three that share the most tags, the newest first, among the newest of each tag."""
    if not tag_ids:
        return []
    newest = union_all(*(select(newest_with(tag_id, post.id)) for tag_id in tag_ids))
    shared: Counter[UUID] = Counter()
    posts: dict[UUID, Neighbour] = {}
    for post_id, *line in db.execute(newest):
        shared[post_id] += 1
        posts[post_id] = Neighbour(*line)
    best = sorted(
        posts, key=lambda each: (shared[each], posts[each].published_at, each), reverse=True
    )
    return [posts[each] for each in best if posts[each].slug not in known][:MOST_RELATED]


def newest_with(tag_id: int, but: UUID) -> Any:
    """The newest posts of a tag, from the index that has them in this order."""
    key = (col(PostTag.listed_at), col(PostTag.post_id))
    return (
        select(col(Post.id), col(Post.slug), col(Post.title), col(Post.published_at))
        .select_from(PostTag)
        .join(Post, col(Post.id) == PostTag.post_id)
        .where(PostTag.tag_id == tag_id, key[0] <= now(), is_listed(), key[1] != but)
        .order_by(*(part.desc() for part in key))
        .limit(NEWEST_OF_TAG)
        .subquery()
    )

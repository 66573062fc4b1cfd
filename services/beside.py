"""What stands beside a post for whoever has read it: the ones before and after it, and others about
the same. Each is bounded and found by an index, however many posts there are."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Integer, Uuid, bindparam, literal, tuple_, union_all
from sqlmodel import Session, col, select

from models import Post, PostTag, UtcDateTime
from services.lines import Line
from services.posts import Page
from services.streams import is_listed, this_moment

MOST_RELATED = 3
OLDER, NEWER, RELATED = "older", "newer", "related"
NEWEST_OF_TAG = 12  # of each tag, the ones that are looked at


@dataclass(frozen=True)
class Beside:
    older: Line | None = None
    newer: Line | None = None
    related: list[Line] = field(default_factory=list)


def of(db: Session, page: Page) -> Beside:
    """For a public post; nothing for drafts and for pages, which have no place in the stream."""
    post = page.post
    if post.is_page or not post.is_public:
        return Beside()
    tag_ids = [tag.id for tag in page.tags]
    values: dict[str, Any] = {"moment": post.published_at, "row_id": post.id}
    values |= {f"tag_{number}": tag_id for number, tag_id in enumerate(tag_ids)}
    rows = db.connection().execute(query(len(tag_ids)), values).all()
    in_time = {row.way: Line(*row[1:]) for row in rows if row.way != RELATED}
    known = {post.slug, *(each.slug for each in in_time.values())}
    found = [row for row in rows if row.way == RELATED]
    return Beside(in_time.get(OLDER), in_time.get(NEWER), related(found, known))


def related(found: list[Any], known: set[str]) -> list[Line]:
    """Up to three that share the most tags, the newest first, among the newest of each tag."""
    shared = Counter(row.id for row in found)
    posts = {row.id: Line(*row[1:]) for row in found}
    best = sorted(
        posts, key=lambda each: (shared[each], posts[each].published_at, each), reverse=True
    )
    return [posts[each] for each in best if posts[each].slug not in known][:MOST_RELATED]


@cache
def query(tags: int) -> Any:
    """All of it by one statement, which is built once for each number of tags."""
    moment, row_id = bindparam("moment", type_=UtcDateTime()), bindparam("row_id", type_=Uuid())
    key, here = (col(Post.published_at), col(Post.id)), tuple_(moment, row_id)
    parts = [
        line(OLDER, moment)
        .where(tuple_(*key) < here)
        .order_by(*(part.desc() for part in key))
        .limit(1),
        line(NEWER).where(tuple_(*key) > here).order_by(*key).limit(1),
        *(newest_with(bindparam(f"tag_{number}", type_=Integer())) for number in range(tags)),
    ]
    return union_all(*(select(part.subquery()) for part in parts))


def line(way: str, until: Any = None) -> Any:
    """`until` is of the past: what stands beside a public post is."""
    columns: Any = (literal(way).label("way"), Post.id, Post.slug, Post.title, Post.published_at)
    return select(*columns).where(is_listed(until))


def newest_with(tag_id: Any) -> Any:
    """The newest posts of a tag, from the index that has them in this order."""
    key = (col(PostTag.listed_at), col(PostTag.post_id))
    return (
        line(RELATED)
        .join(PostTag, key[1] == Post.id)
        .where(PostTag.tag_id == tag_id, key[0] <= this_moment())
        .where(key[1] != bindparam("row_id", type_=Uuid()))
        .order_by(*(part.desc() for part in key))
        .limit(NEWEST_OF_TAG)
    )

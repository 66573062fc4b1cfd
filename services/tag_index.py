"""The tags that readers meet: those of public posts, and how many posts carry each."""

from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from models import Post, PostTag, Tag, User
from services import listings
from services.streams import is_listed

Order = Literal["name", "use"]
MOST_SUGGESTED = 200


def page(db: Session, order: Order = "name", after: str = "", before: str = "") -> listings.Listing:
    """Rows with `slug`, `name` and `posts`, by name or those on most posts first."""
    count = func.count(col(PostTag.post_id))
    query = (
        carried(select(Tag.slug, Tag.name, count.label("posts")))
        .where(is_listed())
        .group_by(col(Tag.id), col(Tag.slug), col(Tag.name))
    )
    return listings.page(db, query, by_count=order == "use", after=after, before=before)


def posts_with(db: Session, tag: Tag, *, drafts: bool = False) -> int:
    """How many posts readers find under a tag; with `drafts`, how many carry it at all."""
    query = carried(select(func.count())).where(col(Tag.id) == tag.id)
    return int(db.execute(query if drafts else query.where(is_listed())).scalar_one())


def suggested(db: Session, writer: User) -> list[str]:
    """Names to choose from, the usual ones first: of public posts and of the writer's own."""
    count = func.count(col(PostTag.post_id))
    query = (
        carried(select(Tag.name))
        .where(is_listed() | (col(Post.author_id) == writer.id))
        .group_by(col(Tag.id), col(Tag.name))
        .order_by(count.desc(), col(Tag.name))
    )
    return list(db.execute(query.limit(MOST_SUGGESTED)).scalars())


def carried(query: Any) -> Any:
    return (
        query.select_from(Tag)
        .join(PostTag, col(PostTag.tag_id) == Tag.id)
        .join(Post, col(Post.id) == PostTag.post_id)
    )

"""The tags that readers meet: those of public posts, and how many posts carry each."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, func, union
from sqlmodel import Session, col, select

from models import Post, PostTag, Tag, User, now
from services import listings
from services.streams import is_listed

Order = Literal["name", "use"]
MOST_COUNTED = 1000
MOST_SUGGESTED = 200
SUGGESTED_BY = 500  # posts, the newest ones


def page(db: Session, order: Order = "name", after: str = "", before: str = "") -> listings.Listing:
    """Rows with `slug`, `name` and `posts`, by name or those on most posts first.

    Counted in one index, without a look at the posts; still it is all of that index, so this is
    the one list that takes longer the more posts there are.
    """
    carried = (
        select(PostTag.tag_id, func.count().label("posts"))
        .where(is_listed_under())
        .group_by(col(PostTag.tag_id))
        .subquery()
    )
    columns = (col(Tag.slug), col(Tag.name), carried.c.posts)
    query = select(*columns).join(carried, carried.c.tag_id == Tag.id).group_by(*columns)
    return listings.page(db, query, by_count=order == "use", after=after, before=before)


def posts_with(db: Session, tag: Tag, *, drafts: bool = False) -> int:
    """How many posts readers find under a tag; with `drafts`, how many carry it at all.

    Nobody counts further than 1,000: one more stands for all that are more.
    """
    some = select(PostTag.post_id).where(PostTag.tag_id == tag.id)
    some = some if drafts else some.where(is_listed_under())
    return db.exec(select(func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery())).one()


def counted(posts: int) -> str:
    """What `posts_with` found, for people."""
    return f"{MOST_COUNTED:,}+" if posts > MOST_COUNTED else str(posts)


def is_listed_under() -> ColumnElement[bool]:
    """`streams.is_listed`, as the database repeats it beside each tag of a post."""
    return col(PostTag.listed_at) <= now()


def suggested(db: Session, writer: User) -> list[str]:
    """Names to choose from, the usual ones first: of the newest public posts and of the newest of
    the writer's own."""
    newest = select(Post.id).where(is_listed()).order_by(col(Post.published_at).desc())
    own = select(Post.id).where(Post.author_id == writer.id).order_by(col(Post.updated_at).desc())
    some = [select(each.limit(SUGGESTED_BY).subquery()) for each in (newest, own)]
    posts = union(*some).subquery()
    query: Any = (
        select(Tag.name)
        .join(PostTag, col(PostTag.tag_id) == Tag.id)
        .join(posts, posts.c.id == PostTag.post_id)
        .group_by(col(Tag.id), col(Tag.name))
        .order_by(func.count().desc(), col(Tag.name))
    )
    return list(db.execute(query.limit(MOST_SUGGESTED)).scalars())

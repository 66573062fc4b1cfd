"""Series: posts that belong together, in an order. A post is in one of them, or in none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import Conflict, Invalid, NotFound
from languages import _
from models import Post, Series, User
from services import listings, slugs, tags
from services.permissions import can_edit
from services.streams import is_listed

WHOLE = 99  # a slug that is as long has been cut off


@dataclass(frozen=True)
class Part:
    slug: str
    title: str


@dataclass(frozen=True)
class Place:
    """Where a post stands among the public parts of its series; a draft has no number yet."""

    slug: str
    title: str
    total: int
    number: int | None = None
    previous: Part | None = None
    next: Part | None = None


def by_slug(db: Session, slug: str) -> Series:
    """Raises NotFound."""
    is_slug = tags.SHAPE.fullmatch(slug)
    found = db.exec(select(Series).where(Series.slug == slug)).first() if is_slug else None
    if found is None:
        raise NotFound
    return found


def index(db: Session, after: str = "", before: str = "") -> listings.Listing:
    """Rows with `slug`, `title`, `description`, `username`, `author` and `parts`: what has public parts."""
    columns: Any = (
        Series.slug,
        Series.title,
        Series.description,
        User.username,
        col(User.display_name).label("author"),
        func.count(col(Post.id)).label("parts"),
    )
    query = (
        select(*columns)
        .select_from(Series)
        .join(User, col(User.id) == Series.author_id)
        .join(Post, col(Post.series_id) == Series.id)
        .where(is_listed())
        .group_by(col(Series.id), col(User.id))
    )
    return listings.page(db, query, after=after, before=before)


def place_of(db: Session, post: Post) -> Place | None:
    """One query, and none for a post in no series."""
    if post.series_id is None:
        return None
    columns: Any = (Series.slug, Series.title, Post.id, Post.slug, Post.title)
    parts = (
        select(*columns)
        .select_from(Series)
        .join(Post, (col(Post.series_id) == Series.id) & is_listed(), isouter=True)
        .where(Series.id == post.series_id)
        .order_by(col(Post.series_position), col(Post.id))
    )
    rows = db.execute(parts).all()
    if not rows:  # it was deleted a moment ago
        return None
    slug, title = rows[0][:2]
    found = [(row[2], Part(row[3], row[4])) for row in rows if row[2]]
    at = next((n for n, (post_id, _part) in enumerate(found) if post_id == post.id), None)
    if at is None:
        return Place(slug, title, len(found))
    beside = [None, *(part for _id, part in found), None]
    return Place(slug, title, len(found), at + 1, beside[at], beside[at + 2])


def author_of(db: Session, series: Series) -> User:
    return db.get_one(User, series.author_id)


def title_of(db: Session, post: Post) -> str:
    """That of its series, as the form has it."""
    found = db.get(Series, post.series_id) if post.series_id else None
    return found.title if found else ""


def put(db: Session, post: Post, title: str | None, editor: User, scopes: frozenset[str]) -> None:
    """Let the post be the last part of the series that somebody means by a title, a new one if
    there is none; "" takes it out, None leaves it where it is.

    Raises:
        Conflict: it is the series of another author.
        Invalid: no address can be made of the title.
    """
    if title is None or post.is_page:
        return
    if not title:
        post.series_id = post.series_position = None
        return
    found = find(db, post, title, editor, scopes)
    if found is None or found.id != post.series_id:
        append(db, (found and locked(db, found.id)) or make(db, post, title), post)


def find(
    db: Session, post: Post, title: str | None, editor: User, scopes: frozenset[str]
) -> Series | None:
    """The series that somebody means by a title: that of the post, else one of its author's, else
    one that they may change. What it was called at first counts as its title too.

    Raises as `put`. A series of others that no reader has seen is as good as none.
    """
    if not title:
        return None
    for each in sorted(named(db, title), key=lambda it: nearness(it, post, title)):
        if each.id == post.series_id or can_edit(editor, each, scopes):
            return each
        if has_public_parts(db, each):
            name = db.get_one(User, each.author_id).display_name
            raise Conflict(
                {
                    "series": _(
                        "“%(title)s” is a series of %(name)s. Only they add to it.",
                        title=each.title,
                        name=name,
                    )
                }
            )
    return None


def named(db: Session, title: str, field: str = "series") -> Sequence[Series]:
    """What has this title, or had it at first."""
    slug = slug_of(title, field)
    same = col(Series.title) == title
    if len(slug) < WHOLE:  # else two titles may begin alike
        same |= col(Series.slug) == slug
    return db.exec(select(Series).where(same)).all()


def nearness(series: Series, post: Post, title: str) -> tuple[bool, bool, bool]:
    """What comes first is meant rather."""
    is_near = series.id == post.series_id, series.author_id == post.author_id, series.title == title
    return tuple(not each for each in is_near)  # type: ignore[return-value]


def slug_of(title: str, field: str = "series") -> str:
    slug = tags.slug_of(title)
    if not slug:
        raise Invalid(
            {field: _("A series needs a letter or a digit: “%(title)s” has none.", title=title)}
        )
    return slug


def make(db: Session, post: Post, title: str) -> Series:
    """A new one, of the post's author."""
    for slug in islice(slugs.candidates(db, slug_of(title), Series), slugs.TRIES):
        try:
            with db.begin_nested():
                made = Series(author_id=post.author_id, slug=slug, title=title)
                db.add(made)
            return made
        except IntegrityError:  # somebody else took the address meanwhile, perhaps for the same
            same = (Series.title == title, Series.author_id == post.author_id)
            if twin := db.exec(select(Series).where(*same)).first():
                return twin
    raise RuntimeError("No free slug, although they are random by now.")


def append(db: Session, series: Series, post: Post) -> None:
    last = select(func.max(col(Post.series_position))).where(Post.series_id == series.id)
    post.series_position = (db.exec(last).one() or 0) + 1
    post.series_id = series.id


def locked(db: Session, series_id: UUID) -> Series | None:
    """The series as it is now, and nobody else's to change; None if it has just been deleted."""
    query = select(Series).where(Series.id == series_id).with_for_update()
    return db.exec(query.execution_options(populate_existing=True)).first()


def has_public_parts(db: Session, series: Series) -> bool:
    parts = select(Post.id).where(is_listed(), Post.series_id == series.id)
    return db.exec(parts.limit(1)).first() is not None

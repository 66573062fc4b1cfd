"""Sitemaps: every address that is worth finding, for search engines (https://www.sitemaps.org).

One document while there are few of them; beyond that an index, and parts that each begin where the
one before ends. The protocol would allow ten times as many in a document, but that would be the
slowest and largest that anybody can ask for.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from sqlalchemy import ColumnElement, exists, func, tuple_
from sqlmodel import Session, SQLModel, col, select

from errors import NotFound
from models import NOBODY, Post, PostTag, Series, Tag, User
from services import cursors, tags, usernames
from services.heads import w3c
from services.streams import is_listed, is_public

MOST = PER_PART = 5_000  # addresses in a document: quick to make, and small to keep
LISTS = ("/", "/archive", "/tags", "/series")
SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


@dataclass(frozen=True)
class Kind:
    """Addresses of one sort: in the order of `key`, with what else is needed of each. What is
    public is public by now, so `condition` is made when it is asked."""

    key: tuple[Any, ...]
    condition: Callable[[], ColumnElement[bool]]
    columns: tuple[Any, ...]

    def query(self) -> Any:
        chosen: Any = select(*self.columns)
        return chosen.where(self.condition()).order_by(*self.key)


def has_posts(table: type[SQLModel], *how: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*how, is_listed()).correlate(table)


KINDS = {
    "posts": Kind(
        (col(Post.published_at), col(Post.id)),
        is_public,
        (Post.slug, Post.is_page, Post.published_at, Post.revised_at),
    ),
    "tags": Kind(
        (col(Tag.slug),),
        lambda: has_posts(
            Tag, col(PostTag.tag_id) == col(Tag.id), col(Post.id) == col(PostTag.post_id)
        ),
        (Tag.slug,),
    ),
    "users": Kind(
        (col(User.username),),
        lambda: (
            has_posts(User, col(Post.author_id) == col(User.id)) & (col(User.username) != NOBODY)
        ),
        (User.username,),
    ),
    "series": Kind(
        (col(Series.slug),),
        lambda: has_posts(Series, col(Post.series_id) == col(Series.id)),
        (Series.slug,),
    ),
}


def sitemap(db: Session, base: str) -> str:
    """The document at /sitemap.xml: of everything, or the index of its parts. Addresses begin with
    `base`."""
    if has_many(db):
        parts = (f"{base}/sitemaps/{each}" for each in addresses_of_parts(db))
        return document("sitemapindex", "sitemap", ((each, "") for each in parts))
    found = (entry for name in KINDS for entry in entries(db, name, base))
    return document("urlset", "url", [*lists(base), *found])


def part(db: Session, name: str, base: str, after: str = "") -> str:
    """One of the documents that the index names. Raises NotFound if it can name none such."""
    if name == "lists":
        found = lists(base)
    elif name in KINDS:
        found = list(entries(db, name, base, after=after, most=PER_PART))
    else:
        raise NotFound
    if not found:
        raise NotFound
    return document("urlset", "url", found)


def has_many(db: Session) -> bool:
    """Whether they are too many for one document. Never counts much further than that."""
    left = MOST - len(LISTS)
    for kind in KINDS.values():
        some = kind.query().with_only_columns(kind.key[0]).order_by(None).limit(left + 1).subquery()
        left -= db.execute(select(func.count()).select_from(some)).scalar_one()
        if left < 0:
            return True
    return False


def addresses_of_parts(db: Session) -> Iterator[str]:
    yield "lists.xml"
    for name, kind in KINDS.items():
        if db.execute(kind.query().limit(1)).first():
            yield f"{name}.xml"
        for place in ends(db, kind):
            yield f"{name}.xml?after={quote(place, safe='')}"


def ends(db: Session, kind: Kind) -> Iterator[str]:
    """Where parts end that others follow: steps along an index, each as long as the last. (To
    number all rows at once takes ten times as long.)"""
    step = kind.query().with_only_columns(*kind.key).offset(PER_PART - 1).limit(2)
    query = step
    while len(rows := db.execute(query).all()) == 2:
        place = rows[0][0] if len(kind.key) == 1 else cursors.cursor_of(*rows[0])
        yield place
        query = step.where(tuple_(*kind.key) > tuple_(*rows[0]))


def entries(
    db: Session, name: str, base: str, after: str = "", most: int = MOST
) -> Iterator[tuple[str, str]]:
    """Addresses and when they changed. Raises NotFound: `after` is no place of ours."""
    kind = KINDS[name]
    query = kind.query().limit(most)
    if after:
        query = query.where(tuple_(*kind.key) > place_of(name, after))
    for row in db.execute(query):
        if name == "posts":
            slug, is_page, published_at, revised_at = row
            folder = "" if is_page else "/posts"
            yield f"{base}{folder}/{slug}", w3c(latest(published_at, revised_at))
        else:
            yield f"{base}/{name}/{row[0]}", ""


def place_of(name: str, after: str) -> Any:
    if name == "posts":
        return cursors.position(after)
    shape = usernames.SHAPE if name == "users" else tags.SHAPE
    if not shape.fullmatch(after):
        raise NotFound
    return tuple_(after)


def latest(published_at: datetime, revised_at: datetime | None) -> datetime:
    """As `Post.changed_at`."""
    return max(published_at, revised_at) if revised_at else published_at


def lists(base: str) -> list[tuple[str, str]]:
    return [(f"{base}{path}", "") for path in LISTS]


def document(root: str, tag: str, found: Iterable[tuple[str, str]]) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{SCHEMA}">']
    for address, changed in found:
        lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
        lines.append(f"<{tag}><loc>{escape(address)}</loc>{lastmod}</{tag}>")
    lines.append(f"</{root}>\n")
    return "\n".join(lines)

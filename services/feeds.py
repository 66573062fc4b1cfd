"""Feeds: what is newest on the blog, under a tag or by an author, with full texts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, cast, func
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from models import NOBODY, Post, Site, Tag, User, byline
from services import reading, streams, tag_uris, whole_links
from services.streams import Entry, Stream
from settings import Settings

# Of full texts in one document; escaped it stays below two megabytes. What does not fit is there
# with its summary and its link.
MOST_BYTES = 700_000
ATOM, RSS, JSON = NAMES = ("feed.xml", "rss.xml", "feed.json")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """A post in a feed; `html` is None where only its summary fits."""

    id: str
    entry: Entry
    html: str | None

    @property
    def author(self) -> str:
        return byline(self.entry.username, self.entry.author)

    @property
    def author_path(self) -> str | None:
        """None for somebody who has left."""
        is_nobody = self.entry.username == NOBODY
        return None if is_nobody else f"/users/{self.entry.username}"


@dataclass(frozen=True)
class Feed:
    """A page of a feed. `prefix` is what stands before “/feed.xml” in its address; `title` is that
    of what it is about, None for the whole blog."""

    prefix: str
    id: str
    updated: datetime
    older: str | None
    newer: str | None
    title: str | None = None
    author: User | None = None
    items: list[Item] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The page that shows the same."""
        return self.prefix or "/"


def of_blog(db: Session, settings: Settings, before: str = "", after: str = "") -> Feed:
    """Raises NotFound: a cursor is not one of ours; the same below."""
    stream = streams.latest(db, before, after)
    begun = db.exec(select(User.created_at).join(Site)).first()
    return made(db, settings, stream, "", "posts", begun=begun or LONG_AGO)


def of_tag(db: Session, settings: Settings, tag: Tag, stream: Stream) -> Feed:
    path = f"/tags/{tag.slug}"
    return made(db, settings, stream, path, path[1:], title=tag.name)


def of_author(
    db: Session, settings: Settings, author: User, before: str = "", after: str = ""
) -> Feed:
    stream = streams.by_author(db, author, before, after)
    about: dict[str, Any] = {"title": author.display_name, "author": author}
    begun, path = author.created_at, f"/users/{author.username}"
    return made(db, settings, stream, path, f"users/{author.id}", begun=begun, **about)


def made(
    db: Session,
    settings: Settings,
    stream: Stream,
    prefix: str,
    name: str,
    *,
    begun: datetime = LONG_AGO,
    **about: Any,
) -> Feed:
    entity = tag_uris.entity(db, settings.link_base)
    whole = full_texts(db, settings, stream.entries)
    return Feed(
        prefix=prefix,
        id=tag_uris.uri(entity, name),
        updated=max((entry.changed_at for entry in stream.entries), default=begun),
        older=stream.older,
        newer=stream.newer,
        items=[
            Item(tag_uris.uri(entity, f"posts/{entry.id}"), entry, whole.get(entry.id))
            for entry in stream.entries
        ],
        **about,
    )


def full_texts(db: Session, settings: Settings, entries: list[Entry]) -> dict[UUID, str]:
    """The HTML of posts with absolute addresses: the first ones that fit into a document together.

    However long they are, little more than fits is in memory.
    """
    texts = stored_texts(db, that_fit(db, entries))
    found, left = {}, MOST_BYTES
    for entry in entries:
        if entry.id in texts:
            html = reading.html_of(*texts.pop(entry.id), settings)
            html = whole_links.absolute(html, settings.link_base, entry.path)
            size = len(html.encode())
            if size <= left:
                left -= size
                found[entry.id] = html
    return found


def that_fit(db: Session, entries: list[Entry]) -> list[UUID]:
    sizes = {row.id: row.size for row in db.execute(sizes_of(db, [each.id for each in entries]))}
    wanted, left = [], MOST_BYTES
    for entry in entries:
        size = sizes.get(entry.id, MOST_BYTES + 1)  # it was deleted a moment ago
        if size <= left:
            left -= size
            wanted.append(entry.id)
    return wanted


def sizes_of(db: Session, ids: Iterable[UUID]) -> Any:
    """Of their HTML in bytes. PostgreSQL knows it without reading the text."""
    is_postgres = db.get_bind().dialect.name == "postgresql"
    html = col(Post.html)
    size = func.octet_length(html) if is_postgres else func.length(cast(html, LargeBinary))
    return select(col(Post.id), size.label("size")).where(col(Post.id).in_(ids))


def stored_texts(db: Session, ids: list[UUID]) -> dict[UUID, tuple[Post, User]]:
    """Posts and authors, with what `reading.html_of` asks them."""
    query = (
        select(Post, User)
        .join(User, col(User.id) == Post.author_id)
        .where(streams.is_public(), col(Post.id).in_(ids))
        .options(
            load_only(Post.content, Post.html, Post.renderer),  # type: ignore[arg-type]
            load_only(User.role),  # type: ignore[arg-type]
        )
    )
    return {post.id: (post, author) for post, author in db.execute(query)} if ids else {}

"""While somebody types: tags and titles that begin like it, or have a word that does."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from models import Post, PostTag, SearchTitle, Tag
from services import streams
from services.search.words import words_of
from services.tags import slug_of

SHORTEST, LONGEST = 2, 60
MOST_TAGS, MOST_TITLES = 3, 6
END = b"\xff"  # after every text in UTF-8


@dataclass(frozen=True)
class Suggestion:
    kind: str
    title: str
    path: str


def suggest(db: Session, typed: str) -> list[Suggestion]:
    """Tags first, then titles; only of what is public now. Few, and nothing for a single letter."""
    typed = typed.strip()[:LONGEST]
    if len(typed) < SHORTEST:
        return []
    return [*tags_like(db, slug_of(typed)), *titles_like(db, " ".join(words_of(typed)))]


def tags_like(db: Session, start: str) -> list[Suggestion]:
    if not start:
        return []
    is_carried = (
        select(PostTag.tag_id)
        .join(Post, col(Post.id) == col(PostTag.post_id))
        .where(col(PostTag.tag_id) == col(Tag.id), streams.is_listed())
        .exists()
    )
    slug = col(Tag.slug)
    query = (
        select(Tag)
        .where(slug >= start, slug.startswith(start, autoescape=True), is_carried)
        .order_by(slug)
        .limit(MOST_TAGS)
    )
    return [Suggestion("tag", tag.name, f"/tags/{tag.slug}") for tag in db.exec(query)]


def titles_like(db: Session, start: str) -> list[Suggestion]:
    if not start:
        return []
    key, first = col(SearchTitle.key), start.encode()
    is_public = streams.is_public().label("is_public")
    columns: tuple[Any, ...] = (Post.id, Post.title, Post.slug, Post.is_page, is_public)
    query: Any = (
        select(*columns)
        .join(SearchTitle, col(SearchTitle.post_id) == col(Post.id))
        .where(key >= first, key < first + END)
        .order_by(key, col(SearchTitle.post_id))
        .limit(2 * MOST_TITLES)  # a title may be found by several of its words
    )
    # No condition of the query: without statistics SQLite would begin with all public posts.
    found = {row.id: row for row in db.execute(query) if row.is_public}
    shown = list(found.values())[:MOST_TITLES]
    return [
        Suggestion("post", row.title, f"/{row.slug}" if row.is_page else f"/posts/{row.slug}")
        for row in shown
    ]

"""Addresses of posts: readable, never reused for another post, unique under races."""

import re
import secrets
from collections.abc import Iterator
from itertools import islice

from slugify import slugify
from sqlalchemy import delete
from sqlmodel import Session, col, select

from database import table_of, upsert_of
from models import Post, Series, Slug
from services import streams

LONGEST = 80
TRIES = 8
NUMBERED = re.compile(r"[a-z0-9-]{,80}-([0-9]{1,9}|[0-9a-f]{6})")
# A UUID is the permanent address of one post and must not become that of another.
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
# What stands beside posts under /posts/: an author's slug must not hide a page of ours.
RESERVED = frozenset({"new", "feed", "drafts", "tags", "search", "archive", "preview", "trash"})


def slug_of(title: str, kind: str = "post") -> str:
    """The same as an address that a post or page can have; `kind` if nothing remains."""
    slug = plain(title)
    return f"{kind}-{slug}" if is_reserved(slug) else slug or kind


def plain(title: str) -> str:
    """Lower-case ASCII words of any script's title, joined by hyphens."""
    return slugify(title, max_length=LONGEST, word_boundary=True) or slugify(title)[:LONGEST]


def asked_for(typed: str) -> str:
    """The address that somebody asks for. One of ours may be longer than others by its number, and
    stays as it is when a form brings it back."""
    slug = plain(typed)
    return typed if NUMBERED.fullmatch(typed) and slugify(typed) == typed else slug


def is_reserved(slug: str) -> bool:
    return slug in RESERVED or UUID_SHAPE.fullmatch(slug) is not None


def is_anothers(db: Session, post: Post, slug: str) -> bool:
    """Whether another post has or had this address."""
    return find_post_id(db, slug) not in (None, post.id)


def claim(db: Session, post: Post, slug: str) -> bool:
    """Give the post exactly this address, unless it is another's: then False.

    The primary key of `slugs` decides who was first, so two writers at once get two addresses.
    Its older addresses stay its own and lead to the new one, if anybody can have seen them.
    """
    if not owns(db, post, slug) and not take(db, post, slug):
        return False
    old, post.slug = post.slug, slug
    if old and old != slug and not post.was_published:
        db.execute(delete(Slug).where(col(Slug.slug) == old))
    return True


def claim_similar(db: Session, post: Post, wanted: str) -> None:
    """Give the post this address, else the same with a number, else with letters."""
    if not any(claim(db, post, slug) for slug in islice(candidates(db, wanted), TRIES)):
        raise RuntimeError("No free slug, although they are random by now.")


def find_post_id(db: Session, slug: str) -> object:
    """The id of the post that has or had this slug, None if none did."""
    return db.exec(select(Slug.post_id).where(Slug.slug == slug)).first()


def candidates(db: Session, wanted: str, table: type[Slug | Series] = Slug) -> Iterator[str]:
    yield wanted
    pattern = wanted.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%") + "-%"
    taken = set(db.exec(select(table.slug).where(col(table.slug).like(pattern, escape="\\"))))
    free = next(n for n in range(2, len(taken) + 3) if f"{wanted}-{n}" not in taken)
    yield f"{wanted}-{free}"
    while True:
        yield f"{wanted}-{secrets.token_hex(3)}"


def owns(db: Session, post: Post, slug: str) -> bool:
    """One without an address has never had any."""
    return bool(post.slug) and find_post_id(db, slug) == post.id


def take(db: Session, post: Post, slug: str) -> bool:
    """Whoever asks for it at the same moment waits until it is clear who has it."""
    new = upsert_of(is_sqlite=streams.is_sqlite(db))(table_of(Slug))
    taken = db.execute(
        new.on_conflict_do_nothing().returning(col(Slug.slug)),
        {"slug": slug, "post_id": post.id},
    )
    return taken.first() is not None

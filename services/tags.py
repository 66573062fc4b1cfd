"""Tags: few words on a post, shared by all posts that carry them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from slugify import slugify
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from database import table_of
from errors import NotFound
from languages import _
from models import PostTag, Tag, TagAlias
from services.text import checked_line

MOST, LONGEST = 10, 50
LONGEST_LINE = 4 * MOST * (LONGEST + 2)
SHAPE = re.compile(r"[a-z0-9-]{1,120}")


def parse(typed: str) -> list[str]:
    """Names from a comma-separated line: trimmed, in order, each once.

    Raises:
        ValueError: a name is too long or has a character that cannot be in a line; too many.
    """
    if len(typed) > LONGEST_LINE:
        raise ValueError(
            _(
                "At most %(most)s tags, please, of up to %(longest)s characters.",
                most=MOST,
                longest=LONGEST,
            )
        )
    names: dict[str, str] = {}
    for part in typed.split(","):
        if part.strip():
            name = check(part)
            names.setdefault(slug_of(name), name)
    if len(names) > MOST:
        raise ValueError(
            _("At most %(most)s tags, please; these are %(names)s.", most=MOST, names=len(names))
        )
    return list(names.values())


def check(name: str) -> str:
    name = " ".join(checked_line(name, LONGEST).split()).lstrip("# ")
    if not slug_of(name):
        raise ValueError(_("A tag needs a letter or a digit: “%(name)s” has none.", name=name))
    return name


def slug_of(name: str) -> str:
    """“C++” and “C#” are not “C”: what a slug would drop is spelled out."""
    return slugify(name.replace("+", " plus ").replace("#", " sharp "), max_length=100)


def put_on(db: Session, post_id: UUID, names: Sequence[str], *, is_new: bool = False) -> list[Tag]:
    """Let the post carry exactly these tags, in this order; a new one carries none yet. A name that
    a tag had before is the tag that it became. Those that it carries now."""
    db.flush()  # the post must be there before its tags
    found = found_or_made(db, {slug_of(name): name for name in names})
    carried = list({tag.id: tag for tag in found}.values())
    if not is_new:
        db.execute(delete(PostTag).where(col(PostTag.post_id) == post_id))
    rows = [
        {"post_id": post_id, "tag_id": tag.id, "position": position}
        for position, tag in enumerate(carried)
    ]
    if rows:
        db.execute(insert(table_of(PostTag)), rows)
    return carried


def of_post(db: Session, post_id: UUID) -> list[Tag]:
    return of_posts(db, [post_id])[post_id]


def of_posts(db: Session, post_ids: Iterable[UUID]) -> dict[UUID, list[Tag]]:
    """The tags of several posts by one query; a post without tags has an empty list."""
    found: dict[UUID, list[Tag]] = defaultdict(list)
    rows = db.exec(
        select(PostTag.post_id, Tag)
        .join(Tag)
        .where(col(PostTag.post_id).in_(list(post_ids)))
        .order_by(col(PostTag.position))
    )
    for post_id, tag in rows:
        found[post_id].append(tag)
    return found


def find(db: Session, slug: str) -> Tag:
    """The tag that has or had this slug. Raises NotFound."""
    if not SHAPE.fullmatch(slug):
        raise NotFound
    tag = db.exec(select(Tag).where(Tag.slug == slug)).first()
    if tag is None:
        had_it = col(Tag.id) == TagAlias.tag_id
        tag = db.exec(select(Tag).join(TagAlias, had_it).where(TagAlias.slug == slug)).first()
    if tag is None:
        raise NotFound
    return tag


def found_or_made(db: Session, names: dict[str, str]) -> list[Tag]:
    """By slug and name, in this order; those that are missing are made."""
    known = known_by(db, list(names)) if names else {}
    # One order for everybody who makes tags: two posts at once must not wait for each other.
    for slug in sorted(names.keys() - known.keys()):
        known[slug] = make(db, slug, names[slug])
    return [known[slug] for slug in names]


def known_by(db: Session, slugs: list[str]) -> dict[str, Tag]:
    """By the slugs that tags have or had. Until this transaction ends none of them goes, and who
    renames or merges tags waits: see `tag_names.alone`."""
    today = select(Tag).where(col(Tag.slug).in_(slugs))
    as_stored = {"populate_existing": True}  # one that was read before may have been renamed since
    named = db.exec(today.with_for_update(read=True, key_share=True), execution_options=as_stored)
    found = {tag.slug: tag for tag in named}
    if missing := [slug for slug in slugs if slug not in found]:
        had_it = col(Tag.id) == TagAlias.tag_id
        old = select(TagAlias.slug, Tag).join(Tag, had_it).where(col(TagAlias.slug).in_(missing))
        found |= dict(db.exec(old, execution_options=as_stored).all())
    return found


def are_same(db: Session, one: str, other: str) -> bool:
    """Whether two lines of tags mean the same, also by names of before."""
    slugs = [[slug_of(name) for name in parse(typed)] for typed in (one, other)]
    known = known_by(db, [*slugs[0], *slugs[1]])
    first, second = ([known[s].id if s in known else s for s in each] for each in slugs)
    return first == second


def make(db: Session, slug: str, name: str) -> Tag:
    try:
        with db.begin_nested():
            tag = Tag(slug=slug, name=name)
            db.add(tag)
    except IntegrityError:  # somebody else made it meanwhile
        return db.exec(select(Tag).where(Tag.slug == slug)).one()
    return tag

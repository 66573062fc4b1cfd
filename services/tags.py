"""Tags: few words on a post, shared by all posts that carry them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from slugify import slugify
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from errors import NotFound
from models import PostTag, Tag
from services.text import checked_line

MOST, LONGEST = 10, 50
LONGEST_LINE = 4 * MOST * (LONGEST + 2)


def parse(typed: str) -> list[str]:
    """Names from a comma-separated line: trimmed, in order, each once.

    Raises:
        ValueError: a name is too long or has a character that cannot be in a line; too many.
    """
    if len(typed) > LONGEST_LINE:
        raise ValueError(f"At most {MOST} tags, please, of up to {LONGEST} characters.")
    names: dict[str, str] = {}
    for part in typed.split(","):
        if part.strip():
            name = check(part)
            names.setdefault(slug_of(name), name)
    if len(names) > MOST:
        raise ValueError(f"At most {MOST} tags, please; these are {len(names)}.")
    return list(names.values())


def check(name: str) -> str:
    name = " ".join(checked_line(name, LONGEST).split()).lstrip("# ")
    if not slug_of(name):
        raise ValueError(f"A tag needs a letter or a digit: “{name}” has none.")
    return name


def slug_of(name: str) -> str:
    """“C++” and “C#” are not “C”: what a slug would drop is spelled out."""
    return slugify(name.replace("+", " plus ").replace("#", " sharp "), max_length=100)


def put_on(db: Session, post_id: UUID, names: Sequence[str]) -> None:
    """Let the post carry exactly these tags, in this order."""
    db.flush()  # the post must be there before its tags
    db.execute(delete(PostTag).where(col(PostTag.post_id) == post_id))
    # One order for everybody who makes tags: two posts at once must not wait for each other.
    ids = {name: find_or_make(db, name) for name in sorted(names, key=slug_of)}
    db.add_all(
        PostTag(post_id=post_id, tag_id=tag_id, position=position)
        for position, tag_id in enumerate(dict.fromkeys(ids[name] for name in names))
    )


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
    tag = db.exec(select(Tag).where(Tag.slug == slug)).first()
    if tag is None:
        raise NotFound
    return tag


def find_or_make(db: Session, name: str) -> int:
    slug = slug_of(name)
    wanted = select(Tag.id).where(Tag.slug == slug)
    found = db.exec(wanted).first()
    if found is None:
        try:
            with db.begin_nested():
                tag = Tag(slug=slug, name=name)
                db.add(tag)
            found = tag.id
        except IntegrityError:  # somebody else made it meanwhile
            found = db.exec(wanted).first()
    assert found is not None
    return found

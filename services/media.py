"""The library of images: found, described and deleted. They come in by uploads.py, and media_uses.py
says where they stand and who may see them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func
from sqlmodel import Session, col, select

from backends.storage import Storage
from database import Database, after_commit
from errors import NotFound
from models import Media, User, now
from services import cursors, media_names
from services.permissions import EDIT_ANY, has_scopes
from services.text import optional_line, printable
from settings import Settings

PER_PAGE = 30
MEGABYTE = 1024 * 1024
LONGEST_TEXT = 500
FOLDER = "media"
# Long after any upload is over: what no row speaks of by then is nobody's.
ORPHANED_AFTER = timedelta(days=1)
KEYS_AT_ONCE = 500
DELETED = "media.deleted"  # for Database.listeners: the keys of files that are to go


class About(BaseModel):
    """`alt` is for those who do not see the image, `caption` for everybody."""

    alt: Annotated[str, optional_line(LONGEST_TEXT)] = ""
    caption: Annotated[str, optional_line(LONGEST_TEXT)] = ""


@dataclass(frozen=True)
class Page:
    """Images, the newest first, and the cursor of the page with older ones."""

    images: Sequence[Media]
    older: str | None

    @property
    def cards(self) -> list["Card"]:
        return [card_of(image) for image in self.images]


@dataclass(frozen=True)
class Card:
    """An image as lists show it: with a small copy, as wide as `width`."""

    image: Media
    url: str
    thumbnail: str
    width: int
    height: int
    markdown: str


@dataclass(frozen=True)
class Room:
    """How many bytes somebody's images take, and may take."""

    used: int
    quota: int

    @property
    def is_full(self) -> bool:
        return self.used >= self.quota

    @property
    def percent(self) -> int:
        return min(100 * self.used // self.quota, 100)


def get(db: Session, media_id: UUID) -> Media:
    """The image with this id, whoever may see it. Raises NotFound."""
    found = db.get(Media, media_id)
    if found is None:
        raise NotFound
    return found


def latest(
    db: Session, user: User, wanted: str = "", before: str = "", *, of_all: bool = False
) -> Page:
    """Somebody's images, or everybody's if an editor wants `of_all`; only those whose name,
    description or caption has the words `wanted`. Raises NotFound: the cursor is none of ours."""
    query = select(Media)
    if not (of_all and has_scopes(user, EDIT_ANY)):
        query = query.where(Media.user_id == user.id)
    for word in printable(wanted).split()[:10]:
        texts = (col(Media.name), col(Media.alt), col(Media.caption))
        in_name, in_alt, in_caption = (text.icontains(word, autoescape=True) for text in texts)
        query = query.where(in_name | in_alt | in_caption)
    return Page(*cursors.newest(db, query, Media, before, PER_PAGE))


def room(db: Session, user: User, settings: Settings) -> Room:
    used = db.exec(select(func.sum(Media.bytes)).where(Media.user_id == user.id)).one()
    return Room(int(used or 0), settings.media_quota_mb * MEGABYTE)


def describe(db: Session, image: Media, about: About) -> None:
    image.alt, image.caption = about.alt, about.caption
    db.add(image)


def delete(db: Session, images: Iterable[Media]) -> None:
    """For good: texts that show them show a gap. The files go once the rows have gone."""
    keys: list[str] = []
    for image in images:
        db.delete(image)
        keys += keys_of(image)
    if keys:
        after_commit(db, DELETED, tuple(keys))


def key(media_id: UUID, width: int) -> str:
    return f"{FOLDER}/{media_id}/{width}.webp"


def widths_of(image: Media) -> tuple[int, ...]:
    """All in which it is stored, the whole image last."""
    return (*media_names.offered_widths(image.width), image.width)


def keys_of(image: Media) -> list[str]:
    return [key(image.id, width) for width in widths_of(image)]


def card_of(image: Media) -> Card:
    width = widths_of(image)[0]
    height = max(round(image.height * width / image.width), 1)
    url = url_of(image)
    thumbnail = url if width == image.width else f"{url}?w={width}"
    return Card(image, url, thumbnail, width, height, markdown_of(image))


def url_of(image: Media) -> str:
    return f"/media/{image.id}/{image.name}"


def markdown_of(image: Media) -> str:
    """What shows it in a text: `![A heron](/media/…/heron-1600x900.webp "On the pontoon")`."""
    alt = escaped(image.alt, "\\[]")
    caption = f' "{escaped(image.caption, chr(92) + chr(34))}"' if image.caption else ""
    return f"![{alt}]({url_of(image)}{caption})"


def escaped(text: str, characters: str) -> str:
    return "".join(f"\\{each}" if each in characters else each for each in text)


def sweep(database: Database, storage: Storage) -> int:
    """Delete files that no row speaks of, left by a process that died; how many that were."""
    total = 0
    old = storage.keys(FOLDER, now() - ORPHANED_AFTER)
    for keys in portions(old, KEYS_AT_ONCE):
        total += delete_unknown(database, storage, keys)
    return total


def delete_unknown(database: Database, storage: Storage, keys: Sequence[str]) -> int:
    """Delete those files of which no row speaks; how many that were."""
    named = {each: id_in(each) for each in keys}
    with database.reading() as db:
        ids = {media_id for media_id in named.values() if media_id}
        known = set(db.exec(select(Media.id).where(col(Media.id).in_(ids))))
    orphans = [each for each, media_id in named.items() if media_id not in known]
    storage.delete(orphans)
    return len(orphans)


def id_in(key: str) -> UUID | None:
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None


def portions(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while some := list(islice(keys, size)):
        yield some

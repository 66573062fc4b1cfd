"""Images come in: decoded, made smaller, stored, counted. Files first, then the row: what a crash
leaves behind is a file that nobody knows of, never an image without one."""

import hashlib
from contextlib import suppress
from typing import IO
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from backends import Unavailable
from backends.storage import Storage
from database import Database
from errors import DomainError, Invalid
from languages import _
from models import Media, User
from services import accounts, imaging, media, media_names
from services.media import MEGABYTE, About, Room
from settings import Settings

BLOCK = 256 * 1024


def add(
    database: Database,
    storage: Storage,
    settings: Settings,
    user: User,
    file: IO[bytes],
    name: str,
    about: About,
) -> Media:
    """Put an image into somebody's library; the same file again is the same image again.

    `file` is on the disk, `name` is what they call it. May take a minute, and must be called
    outside of any transaction.

    Raises:
        NotAnImage: it is no image, or none of the kinds that we take.
        Invalid: it is damaged, or too much, or there is no room for it.
        Unavailable: the storage does not answer.
    """
    digest = digest_of(file)
    with database.reading() as db:
        twin = find_twin(db, user, digest)
        room = media.room(db, user, settings)
    if twin:
        return described(database, twin, about)
    if room.is_full:
        raise no_room(room)
    with imaging.converted(file) as found:
        image = Media(
            id=uuid4(),
            user_id=user.id,
            name=media_names.name_for(name, found.width, found.height),
            content_type=imaging.CONTENT_TYPE,
            width=found.width,
            height=found.height,
            bytes=sum(found.sizes.values()),
            source_digest=digest,
            **about.model_dump(),
        )
        store(storage, image, found)
    return record(database, storage, settings, user, image)


def digest_of(file: IO[bytes]) -> str:
    """SHA-256. Raises Invalid if there is nothing in it."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    if not size:
        raise Invalid({"file": _("This file is empty. Please choose another.")})
    return digest.hexdigest()


def find_twin(db: Session, user: User, digest: str) -> Media | None:
    mine = select(Media).where(Media.user_id == user.id, Media.source_digest == digest)
    return db.exec(mine).first()


def described(database: Database, twin: Media, about: About) -> Media:
    """A description that comes with the second copy is taken if the first had none."""
    if (about.alt and not twin.alt) or (about.caption and not twin.caption):
        with database.writing() as db:
            twin = media.get(db, twin.id)
            alt, caption = twin.alt or about.alt, twin.caption or about.caption
            media.describe(db, twin, About(alt=alt, caption=caption))
    return twin


def store(storage: Storage, image: Media, found: imaging.Converted) -> None:
    """All files, or none as far as it is up to us; `media.sweep` finds what is left."""
    try:
        for width, data in found.each():
            storage.put(media.key(image.id, width), data)
    except (Unavailable, SQLAlchemyError):
        with suppress(Unavailable, SQLAlchemyError):
            storage.delete(media.keys_of(image))
        raise


def record(
    database: Database, storage: Storage, settings: Settings, user: User, image: Media
) -> Media:
    """The row, if there is room. Of uploads at once each is counted before the next is judged.

    Whatever else goes wrong here may have gone well in the database, so the files stay.
    """
    try:
        with database.writing() as db:
            accounts.locked(db, user.id)
            twin = find_twin(db, user, image.source_digest)
            room = media.room(db, user, settings)
            if twin is None and room.used + image.bytes > room.quota:
                raise no_room(room)
            if twin is None:
                db.add(image)
    except DomainError:
        storage.delete(media.keys_of(image))
        raise
    if twin:
        storage.delete(media.keys_of(image))
    return twin or image


def no_room(room: Room) -> Invalid:
    used, quota = round(room.used / MEGABYTE), room.quota // MEGABYTE
    return Invalid(
        {
            "file": _(
                "There is no room for this image: yours take %(used)s MB of %(quota)s MB. Delete some in your library, then try again.",
                used=used,
                quota=quota,
            )
        }
    )

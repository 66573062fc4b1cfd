"""Importing, step by step: open, plan, decode images, store. Only the last step and the files of
images change anything, and what becomes of those without the last step is swept up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, select

from backends import Unavailable
from backends.storage import Storage
from database import Database
from models import User
from services import media
from services.archives import pictures, planning, unpacking
from services.archives.containers import Container
from services.archives.foreign import Foreign
from services.archives.planning import Plan
from services.archives.reading import MANIFEST, Archive, Own, Report
from services.archives.rendered import Rendered
from settings import Role, Settings

Advance = Callable[[], None]


def archive_in(container: Container, settings: Settings) -> Archive:
    """Ours, or one that another program has made. Raises Invalid."""
    if MANIFEST in container.sizes:
        return Own(container, Report())
    return Foreign(container, Report(), settings.zone)


@contextmanager
def planned(database: Database, archive: Archive, author: str, advance: Advance) -> Iterator[Plan]:
    """What is to be done; see `planning.made`. Texts without an author are the owner's."""
    with Rendered() as rendered:
        with database.reading() as db:
            if isinstance(archive, Foreign):
                archive.author = author = author or owner(db)
            plan = planning.made(db, archive, rendered, author, advance)
        yield plan


def owner(db: Session) -> str:
    return db.exec(select(User.username).where(User.role == Role.owner)).first() or ""


@contextmanager
def pictures_of(
    database: Database, plan: Plan, storage: Storage | None, advance: Advance
) -> Iterator[dict[UUID, int]]:
    """The bytes of each image that was decoded and, unless it is only tried, stored; if the block
    fails the files are deleted, unless somebody else has imported the same images meanwhile.

    Raises:
        Invalid: one is no image.
        Unavailable: the storage does not answer.
    """
    done: dict[UUID, pictures.Stored] = {}
    try:
        for about in plan.pictures:
            with plan.archive.report.about(f"media/{about.id}/{about.name}"):
                done[about.id] = pictures.take(storage, about, plan.archive.picture(about))
            advance()
        if plan.archive.report.problems:
            raise plan.archive.report.refusal()
        yield {media_id: stored.bytes for media_id, stored in done.items()}
    except BaseException:
        with suppress(Unavailable, SQLAlchemyError):
            if storage:
                keys = [key for stored in done.values() for key in stored.keys]
                media.delete_unknown(database, storage, keys)
        raise


def store(database: Database, plan: Plan, sizes: dict[UUID, int], advance: Advance) -> None:
    """All of it, or nothing; see `unpacking.store`."""
    with database.writing() as db:
        unpacking.store(db, plan, sizes, advance)

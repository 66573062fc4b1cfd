"""Where the files of images live: in the database, or in an object store (S3 and its likes)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from database import Database
from settings import Settings


class Storage(Protocol):
    """Files by key, such as "media/1f…/480.webp". Every call may raise Unavailable, or the errors
    of a database; none may be made inside a transaction that writes."""

    def put(self, key: str, data: bytes) -> None:
        """Store a file, whole or not at all; one that is there already is replaced."""

    def get(self, key: str) -> bytes | None:
        """A whole file; None if there is none."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files. What is not there is no mistake."""

    def keys(self, folder: str, before: datetime) -> Iterator[str]:
        """The keys in a folder, of files that were stored before a moment; in no order."""


def open_storage(settings: Settings, database: Database) -> Storage:
    if settings.media_url:
        from backends.storage.object_store import ObjectStorage

        return ObjectStorage(settings.media_url)
    from backends.storage.database import DatabaseStorage

    return DatabaseStorage(database)

"""Files as rows: nothing to set up, and they are in every backup of the database."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from database import Database
from models import Blob

AT_ONCE = 500


class DatabaseStorage:
    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, key: str, data: bytes) -> None:
        with self.database.writing() as db:
            db.merge(Blob(key=key, data=data))

    def get(self, key: str) -> bytes | None:
        with self.database.reading() as db:
            return db.exec(select(Blob.data).where(Blob.key == key)).first()

    def delete(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            with self.database.writing() as db:
                db.execute(delete(Blob).where(col(Blob.key).in_(some)))

    def keys(self, folder: str, before: datetime) -> Iterator[str]:
        """A few at a time, so that no transaction is held by whoever reads them slowly."""
        last = ""
        while some := self.keys_after(last, folder, before):
            yield from some
            last = some[-1]

    def keys_after(self, last: str, folder: str, before: datetime) -> list[str]:
        wanted = select(Blob.key).where(
            col(Blob.key) > last,
            col(Blob.key).startswith(f"{folder}/", autoescape=True),
            col(Blob.stored_at) < before,
        )
        with self.database.reading() as db:
            return list(db.exec(wanted.order_by(Blob.key).limit(AT_ONCE)))

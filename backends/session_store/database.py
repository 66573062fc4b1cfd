"""Sessions in the database: the default, and right for several processes too."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from anyio import to_thread
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, col

from backends import Unavailable
from backends.session_store import Record
from backends.together import Together
from database import Database
from models import StoredSession, now

T = TypeVar("T")


class DatabaseStore:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.loading = Together(self.load_all)

    async def load(self, key: str) -> Record | None:
        return alive(await self.loading.get(key))

    async def load_all(self, keys: list[str]) -> list[StoredSession | None]:
        def find(db: Session) -> list[StoredSession | None]:
            rows = db.scalars(select(StoredSession).where(col(StoredSession.key).in_(keys)))
            known = {row.key: row for row in rows}
            return [known.get(key) for key in keys]

        return await self.read(find)

    async def create(self, key: str, record: Record) -> None:
        row = StoredSession(
            key=key,
            user_id=record.user_id,
            data=json.dumps(record.data),
            expires_at=record.expires_at,
            ends_at=record.ends_at,
        )

        def insert(db: Session) -> None:
            stored = col(StoredSession.key)
            over = select(stored).where(col(StoredSession.expires_at) <= now())
            # Rows that somebody else is at are left for the next time.
            free = over.with_for_update(skip_locked=True)
            db.execute(delete(StoredSession).where(stored.in_(free)))
            db.add(row)

        await self.write(insert)

    async def update(self, key: str, changes: dict[str, Any]) -> bool:
        def change(db: Session) -> bool:
            row = db.get(StoredSession, key, with_for_update=True)
            record = alive(row)
            if row is None or record is None:
                return False
            data = {k: v for k, v in (record.data | changes).items() if v is not None}
            row.data = json.dumps(data)
            return True

        return await self.write(change)

    async def extend(self, key: str, idle: timedelta) -> bool:
        def move(db: Session) -> bool:
            row = db.get(StoredSession, key, with_for_update=True)
            if row is None or alive(row) is None:
                return False
            row.expires_at = min(now() + idle, row.ends_at)
            return True

        return await self.write(move)

    async def delete(self, key: str) -> None:
        def drop(db: Session) -> None:
            db.execute(delete(StoredSession).filter_by(key=key))

        await self.write(drop)

    async def of_user(self, user_id: str) -> dict[str, Record]:
        def find(db: Session) -> dict[str, Record]:
            rows = db.scalars(select(StoredSession).filter_by(user_id=user_id))
            return {row.key: record for row in rows if (record := alive(row))}

        return await self.read(find)

    async def delete_of_user(self, user_id: str, but: str | None = None) -> int:
        def drop(db: Session) -> int:
            theirs = delete(StoredSession).filter_by(user_id=user_id)
            result: Any = db.execute(theirs.where(col(StoredSession.key) != (but or "")))
            return int(result.rowcount)

        return await self.write(drop)

    async def ping(self) -> None:
        def ask(db: Session) -> None:
            db.execute(text("SELECT 1"))

        await self.read(ask)

    async def close(self) -> None: ...

    async def read(self, work: Callable[[Session], T]) -> T:
        def run() -> T:
            with self.database.reading() as db:
                return work(db)

        return await in_thread(run)

    async def write(self, work: Callable[[Session], T]) -> T:
        def run() -> T:
            with self.database.writing() as db:
                return work(db)

        return await in_thread(run)


async def in_thread(run: Callable[[], T]) -> T:
    """Only values may come back: a cursor that dies in the event loop waits there for its
    connection, and with it for whoever uses that now.
    """
    try:
        return await to_thread.run_sync(run)
    except (DBAPIError, PoolTimeout) as error:
        raise Unavailable from error


def alive(row: StoredSession | None) -> Record | None:
    if row is None or min(row.expires_at, row.ends_at) <= now():
        return None
    try:
        data = json.loads(row.data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    return Record(row.user_id, data, row.expires_at, row.ends_at)

"""Where logins live: Redis when there is one, else the database; in memory for try-outs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from database import Database


@dataclass(frozen=True)
class Record:
    """One stored session: its fields (JSON values), and until when it lives if nothing comes."""

    user_id: str | None
    data: dict[str, Any]
    expires_at: datetime
    ends_at: datetime


class SessionStore(Protocol):
    """Sessions by key, the SHA-256 of the id in the cookie. Every call may raise Unavailable."""

    async def load(self, key: str) -> Record | None:
        """The session, or None if it is unknown, over, or not readable."""

    async def create(self, key: str, record: Record) -> None:
        """Store a new session; it lives until `expires_at`."""

    async def update(self, key: str, changes: dict[str, Any]) -> bool:
        """Write single fields, None deletes one; False, and no write, if the session is gone.

        Deltas only: two requests at once lose nothing of each other, and a slow request cannot
        bring back a session that was ended meanwhile.
        """

    async def extend(self, key: str, idle: timedelta) -> bool:
        """Let it live for `idle` from now, but never past `ends_at`; False if it is gone."""

    async def delete(self, key: str) -> None: ...

    async def of_user(self, user_id: str) -> dict[str, Record]:
        """All sessions of one person, by key."""

    async def delete_of_user(self, user_id: str, but: str | None = None) -> int:
        """End all sessions of one person except `but`; how many were ended."""

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def open_store(redis_url: str, database: Database) -> SessionStore:
    if redis_url:
        from backends.session_store.redis import RedisStore

        return RedisStore(redis_url)
    from backends.session_store.database import DatabaseStore

    return DatabaseStore(database)

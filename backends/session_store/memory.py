"""Sessions in this process only: for tests and try-outs, gone with a restart."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from backends.session_store import Record
from models import now


class MemoryStore:
    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    async def load(self, key: str) -> Record | None:
        record = self.records.get(key)
        if record is None or min(record.expires_at, record.ends_at) <= now():
            self.records.pop(key, None)
            return None
        return replace(record, data=plain(record.data))

    async def create(self, key: str, record: Record) -> None:
        self.records[key] = replace(record, data=plain(record.data))

    async def update(self, key: str, changes: dict[str, Any]) -> bool:
        record = await self.load(key)
        if record is None:
            return False
        data = {k: v for k, v in (record.data | changes).items() if v is not None}
        self.records[key] = replace(record, data=plain(data))
        return True

    async def extend(self, key: str, idle: timedelta) -> bool:
        record = await self.load(key)
        if record is None:
            return False
        self.records[key] = replace(record, expires_at=min(now() + idle, record.ends_at))
        return True

    async def delete(self, key: str) -> None:
        self.records.pop(key, None)

    async def of_user(self, user_id: str) -> dict[str, Record]:
        alive = {key: await self.load(key) for key in list(self.records)}
        return {key: found for key, found in alive.items() if found and found.user_id == user_id}

    async def delete_of_user(self, user_id: str, but: str | None = None) -> int:
        theirs = [key for key in await self.of_user(user_id) if key != but]
        for key in theirs:
            del self.records[key]
        return len(theirs)

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """A copy, as strict about values as the stores that serialise."""
    copy: dict[str, Any] = json.loads(json.dumps(data))
    return copy

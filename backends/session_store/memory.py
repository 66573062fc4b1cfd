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
        if record is None or record.expires_at <= now():
            self.records.pop(key, None)
            return None
        return record

    async def create(self, key: str, record: Record) -> None:
        json.dumps(record.data)  # as strict about values as the stores that serialise
        self.records[key] = record

    async def update(self, key: str, changes: dict[str, Any]) -> bool:
        record = await self.load(key)
        if record is None:
            return False
        data = {k: v for k, v in (record.data | changes).items() if v is not None}
        self.records[key] = replace(record, data=data)
        return True

    async def extend(self, key: str, idle: timedelta) -> None:
        if record := await self.load(key):
            self.records[key] = replace(record, expires_at=min(now() + idle, record.ends_at))

    async def delete(self, key: str) -> None:
        self.records.pop(key, None)

    async def of_user(self, user_id: str) -> dict[str, Record]:
        return {
            key: record
            for key, record in self.records.items()
            if record.user_id == user_id and record.expires_at > now()
        }

    async def delete_of_user(self, user_id: str, but: str | None = None) -> int:
        theirs = [key for key in await self.of_user(user_id) if key != but]
        for key in theirs:
            del self.records[key]
        return len(theirs)

    async def ping(self) -> None: ...

    async def close(self) -> None: ...

"""Sessions in Redis: a hash each, its fields as JSON, and per person a set of their keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.exceptions import ResponseError

from backends.breaker import Breaker
from backends.redis_options import MOST_CONNECTIONS, NO_RETRIES, redis_options
from backends.session_store import Record
from backends.together import Together
from models import now

SESSION = "inkstand:session:"
OF_USER = "inkstand:sessions-of:"
USER, ENDS = ".user", ".ends"  # not JSON, and no field of ours starts with a dot

UPDATE = """
if redis.pcall('HEXISTS', KEYS[1], '.ends') ~= 1 then return 0 end
for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1
"""
DELETE = """
local user = redis.pcall('HGET', KEYS[1], '.user')
redis.call('DEL', KEYS[1])
if type(user) == 'string' and user ~= '' then redis.call('SREM', ARGV[1] .. user, ARGV[2]) end
"""


class RedisStore:
    def __init__(self, url: str) -> None:
        self.client: Any = redis.Redis.from_url(url, retry=Retry(*NO_RETRIES), **redis_options(url))
        self.update_script = self.client.register_script(UPDATE)
        self.delete_script = self.client.register_script(DELETE)
        self.breaker = Breaker()
        self.loading = Together(self.load_all)
        self.turns = asyncio.Semaphore(MOST_CONNECTIONS)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Around each call; who waits for a turn while Redis goes away waits no longer."""
        async with self.turns:
            with self.breaker:
                yield

    async def load(self, key: str) -> Record | None:
        return parse(*await self.loading.get(key))

    async def load_all(self, keys: list[str]) -> list[tuple[Any, ...]]:
        """Fields and milliseconds left of each, as Redis says it."""
        pipe = self.client.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(SESSION + key)
            pipe.pttl(SESSION + key)
        async with self.turn():
            replies = await pipe.execute(raise_on_error=False)
            for reply in replies:
                if isinstance(reply, Exception) and not is_wrong_type(reply):
                    raise reply
        return list(zip(replies[::2], replies[1::2], strict=True))

    async def create(self, key: str, record: Record) -> None:
        fields = {name: json.dumps(value) for name, value in record.data.items()}
        fields |= {USER: record.user_id or "", ENDS: str(record.ends_at.timestamp())}
        pipe = self.client.pipeline(transaction=True)
        pipe.hset(SESSION + key, mapping=fields)
        pipe.pexpire(SESSION + key, until(min(record.expires_at, record.ends_at)))
        if record.user_id:
            pipe.sadd(OF_USER + record.user_id, key)
            pipe.pexpire(OF_USER + record.user_id, until(record.ends_at))
        async with self.turn():
            await pipe.execute()

    async def update(self, key: str, changes: dict[str, Any]) -> bool:
        words: list[str] = []
        for name, value in changes.items():
            words += [name, "" if value is None else json.dumps(value)]
        async with self.turn():
            return bool(await self.update_script(keys=[SESSION + key], args=words))

    async def extend(self, key: str, idle: timedelta) -> bool:
        record = await self.load(key)
        if record is None:
            return False
        expires_at = min(now() + idle, record.ends_at)
        async with self.turn():
            return bool(await self.client.pexpire(SESSION + key, until(expires_at)))

    async def delete(self, key: str) -> None:
        async with self.turn():
            await self.delete_script(keys=[SESSION + key], args=[OF_USER, key])

    async def of_user(self, user_id: str) -> dict[str, Record]:
        async with self.turn():
            keys = sorted(await self.client.smembers(OF_USER + user_id))
        records = await asyncio.gather(*map(self.load, keys))
        return {key: record for key, record in zip(keys, records, strict=True) if record}

    async def delete_of_user(self, user_id: str, but: str | None = None) -> int:
        async with self.turn():
            known = await self.client.smembers(OF_USER + user_id)
        theirs = [key for key in known if key != but]
        if not theirs:
            return 0
        pipe = self.client.pipeline(transaction=True)
        pipe.delete(*(SESSION + key for key in theirs))
        pipe.srem(OF_USER + user_id, *theirs)
        async with self.turn():
            ended, _ = await pipe.execute()
        return int(ended)

    async def ping(self) -> None:
        async with self.turn():
            await self.client.ping()

    async def close(self) -> None:
        await self.client.aclose()


PARSE_ERRORS = (
    AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError, RecursionError,
)  # fmt: skip


def parse(fields: Any, milliseconds: Any) -> Record | None:
    """A Record of what Redis holds; None for anything that we did not write."""
    try:
        fields = dict(fields)  # others who asked at the same moment got the same ones
        user_id, ends = fields.pop(USER), float(fields.pop(ENDS))
        data = {name: json.loads(value) for name, value in fields.items()}
        ends_at = datetime.fromtimestamp(ends, UTC)
        if milliseconds < 0 or ends_at <= now():
            return None
    except PARSE_ERRORS:
        return None
    return Record(user_id or None, data, now() + timedelta(milliseconds=milliseconds), ends_at)


def is_wrong_type(error: Exception) -> bool:
    return isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE")


def until(moment: datetime) -> int:
    """Milliseconds from now, at least one."""
    return max(int((moment - now()).total_seconds() * 1000), 1)

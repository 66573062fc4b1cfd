"""How often something may be tried: counters in Redis, else in the database, else in memory."""

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Delete, case, delete, select, update
from sqlmodel import col

from backends import Unavailable
from database import Database, upsert_of
from errors import TooOften
from models import Throttle, now

MOST_KEYS_IN_MEMORY = 50_000


@dataclass(frozen=True)
class Limit:
    """At most `most` tries in a window that opens with the first."""

    name: str
    most: int
    window: timedelta

    def key(self, who: str) -> str:
        """The counter's name: hashed, so that no store holds names and addresses in the open."""
        return hashlib.sha256(f"{self.name}:{who}".encode()).hexdigest()


class Limits(Protocol):
    def take(self, limit: Limit, who: str) -> float:
        """Count one try, atomically. 0 if it may go on, else the seconds until the window ends."""

    def wait(self, limit: Limit, who: str) -> float:
        """What `take` would say, if it is not 0; but nothing is counted, and nothing written."""

    def give_back(self, limit: Limit, who: str) -> None:
        """Uncount one try: it turned out to be harmless."""

    def clear(self, limit: Limit, who: str) -> None:
        """Forget all tries."""

    def close(self) -> None: ...


def take_one(limits: Limits, limit: Limit, who: str) -> None:
    """Count one try. Raises TooOften if it is one too many."""
    if seconds := limits.take(limit, who):
        raise TooOften(seconds)


class MemoryLimits:
    """For one process, and for any process while Redis is away: a limit never fails open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.windows: dict[str, tuple[int, float]] = {}

    def take(self, limit: Limit, who: str) -> float:
        key, moment = limit.key(who), time.monotonic()
        with self.lock:
            tries, ends = self.windows.pop(key, (0, 0.0))
            if ends <= moment:
                tries, ends = 0, moment + limit.window.total_seconds()
            self.windows[key] = (tries + 1, ends)
            if len(self.windows) > MOST_KEYS_IN_MEMORY:
                del self.windows[next(iter(self.windows))]
        return ends - moment if tries >= limit.most else 0

    def wait(self, limit: Limit, who: str) -> float:
        with self.lock:
            tries, ends = self.windows.get(limit.key(who), (0, 0.0))
        return max(ends - time.monotonic(), 0) if tries >= limit.most else 0

    def give_back(self, limit: Limit, who: str) -> None:
        with self.lock:
            if window := self.windows.get(limit.key(who)):
                self.windows[limit.key(who)] = (max(window[0] - 1, 0), window[1])

    def clear(self, limit: Limit, who: str) -> None:
        with self.lock:
            self.windows.pop(limit.key(who), None)

    def close(self) -> None: ...


TAKE = """
local tries = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if tries > tonumber(ARGV[1]) then return math.max(redis.call('PTTL', KEYS[1]), 1) end
return 0
"""
GIVE_BACK = """
if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then redis.call('DECR', KEYS[1]) end
"""


class RedisLimits:
    def __init__(self, url: str) -> None:
        import redis  # a tenth of a second, for those who have one
        from redis.retry import Retry

        from backends.breaker import Breaker
        from backends.redis_options import MOST_CONNECTIONS, NO_RETRIES, redis_options

        self.client = redis.Redis.from_url(url, retry=Retry(*NO_RETRIES), **redis_options(url))
        self.take_script = self.client.register_script(TAKE)
        self.give_back_script = self.client.register_script(GIVE_BACK)
        self.breaker = Breaker()
        self.turns = threading.Semaphore(MOST_CONNECTIONS)
        self.meanwhile = MemoryLimits()

    def take(self, limit: Limit, who: str) -> float:
        window = int(limit.window.total_seconds() * 1000)
        try:
            with self.turns, self.breaker:
                wait = self.take_script(keys=[self.name(limit, who)], args=[limit.most, window])
        except Unavailable:
            return self.meanwhile.take(limit, who)
        return int(wait) / 1000

    def wait(self, limit: Limit, who: str) -> float:
        pipe = self.client.pipeline(transaction=False)
        pipe.get(self.name(limit, who))
        pipe.pttl(self.name(limit, who))
        try:
            with self.turns, self.breaker:
                tries, milliseconds = pipe.execute()
        except Unavailable:
            return self.meanwhile.wait(limit, who)
        return max(int(milliseconds), 0) / 1000 if int(tries or 0) >= limit.most else 0

    def give_back(self, limit: Limit, who: str) -> None:
        try:
            with self.turns, self.breaker:
                self.give_back_script(keys=[self.name(limit, who)])
        except Unavailable:
            self.meanwhile.give_back(limit, who)

    def clear(self, limit: Limit, who: str) -> None:
        try:
            with self.turns, self.breaker:
                self.client.delete(self.name(limit, who))
        except Unavailable:
            self.meanwhile.clear(limit, who)

    def close(self) -> None:
        self.client.close()

    @staticmethod
    def name(limit: Limit, who: str) -> str:
        return f"inkstand:limit:{limit.key(who)}"


class DatabaseLimits:
    """Without Redis, several processes share their counters in the database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.insert = upsert_of(is_sqlite=database.is_sqlite)

    def take(self, limit: Limit, who: str) -> float:
        """Whoever is over the limit is told so without a write: a flood must not keep others from
        writing."""
        if wait := self.wait(limit, who):
            return wait
        moment = now()
        is_over = col(Throttle.expires_at) <= moment
        statement = self.insert(Throttle).values(
            key=limit.key(who), tries=1, expires_at=moment + limit.window
        )
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "tries": case((is_over, 1), else_=col(Throttle.tries) + 1),
                "expires_at": case(
                    (is_over, statement.excluded.expires_at), else_=col(Throttle.expires_at)
                ),
            },
        ).returning(Throttle.tries, Throttle.expires_at)
        with self.database.writing() as db:
            tries, expires_at = db.execute(statement).one()
            if tries == 1:  # a window opened: as good a time as any to sweep the closed ones
                db.execute(closed_windows_before(moment))
        return float((expires_at - moment).total_seconds()) if tries > limit.most else 0

    def wait(self, limit: Limit, who: str) -> float:
        full = col(Throttle.key) == limit.key(who), col(Throttle.tries) >= limit.most
        with self.database.reading() as db:
            ends = db.scalar(select(col(Throttle.expires_at)).where(*full))
        return float(max((ends - now()).total_seconds(), 0)) if ends else 0

    def give_back(self, limit: Limit, who: str) -> None:
        mine = col(Throttle.key) == limit.key(who), col(Throttle.tries) > 0
        with self.database.writing() as db:
            db.execute(update(Throttle).where(*mine).values(tries=col(Throttle.tries) - 1))

    def clear(self, limit: Limit, who: str) -> None:
        with self.database.writing() as db:
            db.execute(delete(Throttle).where(col(Throttle.key) == limit.key(who)))

    def close(self) -> None: ...


def closed_windows_before(moment: datetime) -> Delete:
    """Those that are being opened again at this moment stay: waiting for each other would be for
    ever."""
    key = col(Throttle.key)
    free = select(key).where(col(Throttle.expires_at) < moment).with_for_update(skip_locked=True)
    return delete(Throttle).where(key.in_(free))


def open_limits(redis_url: str, database: Database) -> Limits:
    return RedisLimits(redis_url) if redis_url else DatabaseLimits(database)

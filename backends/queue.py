"""How processes that serve pages tell the worker that there is something to do: by huey, in Redis
or in a file. Heavy to import, so only for whoever has a worker."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from huey import Huey
from huey.registry import Message
from huey.storage import RedisStorage, SqliteStorage
from sqlalchemy.engine import make_url

from settings import DATA, Settings

NAME = "inkstand"
MOST_WAITING = 100
SQLITE_BUSY_SECONDS = 1
POLL_SECONDS = 1.0  # a worker looks into the file so often,
BLOCK_SECONDS = 2  # waits so long for Redis to say something,
REST_SECONDS = 10  # and tries again so soon while Redis is away
MINUTE = 60


class Names:
    """A job is its name, in JSON: huey would pickle, and let whoever writes to the queue run code."""

    def serialize(self, message: Message) -> bytes:
        return json.dumps([message.id, message.name]).encode()

    def deserialize(self, data: bytes | str) -> Message:
        job_id, name = json.loads(data)
        return Message(job_id, name, retries=0, retry_delay=0, args=(), kwargs={})


class Queue(Huey):  # type: ignore[misc]
    """Jobs look for work themselves, so one in the queue is a hint: a hundred say no more."""

    guard: AbstractContextManager[Any] = nullcontext()
    delivery: Callable[[], Any]  # makes the one job that is asked for, beside those of the schedule

    def enqueue(self, task: Any) -> None:
        """Raises backends.Unavailable: Redis is away."""
        with self.guard:
            if self.pending_count() < MOST_WAITING:
                super().enqueue(task)


class Closable(RedisStorage):  # type: ignore[misc]
    def close(self) -> None:
        self.pool.disconnect()


def open_queue(settings: Settings, *, works: bool) -> Queue:
    """`works`: this process is the worker, which has time to wait for Redis."""
    if settings.redis_url:
        return redis_queue(settings.redis_url, works=works)
    return Queue(
        NAME,
        storage_class=SqliteStorage,
        results=False,
        serializer=Names(),
        filename=str(queue_file(settings)),
        fsync=False,
        timeout=SQLITE_BUSY_SECONDS,
        cache_mb=0,
    )


def redis_queue(url: str, *, works: bool) -> Queue:
    from redis import ConnectionPool
    from redis.retry import Retry

    from backends.breaker import Breaker
    from backends.redis_options import NO_RETRIES, redis_options

    options = redis_options(url)
    if works:
        options["socket_timeout"] = BLOCK_SECONDS + 5
    pool = ConnectionPool.from_url(url, retry=Retry(*NO_RETRIES), **options)
    queue = Queue(
        NAME,
        storage_class=Closable,
        results=False,
        serializer=Names(),
        connection_pool=pool,
        read_timeout=BLOCK_SECONDS,
    )
    queue.guard = Breaker()
    return queue


def queue_file(settings: Settings) -> Path:
    """Beside the blog's own database, else where its other files are."""
    url = make_url(settings.database_url)
    folder = Path(url.database).parent if url.drivername == "sqlite" and url.database else DATA
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "jobs.db"


def work(queue: Queue) -> None:
    """Do jobs until a signal asks this process to end; a job in hand may be finished."""
    logging.getLogger("huey.consumer.Worker").addFilter(in_a_line)
    queue.create_consumer(
        scheduler_interval=MINUTE,
        max_delay=REST_SECONDS if queue.storage.blocking else POLL_SECONDS,
        graceful_signal="TERM",
        shutdown_timeout=BLOCK_SECONDS + 3,
    ).run()


def in_a_line(record: logging.LogRecord) -> bool:
    """Redis being away is worth a line each time, not a traceback."""
    if record.exc_info:
        record.msg, record.exc_info = f"{record.msg}: {record.exc_info[1]}", None
    return True

"""Where jobs wait: in the memory of the process that does them, or where a worker finds them.

Heavy to import: only for whoever has something to do.
"""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from huey import Huey
from huey.consumer import Consumer
from huey.registry import Message
from huey.storage import MemoryStorage, RedisStorage, SqliteStorage
from sqlalchemy.engine import make_url

from settings import DATA, Settings

NAME = "inkstand"
MOST_WAITING = 100
SQLITE_BUSY_SECONDS = 1
POLL_SECONDS = 1.0  # a worker looks into the file so often,
BLOCK_SECONDS = 2  # waits so long for Redis to say something,
REST_SECONDS = 10  # and tries again so soon while Redis is away
STOP_SECONDS = 0.8
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


class Sleepless(MemoryStorage):  # type: ignore[misc]
    """In memory, and whoever waits for a job is woken by it: nothing is polled."""

    blocking = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.jobs: SimpleQueue[bytes | None] = SimpleQueue()

    def enqueue(self, data: bytes, _: Any = None) -> None:
        self.jobs.put(data)

    def dequeue(self) -> bytes | None:
        return self.jobs.get()

    def queue_size(self) -> int:
        return self.jobs.qsize()

    def close(self) -> None:
        self.jobs.put(None)


class Closable(RedisStorage):  # type: ignore[misc]
    def close(self) -> None:
        self.pool.disconnect()


class Threads(Consumer):  # type: ignore[misc]
    """One thread for jobs and one for the schedule, which leave signals to their process."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(queue, scheduler_interval=MINUTE, check_worker_health=False)

    def _set_signal_handlers(self) -> None: ...

    def stop_soon(self) -> None:
        """Let a job in hand end, if it takes no longer than a person would wait."""
        self.stop()
        self.huey.storage.close()  # wakes the one that waits there
        for _, thread in self.worker_threads:
            thread.join(STOP_SECONDS)


def own_queue() -> Queue:
    """For jobs that are done by the process that has them."""
    return Queue(NAME, storage_class=Sleepless, results=False, serializer=Names())


def shared_queue(settings: Settings, *, works: bool) -> Queue:
    """Between the processes that serve pages and the worker, which has time to wait."""
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

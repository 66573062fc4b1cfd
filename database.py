"""The database: one engine, and `Db`, one transaction per request."""

import asyncio
import logging
import select
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import Depends
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, SQLModel, create_engine
from starlette.requests import HTTPConnection

import public_version

log = logging.getLogger("inkstand")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}

# Nothing may wait longer than a person would: a full pool, a lock and a query give up and the
# answer is a 503 that keeps the text.
POOL_TIMEOUT_SECONDS = 2
TURN_TIMEOUT_SECONDS = 5
POSTGRES_LIMITS = "SET statement_timeout = 8000; SET lock_timeout = 2000; SET timezone = 'UTC'"
SQLITE_BUSY_SECONDS = 5
CONNECT_SECONDS = 3
# A statement ends before; longer silence is that of a machine that froze or a cable that was cut.
SILENCE_SECONDS = 9
# A connection that was used a moment ago, and has not been closed since, is there still.
TRUSTED_SECONDS = 5


class Turn:
    """The right of one request to hold a connection while it waits for a thread."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self.loop = asyncio.get_running_loop()
        self.turns: asyncio.Semaphore | None = turns

    @classmethod
    async def of(cls, turns: asyncio.Semaphore) -> Self:
        try:
            async with asyncio.timeout(TURN_TIMEOUT_SECONDS):
                await turns.acquire()
        except TimeoutError:
            raise PoolTimeout("Too many requests want the database.") from None
        return cls(turns)

    def end(self) -> None:
        """From any thread, and more than once."""
        turns, self.turns = self.turns, None
        if turns:
            self.loop.call_soon_threadsafe(turns.release)


class Database:
    """An engine and the two ways to use it: sessions that only read, and sessions that write."""

    def __init__(self, url: str, connections: int = 15) -> None:
        self.is_sqlite = url.startswith("sqlite")
        open_engine = sqlite_engine if self.is_sqlite else postgres_engine
        at_once = max(connections * 2 // 3, 1)
        self.engine = open_engine(url, pool(connections, at_once))
        # SQLite must know at BEGIN that a transaction will write: one that starts by reading
        # cannot wait for the lock later, it fails at once.
        self.writer = self.engine.execution_options(
            begin="IMMEDIATE", **self.isolated("READ COMMITTED")
        )
        # Requests take turns before they take threads: otherwise all threads could wait for
        # connections whose requests wait for a thread. What is left over is for sessions and limits.
        self.turns = asyncio.Semaphore(at_once)
        self.listeners: dict[str, Callable[..., None]] = {}
        self.announces = False  # whether a hub hears of changes: see services/announcements.py

    def isolated(self, level: str) -> dict[str, Any]:
        """The option for a transaction; SQLite has but one level."""
        return {} if self.is_sqlite else {"isolation_level": level}

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Nothing is ever written here, not even by mistake: what was changed is not flushed."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as db:
            yield db

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Reads everything as it is at one moment, however long that takes and whoever writes."""
        engine = self.engine.execution_options(**self.isolated("REPEATABLE READ"))
        with Session(engine, expire_on_commit=False) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        info = {"announces": self.announces}
        with Session(self.writer, expire_on_commit=False, info=info) as db:
            yield db
            db.flush()
            if version := public_version.raise_if_changed(db):
                after_commit(db, public_version.CHANGED, version)
            db.commit()
        self.tell_listeners(db)

    def tell_listeners(self, db: Session) -> None:
        """What was done is done: whoever hears of it cannot undo it, nor spoil the answer."""
        for name, what in db.info.pop("after_commit", ()):
            try:
                if listener := self.listeners.get(name):
                    listener(*what)
            except Exception:
                log.exception("nobody could be told: %s", name)

    def close(self) -> None:
        """Also for whoever reads just now: their connection is closed once they let go of it."""
        event.listen(self.engine.pool, "checkin", lambda _, record: record.close())
        self.engine.dispose()


async def get_session(connection: HTTPConnection) -> AsyncIterator[Session]:
    """The request's transaction; it is committed before the reply starts, or not at all.

    Raises:
        sqlalchemy.exc.TimeoutError: too many others had their turn first.
    """
    database: Database = connection.app.state.database
    turn = await Turn.of(database.turns)
    try:
        if connection.scope.get("method", "GET") in SAFE_METHODS:
            with database.reading() as db:  # begins and ends without a word to the database
                db.info["turn"] = turn
                yield db
        else:
            async with contextmanager_in_threadpool(database.writing()) as db:
                db.info["turn"] = turn
                yield db
    finally:
        turn.end()


# scope="function" is what makes the commit come before the reply: the default scope would commit
# after the first byte, and a failed commit would already have been acknowledged.
Db = Annotated[Session, Depends(get_session, scope="function")]


def table_of(model: type[SQLModel]) -> Table:
    """For an INSERT that makes no objects: the ORM's own takes half a millisecond longer."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def upsert_of(*, is_sqlite: bool) -> Any:
    """The `insert` that knows ON CONFLICT; only the dialect in use is loaded."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite import insert as for_sqlite

        return for_sqlite
    from sqlalchemy.dialects.postgresql import insert as for_postgres

    return for_postgres


def release(db: Session) -> None:
    """End the transaction so far, so that nothing is held while something slow runs.

    What was read stays readable, detached; what was written is lost, so call it before any write.
    """
    if turn := db.info.get("turn"):
        turn.end()
    db.expunge_all()
    db.rollback()
    db.info.pop("after_commit", None)
    public_version.forget(db)


def only_reading(db: Session) -> None:
    """Before any write: until `release(db)` it only reads, and waits for no one who writes."""
    if db.in_transaction():  # somebody was logged in, and has been looked up
        release(db)
    db.connection(execution_options={"begin": "DEFERRED"})


def after_commit(db: Session, name: str, *what: Any) -> None:
    """Call `Database.listeners[name](*what)`, if there is one, once this transaction is committed.

    The same call is made once, however often it is asked for.
    """
    waiting = db.info.setdefault("after_commit", [])
    if (name, what) not in waiting:
        waiting.append((name, what))


def pool(connections: int, kept: int) -> dict[str, Any]:
    """So many are kept open: to open another takes longer than most requests take."""
    return {
        "pool_size": kept,
        "max_overflow": connections - kept,
        "pool_use_lifo": True,  # the one that was used last is sure to be there
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }


def sqlite_engine(url: str, pool: dict[str, Any]) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        with suppress(OSError):  # SQLite says the same, and at a better moment
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    options = {"timeout": SQLITE_BUSY_SECONDS}
    engine = create_engine(url, connect_args=options, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged post survives a power cut
            "foreign_keys=ON",
            "cache_size=-1000",  # 1 MB of each connection: the system keeps the file in memory as well
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def postgres_engine(url: str, pool: dict[str, Any]) -> Engine:
    from psycopg2.extensions import connection as Psycopg2Connection
    from psycopg2.extensions import set_wait_callback

    class Impatient(Psycopg2Connection):
        seconds: float | None = CONNECT_SECONDS

    set_wait_callback(wait_for_answer)
    options = {"connection_factory": Impatient, "keepalives_idle": 30, "tcp_user_timeout": 5000}
    # Each statement sees what is committed when it begins, in a transaction or without one; so who
    # only reads is spared the two round trips of BEGIN and ROLLBACK.
    engine = create_engine(
        url, connect_args=options, hide_parameters=True, isolation_level="AUTOCOMMIT", **pool
    )

    # Set by a statement, since poolers in front of a database refuse start-up options.
    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(POSTGRES_LIMITS)
        connection.commit()
        connection.seconds = SILENCE_SECONDS

    @event.listens_for(engine, "checkin")
    def note(_: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def make_sure(connection: Any, record: Any, _: Any) -> None:
        """Ask the server whether it is there, where there is any doubt: it takes a round trip."""
        idle = time.monotonic() - record.info.get("used_at", 0)
        if idle < TRUSTED_SECONDS and not has_news(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
            raise InvalidatePoolError from error

    return engine


def has_news(connection: Any) -> bool:
    """Whether something came that nobody asked for: most often the end of the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def wait_for_answer(connection: Any) -> None:
    """Wait as psycopg2 itself would, but for ever only where no `seconds` are set.

    Raises:
        psycopg2.OperationalError: the server said nothing for so long; the connection is closed.
    """
    from psycopg2 import OperationalError, extensions

    seconds: float | None = getattr(connection, "seconds", None)
    while (state := connection.poll()) != extensions.POLL_OK:
        poll = select.poll()
        poll.register(
            connection.fileno(),
            select.POLLIN if state == extensions.POLL_READ else select.POLLOUT,
        )
        if not poll.poll(seconds and seconds * 1000):
            raise OperationalError(f"the database said nothing for {seconds} s")

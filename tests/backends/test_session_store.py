"""One promise, four stores: memory, SQLite, PostgreSQL, Redis. And Redis when it lets us down."""

import asyncio
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
import redis
from sqlalchemy import delete, event, update

import migrations
from backends import Unavailable
from backends.breaker import REST_SECONDS
from backends.redis_options import MOST_CONNECTIONS, TIMEOUT_SECONDS
from backends.session_store import Record, SessionStore
from backends.session_store.database import DatabaseStore
from backends.session_store.memory import MemoryStore
from backends.session_store.redis import RedisStore
from database import Database
from models import StoredSession
from tests.conftest import POSTGRES, fresh_database
from tests.servers import Redis

pytestmark = pytest.mark.anyio

AN_HOUR = timedelta(hours=1)
A_MOMENT = timedelta(milliseconds=250)
ALICE, BOB = "a1", "b2"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with migrated(f"sqlite:///{tmp_path_factory.mktemp('sessions') / 'inkstand.db'}") as database:
        yield database


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Database]:
    with migrated(with_driver(postgres_url)) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Both databases, without sessions."""
    return without_sessions(request.getfixturevalue(request.param))


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[SessionStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "redis":
        url = request.getfixturevalue("redis_url")
        empty(url)
        async with redis_store(url) as found:
            yield found
    else:
        yield DatabaseStore(without_sessions(request.getfixturevalue(request.param)))


@contextmanager
def migrated(url: str) -> Iterator[Database]:
    database = Database(url)
    migrations.upgrade(database)
    yield database
    database.close()


def with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://")


def without_sessions(database: Database) -> Database:
    with database.writing() as db:
        db.execute(delete(StoredSession))
    return database


@asynccontextmanager
async def redis_store(url: str) -> AsyncIterator[RedisStore]:
    found = RedisStore(url)
    yield found
    await found.close()


def empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def new_key() -> str:
    return secrets.token_hex(32)


def record(
    user_id: str | None = ALICE,
    idle: timedelta = AN_HOUR,
    longest: timedelta = AN_HOUR * 2,
    **data: Any,
) -> Record:
    """A session that begins now."""
    moment = datetime.now(UTC)
    return Record(user_id, data, moment + idle, moment + longest)


async def stored(store: SessionStore, **fields: Any) -> str:
    """The key of a new session."""
    key = new_key()
    await store.create(key, record(**fields))
    return key


async def fields_of(store: SessionStore, key: str) -> dict[str, Any]:
    found = await store.load(key)
    assert found is not None
    return found.data


async def test_what_was_stored_is_loaded(store: SessionStore) -> None:
    key, given = new_key(), record(theme="dark", seen=[1, 2], nested={"ü": None, "x": True})
    await store.create(key, given)
    found = await store.load(key)
    assert found is not None
    assert (found.user_id, found.data) == (given.user_id, given.data)
    assert abs(found.expires_at - given.expires_at) < timedelta(seconds=5)
    assert abs(found.ends_at - given.ends_at) < timedelta(milliseconds=1)


async def test_a_session_may_belong_to_nobody(store: SessionStore) -> None:
    key = await stored(store, user_id=None, theme="dark")
    found = await store.load(key)
    assert found is not None
    assert found.user_id is None


@pytest.mark.parametrize("key", ["", "0" * 64, "x" * 10_000, "käse", "a:b", "*", "' OR 1=1 --"])
async def test_an_unknown_key_is_nobody(store: SessionStore, key: str) -> None:
    await stored(store)
    assert await store.load(key) is None
    assert await store.update(key, {"theme": "dark"}) is False
    assert await store.extend(key, AN_HOUR) is False
    await store.delete(key)
    assert await store.load(key) is None


async def test_an_update_changes_only_the_given_fields(store: SessionStore) -> None:
    key = await stored(store, theme="dark", language="en")
    assert await store.update(key, {"theme": "light", "size": 2}) is True
    assert await fields_of(store, key) == {"theme": "light", "language": "en", "size": 2}


async def test_none_deletes_a_field(store: SessionStore) -> None:
    key = await stored(store, theme="dark", language="en")
    assert await store.update(key, {"theme": None, "never there": None}) is True
    assert await fields_of(store, key) == {"language": "en"}


async def test_an_update_moves_neither_person_nor_end(store: SessionStore) -> None:
    key = await stored(store)
    before = await store.load(key)
    await store.update(key, {"user_id": BOB, "ends_at": "never"})
    after = await store.load(key)
    assert before is not None
    assert after is not None
    assert (after.user_id, after.ends_at) == (ALICE, before.ends_at)
    assert abs(after.expires_at - before.expires_at) < timedelta(seconds=5)


async def test_what_is_not_json_is_refused_and_changes_nothing(store: SessionStore) -> None:
    key = await stored(store, theme="dark")
    with pytest.raises(TypeError):
        await store.update(key, {"theme": object()})
    with pytest.raises(TypeError):
        await store.create(new_key(), record(theme=object()))
    assert await fields_of(store, key) == {"theme": "dark"}


async def test_a_loaded_record_is_a_copy(store: SessionStore) -> None:
    key = await stored(store, seen=[1])
    (await fields_of(store, key))["seen"].append(2)
    assert await fields_of(store, key) == {"seen": [1]}


async def test_fifty_writers_at_once_lose_nothing(store: SessionStore) -> None:
    key = await stored(store)
    wrote = await asyncio.gather(*(store.update(key, {f"field{n}": n}) for n in range(50)))
    assert wrote == [True] * 50
    assert await fields_of(store, key) == {f"field{n}": n for n in range(50)}


async def test_a_deleted_session_does_not_come_back(store: SessionStore) -> None:
    key = await stored(store, theme="dark")
    await store.delete(key)
    assert await store.update(key, {"theme": "light"}) is False
    assert await store.extend(key, AN_HOUR) is False
    assert await store.load(key) is None
    assert await store.of_user(ALICE) == {}


async def test_a_session_deleted_among_writers_does_not_come_back(store: SessionStore) -> None:
    key = await stored(store)
    writes: list[Awaitable[Any]] = [store.update(key, {f"field{n}": n}) for n in range(20)]
    extensions: list[Awaitable[Any]] = [store.extend(key, AN_HOUR) for _ in range(20)]
    await asyncio.gather(*writes[:10], store.delete(key), *writes[10:], *extensions)
    assert await store.load(key) is None


async def test_an_idle_session_is_over(store: SessionStore) -> None:
    key = await stored(store, idle=A_MOMENT)
    assert await store.load(key) is not None
    await asyncio.sleep(A_MOMENT.total_seconds())
    assert await store.load(key) is None
    assert await store.update(key, {"theme": "dark"}) is False
    assert await store.of_user(ALICE) == {}


async def test_extending_does_not_wake_the_dead(store: SessionStore) -> None:
    key = await stored(store, idle=A_MOMENT)
    await asyncio.sleep(A_MOMENT.total_seconds())
    assert await store.extend(key, AN_HOUR) is False
    assert await store.load(key) is None


async def test_extending_rolls(store: SessionStore) -> None:
    key = await stored(store, idle=A_MOMENT)
    assert await store.extend(key, AN_HOUR) is True
    await asyncio.sleep(A_MOMENT.total_seconds())
    found = await store.load(key)
    assert found is not None
    assert timedelta(minutes=59) < found.expires_at - datetime.now(UTC) <= AN_HOUR


async def test_extending_never_passes_the_end(store: SessionStore) -> None:
    key = await stored(store, idle=A_MOMENT, longest=A_MOMENT)
    await store.extend(key, AN_HOUR)
    found = await store.load(key)
    assert found is not None
    assert found.expires_at <= found.ends_at + timedelta(milliseconds=10)
    await asyncio.sleep(A_MOMENT.total_seconds())
    assert await store.load(key) is None


async def test_the_end_counts_whatever_the_idle_time_says(store: SessionStore) -> None:
    key = await stored(store, idle=AN_HOUR, longest=timedelta(milliseconds=20))
    await asyncio.sleep(0.03)
    assert await store.load(key) is None
    assert await store.update(key, {"theme": "dark"}) is False


async def test_sessions_are_listed_by_person(store: SessionStore) -> None:
    first, second = await stored(store, device="laptop"), await stored(store, device="phone")
    await stored(store, user_id=BOB)
    await stored(store, user_id=None)
    found = await store.of_user(ALICE)
    assert {key: each.data["device"] for key, each in found.items()} == {
        first: "laptop",
        second: "phone",
    }
    assert await store.of_user("nobody") == {}


async def test_all_sessions_of_a_person_end_but_one(store: SessionStore) -> None:
    keys = [await stored(store) for _ in range(3)]
    other = await stored(store, user_id=BOB)
    assert await store.delete_of_user(ALICE, but=keys[1]) == 2
    assert [bool(await store.load(key)) for key in keys] == [False, True, False]
    assert list(await store.of_user(ALICE)) == [keys[1]]
    assert await store.load(other) is not None


async def test_all_sessions_of_a_person_end(store: SessionStore) -> None:
    keys = [await stored(store) for _ in range(3)]
    other = await stored(store, user_id=BOB)
    assert await store.delete_of_user(ALICE) == 3
    assert await store.delete_of_user(ALICE) == 0
    assert [await store.load(key) for key in keys] == [None] * 3
    assert await store.load(other) is not None


async def test_a_store_that_is_well_answers_a_ping(store: SessionStore) -> None:
    await store.ping()


# What somebody else, or a half-written disk, may have left in the database.

NOT_OURS = ["", "junk", "[]", '["a"]', '"text"', "null", "1", "NaN", "{", "[" * 100_000]


@pytest.mark.parametrize("junk", NOT_OURS, ids=lambda junk: repr(junk[:8]))
async def test_junk_in_the_database_is_nobody(database: Database, junk: str) -> None:
    store = DatabaseStore(database)
    key = await stored(store)
    with database.writing() as db:
        db.execute(update(StoredSession).filter_by(key=key).values(data=junk))
    await is_nobody_and_can_be_deleted(store, key)
    with database.reading() as db:
        assert db.get(StoredSession, key) is None


async def test_sessions_that_are_over_are_swept(database: Database) -> None:
    store = DatabaseStore(database)
    old = await stored(store, idle=-A_MOMENT)
    new = await stored(store)
    with database.reading() as db:
        assert db.get(StoredSession, old) is None
        assert db.get(StoredSession, new) is not None


async def test_nobody_waits_for_a_lock_in_the_event_loop(sqlite: Database) -> None:
    """A cursor that dies there waits for its connection, and whoever has that for the lock."""
    store = DatabaseStore(without_sessions(sqlite))
    keys, times = [await stored(store) for _ in range(8)], [AN_HOUR] * 8
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            seen_at = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - seen_at)

    watching = asyncio.create_task(watch())
    with sqlite.writing() as db:
        db.execute(delete(StoredSession).filter_by(key="nobody's"))
        writers = []
        for key in keys:
            pings = [asyncio.create_task(store.ping()) for _ in range(10)]
            writers.append(asyncio.create_task(store.update(key, {"theme": "dark"})))
            await asyncio.gather(*pings)
    await asyncio.gather(*writers, *map(store.delete, keys[:4]), *map(store.extend, keys, times))
    watching.cancel()
    assert longest < 0.5


async def test_a_database_that_is_gone_is_unavailable(worker: int) -> None:
    name = f"inkstand_gone_{worker}"
    database = Database(with_driver(fresh_database(name)))
    store = DatabaseStore(database)
    await store.ping()
    connection = psycopg2.connect(os.environ[POSTGRES])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()
    await every_call_is_unavailable(store)
    database.close()


# What may lie under a session's key in Redis.

Spoil = Callable[[Any, str], Any]
SPOILED: dict[str, Spoil] = {
    "text": lambda client, key: (client.delete(key), client.set(key, "junk", px=60_000)),
    "binary": lambda client, key: (client.delete(key), client.set(key, b"\x80\x04\x95", px=60_000)),
    "list": lambda client, key: (
        client.delete(key),
        client.lpush(key, "a"),
        client.pexpire(key, 60_000),
    ),
    "set": lambda client, key: (
        client.delete(key),
        client.sadd(key, "a"),
        client.pexpire(key, 60_000),
    ),
    "no JSON in a field": lambda client, key: client.hset(key, "theme", "{"),
    "no UTF-8 in a field": lambda client, key: client.hset(key, "theme", b"\xff\xfe"),
    "an endless field": lambda client, key: client.hset(key, "theme", "[" * 100_000),
    "no end": lambda client, key: client.hdel(key, ".ends"),
    "no moment as end": lambda client, key: client.hset(key, ".ends", "soon"),
    "an end that is not a number": lambda client, key: client.hset(key, ".ends", "nan"),
    "an end out of all bounds": lambda client, key: client.hset(key, ".ends", "1e300"),
    "no person": lambda client, key: client.hdel(key, ".user"),
    "no time to live": lambda client, key: client.persist(key),
}


@pytest.mark.parametrize("how", SPOILED)
async def test_junk_in_redis_is_nobody(redis_url: str, how: str) -> None:
    empty(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        async with redis_store(redis_url) as store:
            key = await stored(store)
            SPOILED[how](client, f"inkstand:session:{key}")
            await is_nobody_and_can_be_deleted(store, key)
        assert not client.exists(f"inkstand:session:{key}")


async def is_nobody_and_can_be_deleted(store: SessionStore, key: str) -> None:
    other = await stored(store, user_id=BOB)
    assert await store.load(key) is None
    await store.update(key, {"size": 2})
    assert await store.extend(key, AN_HOUR) is False
    assert await store.load(key) is None
    assert key not in await store.of_user(ALICE)
    await store.delete(key)
    assert await store.load(key) is None
    assert await store.load(other) is not None


async def test_redis_keeps_a_session_as_one_hash_that_expires(redis_url: str) -> None:
    empty(redis_url)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        async with redis_store(redis_url) as store:
            key = await stored(store, theme="dark")
        fields: Any = client.hgetall(f"inkstand:session:{key}")
        assert json.loads(fields["theme"]) == "dark"
        for name in client.scan_iter():
            assert 0 < int(str(client.pttl(name))) <= AN_HOUR.total_seconds() * 2000


# Redis gone, mute, full, or read-only.


class Listener:
    """Something that takes connections like a Redis, counts them, and never answers."""

    def __init__(self, hang_up: bool) -> None:
        self.hang_up = hang_up
        self.accepted: list[socket.socket] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}/0"
        self.thread = threading.Thread(target=self.accept)

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted.append(connection)
            if self.hang_up:
                connection.close()

    def __enter__(self) -> "Listener":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in (self.socket, *self.accepted):
            each.close()


async def every_call_is_unavailable(store: SessionStore) -> None:
    for call in (
        lambda: store.load("key"),
        lambda: store.create("key", record()),
        lambda: store.update("key", {"theme": "dark"}),
        lambda: store.extend("key", AN_HOUR),
        lambda: store.delete("key"),
        lambda: store.of_user(ALICE),
        lambda: store.delete_of_user(ALICE),
        store.ping,
    ):
        with pytest.raises(Unavailable):
            await call()


async def seconds_until_unavailable(store: SessionStore) -> float:
    started_at = time.monotonic()
    with pytest.raises(Unavailable):
        await store.load("key")
    return time.monotonic() - started_at


async def wait_until_available(store: SessionStore) -> float:
    """The seconds it took."""
    started_at = time.monotonic()
    while True:
        try:
            await store.ping()
        except Unavailable:
            assert time.monotonic() - started_at < 10
            await asyncio.sleep(0.02)
        else:
            return time.monotonic() - started_at


async def test_a_crowd_shares_a_few_connections(mortal_redis: Redis) -> None:
    async with redis_store(mortal_redis.url) as store:
        key = await stored(store, theme="dark")
        loaded = await asyncio.gather(*(store.load(key) for _ in range(300)))
        assert all(found and found.data == {"theme": "dark"} for found in loaded)
        assert 1 <= connections_to(mortal_redis) <= MOST_CONNECTIONS


def connections_to(server: Redis) -> int:
    """How many there are beside our own."""
    with redis.Redis.from_url(server.url) as client:
        return len(client.client_list()) - 1


async def test_a_redis_that_is_gone_is_unavailable(mortal_redis: Redis) -> None:
    mortal_redis.stop()
    async with redis_store(mortal_redis.url) as store:
        await every_call_is_unavailable(store)


async def test_a_redis_that_is_gone_is_asked_once_a_second() -> None:
    with Listener(hang_up=True) as listener:
        async with redis_store(listener.url) as store:
            started_at = time.monotonic()
            await seconds_until_unavailable(store)
            one_try = len(listener.accepted)
            await asyncio.gather(*(seconds_until_unavailable(store) for _ in range(100)))
            tries = 1 + (time.monotonic() - started_at) // REST_SECONDS
            assert len(listener.accepted) <= one_try * tries


async def test_a_redis_that_is_back_serves_the_same_sessions_within_two_seconds(
    mortal_redis: Redis,
) -> None:
    async with redis_store(mortal_redis.url) as store:
        key = await stored(store, theme="dark")
        await asyncio.gather(*(store.load(key) for _ in range(20)))  # many connections in the pool
        mortal_redis.stop()
        await seconds_until_unavailable(store)
        mortal_redis.start()
        assert await wait_until_available(store) < 2
        loaded = await asyncio.gather(*(store.load(key) for _ in range(20)))
        assert all(found and found.data == {"theme": "dark"} for found in loaded)


async def test_a_mute_redis_costs_half_a_second_once_and_nothing_more() -> None:
    with Listener(hang_up=False) as listener:
        async with redis_store(listener.url) as store:
            crowd = (seconds_until_unavailable(store) for _ in range(50))
            assert max(await asyncio.gather(*crowd)) < TIMEOUT_SECONDS * 2 + 0.5
            asked = len(listener.accepted)
            assert asked <= MOST_CONNECTIONS
            waits = [await seconds_until_unavailable(store) for _ in range(20)]
            assert sum(waits) < 0.5
            assert len(listener.accepted) == asked


async def test_a_reply_that_comes_too_late_goes_to_nobody(mortal_redis: Redis) -> None:
    async with redis_store(mortal_redis.url) as store:
        keys = [await stored(store, number=number) for number in range(10)]
        with redis.Redis.from_url(mortal_redis.url) as client:
            client.client_pause(400)
        late = await asyncio.gather(*map(store.load, keys), return_exceptions=True)
        assert {type(found) for found in late} == {Unavailable}
        await wait_until_available(store)
        for number, key in reversed(list(enumerate(keys))):
            assert await fields_of(store, key) == {"number": number}


async def test_a_caller_who_leaves_takes_no_reply_along(mortal_redis: Redis) -> None:
    async with redis_store(mortal_redis.url) as store:
        keys = [await stored(store, number=number) for number in range(10)]
        for round_trip in range(20):
            tasks = [asyncio.create_task(store.load(key)) for key in keys]
            for _ in range(round_trip):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for number, key in enumerate(keys):
                assert await fields_of(store, key) == {"number": number}


async def test_a_redis_that_lets_us_read_nothing_is_unavailable(mortal_redis: Redis) -> None:
    with redis.Redis.from_url(mortal_redis.url) as client:
        async with redis_store(mortal_redis.url) as store:
            key = await stored(store, theme="dark")
            client.acl_setuser("default", enabled=True, nopass=True, commands=["-hgetall"])
            try:
                with pytest.raises(Unavailable):
                    await store.load(key)
            finally:
                client.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"])
            assert await fields_of(store, key) == {"theme": "dark"}


async def test_a_full_redis_refuses_new_sessions_and_serves_the_old_ones(
    mortal_redis: Redis,
) -> None:
    with redis.Redis.from_url(mortal_redis.url) as client:
        async with redis_store(mortal_redis.url) as store:
            key = await stored(store, theme="dark")
            client.config_set("maxmemory", 1)
            try:
                await old_ones_only(store, key)
                await store.extend(key, AN_HOUR)
                await store.delete(key)
                assert await store.load(key) is None
            finally:
                client.config_set("maxmemory", 0)


async def test_a_read_only_redis_refuses_new_sessions_and_serves_the_old_ones(
    mortal_redis: Redis,
) -> None:
    with redis.Redis.from_url(mortal_redis.url) as client:
        async with redis_store(mortal_redis.url) as store:
            key = await stored(store, theme="dark")
            client.replicaof("127.0.0.1", 1)
            try:
                await old_ones_only(store, key)
                with pytest.raises(Unavailable):
                    await store.delete(key)
            finally:
                client.replicaof("NO", "ONE")
            await store.delete(key)


async def old_ones_only(store: SessionStore, key: str) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable):
            await store.create(new_key(), record())
        with pytest.raises(Unavailable):
            await store.update(key, {"theme": "light"})
        assert await fields_of(store, key) == {"theme": "dark"}


async def test_sessions_that_are_loaded_at_once_are_one_round_trip(redis_url: str) -> None:
    """And each is its own: what one request changes in it, another does not see."""
    keys = [new_key() for _ in range(20)]
    with redis.Redis.from_url(redis_url) as client:
        async with redis_store(redis_url) as store:
            for number, key in enumerate(keys):
                await store.create(key, record(ALICE, number=number))
            client.config_resetstat()
            found = await asyncio.gather(*map(store.load, [*keys, *keys]))
        asked = client.info("commandstats")["cmdstat_hgetall"]["calls"]
    assert [each and each.data["number"] for each in found] == [*range(20)] * 2
    assert asked == 20
    first, again = found[0], found[20]
    assert first
    assert again
    first.data["number"] = "changed"
    assert again.data["number"] == 0


async def test_sessions_in_the_database_are_one_query(database: Database) -> None:
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "SELECT" in statement:
            asked.append(statement)

    asked: list[str] = []
    store = DatabaseStore(database)
    keys = [await stored(store, number=number) for number in range(20)]
    event.listen(database.engine, "before_cursor_execute", note)
    try:
        found = await asyncio.gather(*map(store.load, [*keys, new_key()]))
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert [each and each.data["number"] for each in found] == [*range(20), None]
    assert len(asked) == 1

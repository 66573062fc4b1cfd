"""Counting tries: the same promise in memory, SQLite, PostgreSQL and Redis, and without Redis."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import delete, insert, select
from sqlmodel import col

import migrations
from backends import limits
from backends.breaker import REST_SECONDS
from backends.limits import DatabaseLimits, Limit, Limits, MemoryLimits, RedisLimits, open_limits
from backends.redis_options import MOST_CONNECTIONS
from database import Database
from models import Throttle, now
from tests.processes import at_once
from tests.servers import Redis

AN_HOUR = timedelta(hours=1)
FIVE = Limit("five tries", 5, AN_HOUR)
TWO = Limit("two tries", 2, AN_HOUR)
QUICK = Limit("two quick tries", 2, timedelta(milliseconds=500))
WHO = "alice@example.org"


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('limits') / 'inkstand.db'}")
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url.replace("postgresql://", "postgresql+psycopg2://"))
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Both databases, without any counters."""
    return without_counters(request.getfixturevalue(request.param))


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def counters(request: pytest.FixtureRequest) -> Iterator[Limits]:
    """Counters of each kind, at zero."""
    found: Limits
    if request.param == "memory":
        found = MemoryLimits()
    elif request.param == "redis":
        url = request.getfixturevalue("redis_url")
        empty(url)
        found = RedisLimits(url)
    else:
        found = DatabaseLimits(without_counters(request.getfixturevalue(request.param)))
    yield found
    found.close()


def without_counters(database: Database) -> Database:
    with database.writing() as db:
        db.execute(delete(Throttle))
    return database


def empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def passes(counters: Limits, limit: Limit, who: str, tries: int) -> int:
    """How many of so many tries may go on."""
    return sum(counters.take(limit, who) == 0 for _ in range(tries))


def test_so_many_tries_pass_and_no_more(counters: Limits) -> None:
    assert passes(counters, FIVE, WHO, 8) == 5


def test_fifty_tries_at_once_pass_no_more_often(counters: Limits) -> None:
    waits = at_once(50, lambda _: counters.take(FIVE, WHO))
    assert waits.count(0) == 5


def test_a_refusal_says_how_long_to_wait(counters: Limits) -> None:
    passes(counters, FIVE, WHO, 5)
    wait = counters.take(FIVE, WHO)
    assert AN_HOUR.total_seconds() - 60 < wait <= AN_HOUR.total_seconds()


def test_the_window_closes_however_often_it_was_tried(counters: Limits) -> None:
    for _ in range(2):
        assert passes(counters, QUICK, WHO, 2) == 2
        first_wait = counters.take(QUICK, WHO)
        wait = counters.take(QUICK, WHO)
        assert 0 < wait <= first_wait <= 0.5
        time.sleep(wait + 0.002)  # Redis counts in whole milliseconds


def test_a_try_taken_back_is_not_counted(counters: Limits) -> None:
    passes(counters, FIVE, WHO, 5)
    counters.give_back(FIVE, WHO)
    counters.give_back(FIVE, WHO)
    assert passes(counters, FIVE, WHO, 5) == 2


def test_giving_back_more_than_was_taken_wins_nothing(counters: Limits) -> None:
    counters.give_back(FIVE, WHO)
    counters.take(FIVE, WHO)
    for _ in range(5):
        counters.give_back(FIVE, WHO)
    assert passes(counters, FIVE, WHO, 8) == 5


def test_fifty_tries_taken_back_at_once_leave_nothing(counters: Limits) -> None:
    generous = Limit("fifty tries", 50, AN_HOUR)

    def take_and_give_back(_: int) -> None:
        counters.take(generous, WHO)
        counters.give_back(generous, WHO)

    at_once(50, take_and_give_back)
    assert passes(counters, generous, WHO, 55) == 50


def test_a_cleared_counter_begins_anew(counters: Limits) -> None:
    passes(counters, FIVE, WHO, 8)
    counters.clear(FIVE, WHO)
    assert passes(counters, FIVE, WHO, 8) == 5


def test_people_and_limits_are_counted_apart(counters: Limits) -> None:
    passes(counters, FIVE, WHO, 8)
    assert counters.take(FIVE, "bob@example.org") == 0
    assert counters.take(TWO, WHO) == 0


@pytest.mark.parametrize("who", ["", "käse", "a:b", "*", "x" * 10_000, "' OR 1=1 --", "nul\0"])
def test_anybody_can_be_counted(counters: Limits, who: str) -> None:
    assert passes(counters, TWO, who, 3) == 2


def test_memory_forgets_the_oldest_before_it_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS_IN_MEMORY", 100)
    counters = MemoryLimits()
    for number in range(1000):
        counters.take(FIVE, str(number))
        passes(counters, FIVE, WHO, 1)
    assert len(counters.windows) == 100
    assert counters.take(FIVE, WHO) > 0


# What the stores hold.


def test_no_name_stands_in_the_database(database: Database) -> None:
    DatabaseLimits(database).take(FIVE, WHO)
    with database.reading() as db:
        keys = db.scalars(select(col(Throttle.key))).all()
    assert len(keys) == 1
    assert_tells_nothing(keys[0])


def test_no_name_stands_in_redis(redis_url: str) -> None:
    empty(redis_url)
    counters = RedisLimits(redis_url)
    counters.take(FIVE, WHO)
    counters.close()
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        keys = list(client.scan_iter())
        assert len(keys) == 1
        assert 0 < int(str(client.pttl(keys[0]))) <= AN_HOUR.total_seconds() * 1000
    assert_tells_nothing(keys[0])


def assert_tells_nothing(key: str) -> None:
    assert "alice" not in key
    assert "five" not in key


def test_closed_windows_are_swept_from_the_database(database: Database) -> None:
    counters = DatabaseLimits(database)
    with database.writing() as db:
        db.execute(insert(Throttle), closed_windows(10))
    counters.take(FIVE, WHO)
    with database.reading() as db:
        assert db.scalars(select(col(Throttle.key))).all() == [FIVE.key(WHO)]


def test_windows_that_open_again_at_once_do_not_block_each_other(database: Database) -> None:
    """Each take locks its own row and sweeps the others' at the same time."""
    counters = DatabaseLimits(database)
    for _ in range(5):
        with database.writing() as db:
            db.execute(delete(Throttle))
            db.execute(insert(Throttle), closed_windows(20))
        assert at_once(20, lambda number: counters.take(FIVE, str(number))) == [0] * 20


def closed_windows(count: int) -> list[dict[str, Any]]:
    closed_at = now() - AN_HOUR
    return [
        {"key": FIVE.key(str(number)), "tries": 9, "expires_at": closed_at}
        for number in range(count)
    ]


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
def test_two_processes_count_together(backend: str, request: pytest.FixtureRequest) -> None:
    database = without_counters(request.getfixturevalue("sqlite"))
    url = request.getfixturevalue("redis_url") if backend == "redis" else ""
    if url:
        empty(url)
    one, other = open_limits(url, database), open_limits(url, database)
    assert passes(one, FIVE, WHO, 3) + passes(other, FIVE, WHO, 8) == 5
    one.close()
    other.close()


@pytest.mark.parametrize("junk", ["4", "5", "-3"])
def test_a_counter_without_an_end_gets_one(redis_url: str, junk: str) -> None:
    empty(redis_url)
    counters = RedisLimits(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.set(RedisLimits.name(FIVE, WHO), junk)
        passed = passes(counters, FIVE, WHO, 20)
        assert passed == 5 - int(junk)
        assert int(str(client.pttl(RedisLimits.name(FIVE, WHO)))) > 0
    counters.close()


def test_junk_in_place_of_a_counter_lets_nobody_through(redis_url: str) -> None:
    empty(redis_url)
    counters = RedisLimits(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(RedisLimits.name(FIVE, WHO), "junk")
        assert passes(counters, FIVE, WHO, 20) == 5
    counters.close()


# Redis gone, mute or full: counting goes on in the process.


def test_a_crowd_shares_a_few_connections(mortal_redis: Redis) -> None:
    counters = RedisLimits(mortal_redis.url)
    assert at_once(50, lambda _: counters.take(FIVE, WHO)).count(0) == 5
    with redis.Redis.from_url(mortal_redis.url) as client:
        assert 1 <= len(client.client_list()) - 1 <= MOST_CONNECTIONS
    counters.close()


@pytest.fixture
def orphaned(mortal_redis: Redis) -> Iterator[RedisLimits]:
    """Counters that have known their Redis, and lost it."""
    counters = RedisLimits(mortal_redis.url)
    assert counters.take(TWO, "somebody else") == 0
    mortal_redis.stop()
    yield counters
    counters.close()


def test_without_redis_no_more_tries_pass(orphaned: RedisLimits) -> None:
    assert passes(orphaned, FIVE, WHO, 20) == 5


def test_without_redis_fifty_tries_at_once_pass_no_more_often(orphaned: RedisLimits) -> None:
    waits = at_once(50, lambda _: orphaned.take(FIVE, WHO))
    assert waits.count(0) == 5


def test_without_redis_tries_are_taken_back_and_forgotten(orphaned: RedisLimits) -> None:
    passes(orphaned, FIVE, WHO, 5)
    orphaned.give_back(FIVE, WHO)
    assert passes(orphaned, FIVE, WHO, 5) == 1
    orphaned.clear(FIVE, WHO)
    assert orphaned.wait(FIVE, WHO) == 0
    assert passes(orphaned, FIVE, WHO, 8) == 5
    assert 0 < orphaned.wait(FIVE, WHO) <= FIVE.window.total_seconds()


def test_redis_counts_again_within_two_seconds_of_its_return(
    orphaned: RedisLimits, mortal_redis: Redis
) -> None:
    passes(orphaned, FIVE, WHO, 1)
    mortal_redis.start()
    deadline = time.monotonic() + 2
    with redis.Redis.from_url(mortal_redis.url) as client:
        while not client.exists(RedisLimits.name(FIVE, WHO)):
            assert time.monotonic() < deadline
            orphaned.take(FIVE, WHO)
            time.sleep(0.05)


def test_a_full_redis_lets_no_more_tries_pass(mortal_redis: Redis) -> None:
    counters = RedisLimits(mortal_redis.url)
    with redis.Redis.from_url(mortal_redis.url) as client:
        client.config_set("maxmemory", 1)
        try:
            assert passes(counters, FIVE, WHO, 20) == 5
        finally:
            client.config_set("maxmemory", 0)
    counters.close()


def test_a_mute_redis_is_asked_once_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counters = RedisLimits(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        started_at = time.monotonic()
        assert passes(counters, FIVE, WHO, 50) == 5
        elapsed = time.monotonic() - started_at
        listener.settimeout(0.05)
        asked = 0
        try:
            while True:
                listener.accept()[0].close()
                asked += 1
        except TimeoutError:
            pass
        assert 1 <= asked <= 1 + elapsed // REST_SECONDS
        counters.close()


def test_asking_how_long_to_wait_counts_nothing(counters: Limits) -> None:
    assert [counters.wait(TWO, WHO) for _ in range(5)] == [0] * 5
    assert passes(counters, TWO, WHO, 2) == 2
    assert 0 < counters.wait(TWO, WHO) <= AN_HOUR.total_seconds()
    counters.give_back(TWO, WHO)
    assert counters.wait(TWO, WHO) == 0


def test_who_is_over_the_limit_costs_the_database_no_write(database: Database) -> None:
    counters = DatabaseLimits(database)
    passes(counters, TWO, WHO, 3)
    with database.reading() as db:
        before = db.scalar(select(col(Throttle.tries)))
    assert passes(counters, TWO, WHO, 5) == 0
    with database.reading() as db:
        assert db.scalar(select(col(Throttle.tries))) == before == 2

"""What happens is told to all processes: within one at once, between several by Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from backends import events
from backends.events import Events, LocalEvents, RedisEvents
from tests.servers import Redis

HELLO = {"event": "hello"}


class Listener:
    """Remembers what it was told."""

    def __init__(self, source: Events) -> None:
        self.heard: list[Any] = []
        self.doubts = 0
        source.subscribe(self.heard.append, self.doubt)

    def doubt(self) -> None:
        self.doubts += 1


@asynccontextmanager
async def opened(*sources: Events) -> AsyncIterator[None]:
    for source in sources:
        await source.open()
    try:
        yield
    finally:
        for source in sources:
            await source.close()


async def until(is_so: Callable[[], Any], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def test_within_a_process_everybody_hears_it() -> None:
    async def run() -> None:
        source = LocalEvents()
        first, second = Listener(source), Listener(source)
        async with opened(source):
            await asyncio.to_thread(source.publish, HELLO)
            await until(lambda: first.heard and second.heard)
            assert first.heard == second.heard == [HELLO]
            assert not source.reaches_everybody

    asyncio.run(run())


def test_one_who_cannot_listen_keeps_it_from_nobody() -> None:
    async def run() -> None:
        source = LocalEvents()
        source.subscribe(lambda message: message["missing"], lambda: None)
        other = Listener(source)
        async with opened(source):
            source.publish(HELLO)
            await until(lambda: other.heard)

    asyncio.run(run())


def test_nobody_is_told_before_the_start_and_after_the_end() -> None:
    async def run() -> LocalEvents:
        source = LocalEvents()
        listener = Listener(source)
        source.publish(HELLO)
        async with opened(source):
            pass
        source.publish(HELLO)
        await asyncio.sleep(0)
        assert listener.heard == []
        source.loop = asyncio.get_running_loop()
        return source

    asyncio.run(run()).publish(HELLO)  # its loop is closed by now


def test_other_processes_hear_it_once(mortal_redis: Redis) -> None:
    async def run() -> None:
        here, there = RedisEvents(mortal_redis.url), RedisEvents(mortal_redis.url)
        mine, theirs = Listener(here), Listener(there)
        async with opened(here, there):
            await until(lambda: here.reaches_everybody and there.reaches_everybody)
            here.publish(HELLO)
            there.publish({"event": "and back"})
            await until(lambda: len(mine.heard) == len(theirs.heard) == 2)
            await asyncio.sleep(0.1)
            assert len(mine.heard) == len(theirs.heard) == 2

    asyncio.run(run())


def test_blogs_in_numbered_databases_of_one_server_are_apart(mortal_redis: Redis) -> None:
    async def run() -> None:
        first, second = (RedisEvents(mortal_redis.url[:-1] + number) for number in "12")
        other = Listener(second)
        async with opened(first, second):
            await until(lambda: first.reaches_everybody and second.reaches_everybody)
            first.publish(HELLO)
            await asyncio.sleep(0.3)
            assert other.heard == []

    asyncio.run(run())


def test_whatever_others_write_there_is_passed_over(mortal_redis: Redis) -> None:
    async def run() -> None:
        here, there = RedisEvents(mortal_redis.url), RedisEvents(mortal_redis.url)
        listener = Listener(here)
        async with opened(here, there):
            await until(lambda: here.reaches_everybody)
            with redis.Redis.from_url(mortal_redis.url) as client:
                for junk in ("junk", "[]", "{}", '{"from": "x"}', '{"from": "x", "message": 1}'):
                    client.publish(here.channel, junk)
            there.publish(HELLO)
            await until(lambda: listener.heard)
            assert listener.heard == [HELLO]

    asyncio.run(run())


def test_who_loses_redis_is_told_so_and_when_it_is_back(mortal_redis: Redis) -> None:
    async def run() -> None:
        here, there = RedisEvents(mortal_redis.url), RedisEvents(mortal_redis.url)
        mine, theirs = Listener(here), Listener(there)
        async with opened(here, there):
            await until(lambda: here.reaches_everybody and there.reaches_everybody)
            assert mine.doubts == 1  # something may have happened before it listened
            mortal_redis.stop()
            await until(lambda: not (here.reaches_everybody or there.reaches_everybody))
            assert mine.doubts == 2
            here.publish(HELLO)
            await until(lambda: mine.heard == [HELLO])
            mortal_redis.start()
            await until(lambda: here.reaches_everybody and there.reaches_everybody)
            assert mine.doubts == 3
            here.publish({"event": "again"})
            await until(lambda: {"event": "again"} in theirs.heard)

    asyncio.run(run())


def test_a_redis_that_says_nothing_is_lost_too(
    mortal_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SILENCE_SECONDS", 0.2)

    async def run() -> None:
        here = RedisEvents(mortal_redis.url)
        async with opened(here):
            await until(lambda: here.reaches_everybody)
            await asyncio.sleep(1)
            assert here.reaches_everybody  # silence alone is no loss: it answers when asked
            process = mortal_redis._process
            assert process
            process.send_signal(19)  # SIGSTOP
            try:
                await until(lambda: not here.reaches_everybody)
            finally:
                process.send_signal(18)  # SIGCONT
            await until(lambda: here.reaches_everybody)

    asyncio.run(run())

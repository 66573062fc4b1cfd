"""Reads that are made together: one question, everybody's own answer, and never an old one."""

import asyncio
from typing import Any

import pytest

from backends.together import Together

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Shelf:
    """What is read from; `asked` are the keys of each question, which waits while it is `held`."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.asked: list[list[str]] = []
        self.held = asyncio.Event()
        self.held.set()
        self.together: Together[str, Any] = Together(self.read)

    async def read(self, keys: list[str]) -> list[Any]:
        self.asked.append(keys)
        found = [self.values[key] for key in keys]
        await self.held.wait()
        return found


async def test_those_who_ask_at_the_same_moment_are_one_question() -> None:
    shelf = Shelf()
    shelf.values = {"a": 1, "b": 2}
    assert await asyncio.gather(*map(shelf.together.get, "abba")) == [1, 2, 2, 1]
    assert shelf.asked == [["a", "b"]]
    assert await shelf.together.get("b") == 2
    assert shelf.asked == [["a", "b"], ["b"]]


async def test_who_asks_while_a_question_is_on_its_way_gets_what_is_true_then() -> None:
    shelf = Shelf()
    shelf.values = {"a": "before"}
    shelf.held.clear()
    first = asyncio.create_task(shelf.together.get("a"))
    while not shelf.asked:
        await asyncio.sleep(0)
    shelf.values = {"a": "after"}
    second = asyncio.create_task(shelf.together.get("a"))
    await asyncio.sleep(0.01)
    shelf.held.set()
    assert (await first, await second) == ("before", "after")


async def test_who_leaves_takes_nobody_along() -> None:
    shelf = Shelf()
    shelf.values = {"a": 1}
    shelf.held.clear()
    leaving, staying = (asyncio.create_task(shelf.together.get("a")) for _ in range(2))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0.01)
    shelf.held.set()
    assert await staying == 1
    assert leaving.cancelled()


async def test_what_goes_wrong_is_told_to_all_who_asked_and_to_nobody_later() -> None:
    shelf = Shelf()
    told = await asyncio.gather(*map(shelf.together.get, "aab"), return_exceptions=True)
    assert [type(each) for each in told] == [KeyError] * 3
    shelf.values = {"a": 1}
    assert await shelf.together.get("a") == 1

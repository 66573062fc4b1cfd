"""Reads that are asked for at the same moment go out as one. Our own: of a store that is reached over
a network the round trip is what costs, for us more than for the store, and a pipeline has as many
questions as one likes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """`read(keys)` gives a value for each key. It begins after everybody who gets its values has
    asked, so nobody gets what was true before; those who ask for the same key share the value."""

    def __init__(self, read: Callable[[list[Key]], Awaitable[Sequence[Value]]]) -> None:
        self.read = read
        self.waiting: dict[Key, list[asyncio.Future[Value]]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: Key) -> Value:
        """Raises what `read` raises, to all who have asked. Whoever leaves takes nobody along."""
        loop = asyncio.get_running_loop()
        if not self.waiting:  # a task begins once all that is ready now has had its turn
            task = loop.create_task(self.answer_all())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        answer: asyncio.Future[Value] = loop.create_future()
        self.waiting.setdefault(key, []).append(answer)
        return await answer

    async def answer_all(self) -> None:
        waiting, self.waiting = self.waiting, {}
        try:
            values = await self.read(list(waiting))
        except Exception as error:
            for answer in pending(waiting.values()):
                answer.set_exception(error)
        else:
            for answers, value in zip(waiting.values(), values, strict=True):
                for answer in pending([answers]):
                    answer.set_result(value)
        finally:
            for answer in pending(waiting.values()):
                answer.cancel()


def pending(
    answers: Iterable[list[asyncio.Future[Value]]],
) -> list[asyncio.Future[Value]]:
    return [each for some in answers for each in some if not each.done()]

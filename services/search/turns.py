"""How often and how many at once: a search costs more than any other page that strangers may ask for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from backends.limits import Limit, MemoryLimits, take_one
from errors import Busy

# Of one client. Somebody who types asks for suggestions a few times for each search.
SEARCHES = Limit("searches", 120, timedelta(minutes=1))
SUGGESTIONS = Limit("search suggestions", 400, timedelta(minutes=1))
MOST_AT_ONCE = 4
LONGEST_WAIT_SECONDS = 0.5


class Turns:
    """Those of this process. It counts in memory: what it guards is the time of this process, and
    nothing is ever written because somebody reads."""

    def __init__(self) -> None:
        self.limits = MemoryLimits()
        self.places = asyncio.Semaphore(MOST_AT_ONCE)

    @asynccontextmanager
    async def one(self, limit: Limit, client: str) -> AsyncIterator[None]:
        """To be had before a connection or a thread: who waits for it keeps neither from others.

        Raises TooOften, or Busy if too many others search at this moment.
        """
        take_one(self.limits, limit, client)
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self.places.acquire()
        except TimeoutError:
            raise Busy(
                "Many people are searching at this moment. Please try again in a few seconds."
            ) from None
        try:
            yield
        finally:
            self.places.release()

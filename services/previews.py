"""What a text will look like, for whoever is writing it: by the code that renders what readers see."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread

from backends.limits import Limit, MemoryLimits, take_one
from errors import Invalid
from services import links, markdown, texts

MOST_BYTES = texts.MOST_BYTES
FORMS_OF_PERSON = Limit("previews by form", 120, timedelta(minutes=1))
FRAMES_OF_PERSON = Limit("previews by socket", 1_800, timedelta(minutes=1))
MOST_AT_ONCE = 2


def render(source: str, of_stranger: bool) -> str:
    """The HTML that the published page would show; `of_stranger` is as in permissions.is_stranger.

    Raises Invalid if it would be too large.
    """
    html = markdown.render(source.replace("\r\n", "\n").replace("\r", "\n"))
    texts.check_page(html)
    html = markdown.said(html)
    return links.of_strangers(html) if of_stranger else html


class Newest:
    """The newest text of a socket: each takes the place of the one before, seen or not."""

    def __init__(self) -> None:
        self.text = ""
        self.is_new = asyncio.Event()

    def put(self, text: str) -> None:
        self.text = text
        self.is_new.set()

    def take(self) -> str:
        self.is_new.clear()
        return self.text


class Previews:
    """Those of this process. It counts in memory: what it guards is the time of this process."""

    def __init__(self) -> None:
        self.limits = MemoryLimits()
        self.turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.threads = CapacityLimiter(MOST_AT_ONCE)

    def take_form(self, person: str) -> None:
        """Count one. Raises TooOften."""
        take_one(self.limits, FORMS_OF_PERSON, person)

    def take_frame(self, person: str) -> bool:
        """Count one; whether it may go on."""
        return self.limits.take(FRAMES_OF_PERSON, person) == 0

    @asynccontextmanager
    async def turn(self, person: str) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for the block.

        One at a time for each person, who then waits for as long as it took: however many sockets
        somebody opens, others have their turn.
        """
        async with self.turns.setdefault(person, asyncio.Lock()):
            began = time.monotonic()
            yield
            await asyncio.sleep(time.monotonic() - began)

    async def rendered(self, source: str, of_stranger: bool) -> str:
        """The same as `render`, in a thread; instead of an error, its sentence."""
        try:
            return await to_thread.run_sync(render, source, of_stranger, limiter=self.threads)
        except Invalid as error:
            return f"<p>{error.fields['content']}</p>"

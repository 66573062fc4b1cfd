"""Files that are sent: written to the disk as they arrive, and only so many at once.

Our own: Starlette parses a form for whoever asks, and knows nothing of how many do.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, TypeGuard

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from backends import Unavailable
from errors import Busy
from web.forms import MULTIPART, read_multipart

MOST_FILES = 20
MOST_FIELDS = 10
MOST_FIELD_BYTES = 16 * 1024
# Each takes a megabyte of memory at most, the rest is on the disk.
RECEIVED_AT_ONCE, OF_ONE_PERSON = 16, 4
# Each may take a process of its own; others wait with their file on the disk.
WORKED_ON_AT_ONCE = 2
PLACE_SECONDS, WORK_SECONDS = 20, 90


@dataclass(frozen=True)
class Upload:
    """The files of a form, each with what its sender calls it, and the other fields."""

    files: Sequence[tuple[str, IO[bytes]]]
    fields: dict[str, str]


class Uploads:
    """Who sends files to this process at the moment."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(RECEIVED_AT_ONCE)
        self.work = asyncio.Semaphore(WORKED_ON_AT_ONCE)
        self.people: dict[Hashable, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def receive(self, request: Request, who: Hashable) -> AsyncIterator[Upload]:
        """What `who` sends, once it is here and it is its turn to be worked on.

        Raises:
            Busy: too many others send something, or they themselves do.
            HTTPException: 415 or 400, it is no form with files.
            Unavailable: the disk is full.
        """
        async with self.place(who), form_of(request) as upload, turn(self.work, WORK_SECONDS):
            yield upload

    @asynccontextmanager
    async def place(self, who: Hashable) -> AsyncIterator[None]:
        """One of those that a person has, and one of all."""
        own, waiting = self.people.pop(who, (asyncio.Semaphore(OF_ONE_PERSON), 0))
        self.people[who] = own, waiting + 1
        try:
            async with turn(own, PLACE_SECONDS), turn(self.places, PLACE_SECONDS):
                yield
        finally:
            own, waiting = self.people.pop(who)
            if waiting > 1:
                self.people[who] = own, waiting - 1


BUSY = (
    "Several images are on their way here already. Nothing is lost; please try again in a moment."
)


@asynccontextmanager
async def turn(places: asyncio.Semaphore, seconds: float) -> AsyncIterator[None]:
    """Raises Busy if it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            await places.acquire()
    except TimeoutError:
        raise Busy(BUSY) from None
    try:
        yield
    finally:
        places.release()


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[Upload]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MULTIPART:
        raise HTTPException(415)
    limits = {"max_files": MOST_FILES, "max_fields": MOST_FIELDS}
    try:
        form = await read_multipart(request, **limits, max_part_size=MOST_FIELD_BYTES)
    except OSError as error:
        raise Unavailable from error
    try:
        items = form.multi_items()
        files = [(each.filename or "", each.file) for _, each in items if is_file(each)]
        fields = {name: value for name, value in items if isinstance(value, str)}
        yield Upload(files, fields)
    finally:
        await form.close()


def is_file(value: str | UploadFile) -> TypeGuard[UploadFile]:
    """A field for files that was left empty is sent too, without a name and without a byte."""
    return isinstance(value, UploadFile) and bool(value.filename or value.size)

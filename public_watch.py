"""The watch over what readers see: whether pages that were kept may still be shown.

Our own: within a process it hears of each change before that is answered, other processes tell it
by Redis, and in any case it looks into the database twice a second while somebody reads. So what
is shown is never older than a second, whoever changed it and however.
"""

import asyncio
import logging
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

import public_version
from backends.events import Events, Message
from database import Database
from models import now
from services import streams

log = logging.getLogger("inkstand.public")
# What a look found is good for so long; and a little longer while the next one is on its way.
LOOK_SECONDS, TRUST_SECONDS = 0.5, 0.85
# Who has to wait for a look waits so long. Then the database is as good as away, and pages are
# shown as they were, for a while; but none past the moment at which a post goes live.
WAIT_SECONDS, REST_SECONDS, STALE_SECONDS = 2.0, 0.5, 600.0
NEVER, ALWAYS = -math.inf, math.inf


class PublicWatch:
    """`epoch` grows with each change that this process knows of: what was made before is old.

    `listeners` are called at each, from any thread: for what else was read and is kept.
    """

    def __init__(self, database: Database, events: Events) -> None:
        self.database = database
        self.events = events
        self.listeners: list[Callable[[], None]] = []
        self.epoch = 0
        self.version = -1  # none that there is
        self.modified = 0  # when readers last saw something change, in seconds since 1970
        self.sure_until = NEVER  # until then nobody need ask
        self.looked_at = NEVER  # when the look began that found what is known
        self.answered_at = NEVER  # the same, whatever was heard since
        self.due_at = ALWAYS  # when the next post goes live
        self.is_away = False
        self.lock = threading.RLock()
        self.looking: asyncio.Task[None] | None = None
        self.thread = ThreadPoolExecutor(1, "public-watch")
        database.listeners[public_version.CHANGED] = self.note
        events.subscribe(self.hear, self.doubt)

    def note(self, version: int) -> None:
        """This process has changed something; before that is answered, from any thread."""
        self.advance(version)
        self.events.publish({"public": version})

    def hear(self, message: Message) -> None:
        version = message.get("public")
        if isinstance(version, int) and version > self.version:
            self.advance(version)

    def doubt(self) -> None:
        """Something may have been missed."""
        self.looked_at = self.sure_until = NEVER

    def advance(self, version: int | None = None) -> None:
        with self.lock:
            self.epoch += 1
            if version is not None:
                self.version = version
                self.modified = max(self.modified, version)
            self.looked_at = self.sure_until = NEVER
        for listener in self.listeners:
            listener()

    def is_still(self, epoch: int) -> bool:
        """Whether what was made since then can be kept."""
        if monotonic() >= self.due_at:
            self.go_live()
        return epoch == self.epoch

    def go_live(self) -> None:
        self.due_at = ALWAYS
        self.advance()

    async def is_sure(self) -> bool:
        """Whether what was made in this epoch may be shown. Ask once `sure_until` is over."""
        self.is_still(self.epoch)
        if self.looking is None or self.looking.done():
            self.looking = asyncio.create_task(self.look())
        if monotonic() < self.looked_at + TRUST_SECONDS:
            return True
        if not self.is_away:
            done, _ = await asyncio.wait({self.looking}, timeout=WAIT_SECONDS)
            self.is_away = self.is_away or not done
        return monotonic() < min(self.due_at, self.answered_at + STALE_SECONDS)

    async def look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            epoch, began_at = self.epoch, monotonic()
            try:
                found = await loop.run_in_executor(self.thread, self.read)
            except (SQLAlchemyError, OSError) as error:
                if not self.is_away:
                    log.warning("pages may be old: %s", type(error).__name__)
                self.is_away = True
                rest = monotonic() + REST_SECONDS
                self.sure_until = min(rest, self.due_at, self.answered_at + STALE_SECONDS)
                return
            self.is_away = False
            if self.take(found, epoch, began_at):
                return

    def read(self) -> streams.Outlook:
        with self.database.reading() as db:
            return streams.outlook(db)

    def take(self, found: streams.Outlook, epoch: int, began_at: float) -> bool:
        """False if something has changed while it was read."""
        with self.lock:
            if epoch != self.epoch:
                return False
            if found.version != self.version:
                self.advance(found.version)
            last = math.ceil(found.last_at.timestamp()) if found.last_at else 0
            self.modified = max(found.version, last)
            wait = (found.next_at - now()).total_seconds() if found.next_at else ALWAYS
            self.due_at = monotonic() + wait
            self.looked_at = self.answered_at = began_at
            self.sure_until = min(began_at + LOOK_SECONDS, self.due_at)
        return True

    def close(self) -> None:
        self.thread.shutdown(wait=False, cancel_futures=True)

"""What every page says, and what seldom changes: read from the database once a second at most."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from database import Database

T = TypeVar("T")
KNOWN_SECONDS, REST_SECONDS, WAIT_SECONDS = 1.0, 5.0, 2.0


class Known(Generic[T]):
    """What `read` finds; until then `latest` is what is known without the database.

    What this process changes shows at once (by the event `changed`), what others change within the
    second. When the database is away what was read last stays. `late` is called when it could not
    be read after a change and now was: what was made with it meanwhile is old.
    """

    def __init__(
        self, database: Database, changed: str, read: Callable[[Session], T], otherwise: T
    ) -> None:
        self.database = database
        self.find = read
        self.latest = otherwise
        self.good_until = 0.0
        self.changes = 0
        self.seen = -1  # the change up to which `latest` is right
        self.is_late = False
        self.late: Callable[[], None] = lambda: None
        self.reading = threading.Lock()
        database.listeners[changed] = self.forget

    def forget(self) -> None:
        self.changes += 1
        self.good_until = 0.0

    def now(self) -> T:
        """Never raises, and only one at a time reads the database."""
        if time.monotonic() >= self.good_until and self.may_read():
            try:
                if time.monotonic() >= self.good_until:
                    self.read()
            finally:
                self.reading.release()
        return self.latest

    def may_read(self) -> bool:
        """After a change everybody waits for whoever reads it, since what they make of it is kept."""
        if self.seen != self.changes:
            return self.reading.acquire(timeout=WAIT_SECONDS)
        return self.reading.acquire(blocking=False)

    def read(self) -> None:
        changes, good_for = self.changes, KNOWN_SECONDS
        try:
            with self.database.reading() as db:
                self.latest = self.find(db)
            self.seen = changes
        except SQLAlchemyError:
            good_for = REST_SECONDS
        if changes == self.changes:  # else somebody has changed it while it was read
            self.good_until = time.monotonic() + good_for
        was_late, self.is_late = self.is_late, self.seen != changes
        if was_late and not self.is_late:
            self.late()

"""What every page says, and what seldom changes: read from the database once a second at most."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from database import Database

T = TypeVar("T")
KNOWN_SECONDS, REST_SECONDS = 1.0, 5.0


class Known(Generic[T]):
    """What `read` finds; until then `latest` is what is known without the database.

    What this process changes shows at once (by the event `changed`), what others change within the
    second. When the database is away what was read last stays.
    """

    def __init__(
        self, database: Database, changed: str, read: Callable[[Session], T], otherwise: T
    ) -> None:
        self.database = database
        self.find = read
        self.latest = otherwise
        self.good_until = 0.0
        self.changes = 0
        self.reading = threading.Lock()
        database.listeners[changed] = self.forget

    def forget(self) -> None:
        self.changes += 1
        self.good_until = 0.0

    def now(self) -> T:
        """Never raises, and only one at a time waits for the database."""
        if time.monotonic() >= self.good_until and self.reading.acquire(blocking=False):
            try:
                self.read()
            finally:
                self.reading.release()
        return self.latest

    def read(self) -> None:
        changes, good_for = self.changes, KNOWN_SECONDS
        try:
            with self.database.reading() as db:
                self.latest = self.find(db)
        except SQLAlchemyError:
            good_for = REST_SECONDS
        if changes == self.changes:  # else somebody has changed it while it was read
            self.good_until = time.monotonic() + good_for

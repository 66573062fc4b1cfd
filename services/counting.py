"""Counting readers: what requests have left is grouped, and stored a few seconds later."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from database import Database
from models import now
from services import tallies, visitors
from services.visitors import day_of
from settings import Settings

log = logging.getLogger("inkstand")
FLUSH_SECONDS = 5
STOP_SECONDS = 2.0
MOST_WAITING = 20_000  # different ones, while the database is away
# Names of browsers that were not met before are looked up, 0.4 ms each: whoever makes them up takes
# a few per cent of a process, not all of it.
MOST_NEW_AGENTS = 500  # between two flushes


class Visit(NamedTuple):
    """A page that somebody has opened, as web/visits.py noted it. Lives in memory, for seconds."""

    is_page: bool
    slug: str
    network: str
    agent: bytes
    referrer: bytes
    host: bytes
    user_id: str | None
    is_private: bool  # asks not to be told apart: Sec-GPC or DNT


class Counting:
    """Counts what `take()` gives. A thread of each process that serves pages; `flush()` stores what
    there is at once. What cannot be stored waits for the next time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        take: Callable[[], list[tuple[Any, ...]]],
        network_of: Callable[[str], str],
    ) -> None:
        self.database = database
        self.secret, self.zone = settings.secrets[0], settings.zone
        self.take = take
        self.network_of = network_of
        self.waiting: Counter[tuple[date, Visit]] = Counter()
        self.room = tallies.Room()
        self.programs = visitors.Programs()
        self.days: set[date] = set()  # whose visitors can still be told apart
        self.flushing = threading.Lock()
        self.is_wanted = threading.Event()
        self.is_over = False
        self.thread = threading.Thread(target=self.run, name="counting", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Store the rest, if that is possible soon."""
        self.is_over = True
        self.is_wanted.set()
        if self.thread.is_alive():
            self.thread.join(STOP_SECONDS)

    def hurry(self) -> None:
        self.is_wanted.set()

    def run(self) -> None:
        while not self.is_over:
            self.is_wanted.wait(FLUSH_SECONDS)
            self.is_wanted.clear()
            self.try_to_flush()
        self.try_to_flush()  # what was noted while that was done
        self.database.close()  # if this has opened it again

    def try_to_flush(self) -> None:
        try:
            self.flush()
        except SQLAlchemyError as error:
            why = str(getattr(error, "orig", error)).strip()
            log.warning("counting readers waits for the database: %s", why)
        except Exception:
            log.exception("counting readers failed")
            self.waiting.clear()  # it would fail again, for ever

    def flush(self) -> None:
        """Count all that was noted so far. Raises SQLAlchemyError: it was kept, for later."""
        with self.flushing:
            self.collect()
            if self.waiting:
                batch = dict(self.waiting)
                tallies.store(self.database, batch, self.secret, self.room, now(), self.zone)
                self.days |= {day for day, _ in batch}
                self.waiting.clear()
            self.forget()

    def collect(self) -> None:
        """Without programs, the same ones together, on the day that it is now."""
        today, lost = day_of(now(), self.zone), 0
        look_ups = MOST_NEW_AGENTS
        for raw, count in Counter(self.take()).items():
            visit = Visit(*raw)
            is_program = self.programs.known(visit.agent)
            if is_program is None:
                if not look_ups:
                    lost += count
                    continue
                look_ups -= 1
                is_program = self.programs.look_up(visit.agent)
            if is_program:
                continue
            key = today, visit._replace(network=self.network_of(visit.network))
            if key in self.waiting or len(self.waiting) < MOST_WAITING:
                self.waiting[key] += count
            else:
                lost += count
        if lost:
            log.warning("too many to keep at once: %s views are not counted", lost)

    def forget(self) -> None:
        """Soon after the end of a day nothing tells its visitors apart any more."""
        first_kept = visitors.first_kept(now(), self.zone)
        if any(day < first_kept for day in self.days):
            visitors.forget(self.database, first_kept)
            self.days = {day for day in self.days if day >= first_kept}

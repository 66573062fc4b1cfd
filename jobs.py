"""Background work: which jobs there are, when they run, and where.

With JOBS=web each process that serves pages does them in a thread. With JOBS=worker it only tells
the worker (`blog.py worker`), by way of huey, that there is something to do.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property, wraps
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from backends import Unavailable
from backends.mail import open_mailer
from backends.storage import Storage, open_storage
from database import Database
from models import now
from services import (
    announcements,
    hubs,
    mails,
    media,
    outbox,
    rerendering,
    search,
    sweeping,
    tag_uris,
)
from settings import Settings

if TYPE_CHECKING:  # huey: 60 ms and 8 MiB, for those who have a worker
    from backends.queue import Queue

log = logging.getLogger("inkstand")
TICK_SECONDS = 60
STOP_SECONDS = 0.8
# An idle blog asks its database so often whether a mail waits: databases that are paid by the hour
# may sleep meanwhile. A process knows of its own mails, and when one is to be tried again; this is
# for those of a process that died. A worker is there to look, and may have missed a hint.
LOOK_EVERY, EACH_TICK = timedelta(minutes=15), timedelta(0)
# Soon after a start, since some platforms let no process live for long.
FIRST_RERENDER = timedelta(minutes=1)  # until then readers get fresh HTML all the same
FIRST_SWEEP, SWEEP_EVERY = timedelta(minutes=10), timedelta(hours=1)
SWEEP_FILES_EVERY = timedelta(days=1)  # all of them must be listed


Job = Callable[["Jobs"], None]


def safely(job: Job) -> Job:
    """Whatever goes wrong, there is a next time."""

    @wraps(job)
    def run(jobs: "Jobs") -> None:
        try:
            job(jobs)
        except SQLAlchemyError as error:
            why = str(getattr(error, "orig", error)).strip()
            log.warning("%s waits for the database: %s", job.__name__, why)
        except Unavailable:
            log.warning("%s waits for a service that does not answer", job.__name__)
        except Exception:
            log.exception("%s failed", job.__name__)

    return run


class Jobs:
    """The jobs of one process. Any number of processes may have them: nothing is done twice."""

    def __init__(self, settings: Settings, database: Database, *, is_worker: bool = False) -> None:
        self.settings = settings
        self.database = database
        self.is_worker = is_worker
        self.mailer = open_mailer(settings)
        self.look_at, self.sweep_at = now(), now() + FIRST_SWEEP
        self.sweep_files_at = self.sweep_at
        self.rerender_at = now() + FIRST_RERENDER
        self.announce_at = now()
        self.settle_at: datetime | None = now() + FIRST_RERENDER
        self.index_at = now()
        self.thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self.is_wanted = threading.Event()
        self.is_over = False
        self.opened: Queue | None = None
        self.opening = threading.Lock()

    def listen(self) -> None:
        self.database.listeners |= {
            mails.QUEUED: self.deliver_soon,
            announcements.NOTED: self.deliver_soon,
            search.OUTDATED: self.index_soon,
        }

    def start(self) -> None:
        self.listen()
        if self.settings.jobs == "web":
            self.thread.start()

    def stop(self) -> None:
        """Within a second; what is not done by then is done after the next start."""
        self.is_over = True
        self.is_wanted.set()
        if self.thread.is_alive():
            self.thread.join(STOP_SECONDS)
        if self.opened:
            self.opened.storage.close()

    def run(self) -> None:
        """The life of the thread beside the pages: it sleeps until a mail or a minute comes."""
        while not self.is_over:
            self.tick()
            if self.is_wanted.wait(TICK_SECONDS) and not self.is_over:
                self.is_wanted.clear()
                self.run_errands()
        self.database.close()  # if a job that took long has opened it again

    def work(self) -> None:
        """The life of the worker."""
        from backends.queue import work

        self.listen()
        work(self.queue)

    def deliver_soon(self) -> None:
        """Somebody queued a mail, or changed a feed. Never waits: what nobody hears of is found
        later."""
        if self.settings.jobs == "web":
            self.is_wanted.set()
            return
        try:
            self.queue.enqueue(self.queue.delivery())
        except Unavailable:
            log.warning("Redis is away: the worker will find a mail by itself")

    def index_soon(self) -> None:
        self.index_at = now()

    @cached_property
    def storage(self) -> Storage:
        return open_storage(self.settings, self.database)

    @property
    def queue(self) -> "Queue":
        """Between the web processes and the worker: one for all threads."""
        with self.opening:
            self.opened = self.opened or self.open_queue()
            return self.opened

    def open_queue(self) -> "Queue":
        from huey import crontab

        from backends.queue import open_queue

        queue = open_queue(self.settings, works=self.is_worker)
        queue.delivery = queue.task(name="deliver")(self.run_errands).task_class
        queue.periodic_task(crontab(), name="tick")(self.tick)
        return queue

    def tick(self) -> None:
        """Every minute; it asks the database only when something may be due."""
        if now() >= self.look_at:
            self.deliver()
        if self.settings.websub_hub and now() >= self.announce_at:
            self.announce()
        if now() >= self.sweep_at:
            self.sweep()
        if now() >= self.sweep_files_at:
            self.sweep_files()
        if now() >= self.rerender_at:
            self.rerender()
        if self.settle_at and now() >= self.settle_at:
            self.settle()
        if now() >= self.index_at:
            self.index()

    def run_errands(self) -> None:
        """What somebody may be waiting for."""
        self.deliver()
        if self.settings.websub_hub:
            self.announce()

    @safely
    def announce(self) -> None:
        """Tell the hub which feeds have changed."""
        self.announce_at = now()
        hub, link_base = self.settings.websub_hub, self.settings.link_base
        found = hubs.announce(self.database, hub, link_base, lambda: self.is_over)
        latest = now() + (EACH_TICK if self.is_worker else LOOK_EVERY)
        self.announce_at = min(found or latest, latest)

    @safely
    def deliver(self) -> None:
        """Send the mails that are due."""
        self.look_at = now()
        latest = now() + (EACH_TICK if self.is_worker else LOOK_EVERY)
        self.look_at = min(outbox.deliver(self.database, self.mailer) or latest, latest)

    @safely
    def sweep(self) -> None:
        """Delete what is over."""
        self.sweep_at = now() + SWEEP_EVERY
        sweeping.sweep(self.database, self.settings)

    @safely
    def sweep_files(self) -> None:
        """Delete files that no image has."""
        self.sweep_files_at = now() + SWEEP_FILES_EVERY
        media.sweep(self.database, self.storage)

    @safely
    def rerender(self) -> None:
        """Render again what an older version has rendered: usually nothing, and all of it after an
        update. Looked for again later, since the older version may go on for a while."""
        self.rerender_at = now() + SWEEP_EVERY
        rerendering.rerender(self.database, is_over=lambda: self.is_over)

    @safely
    def settle(self) -> None:
        """Note for good by which domain feeds name their entries: once in the life of a blog."""
        self.settle_at = now() + LOOK_EVERY
        if tag_uris.settle(self.database, self.settings.link_base):
            self.settle_at = None

    @safely
    def index(self) -> None:
        """Take into the index what it does not have yet: all there is after the update that brought
        it, and the rest after a tag of many posts was renamed. A worker does not hear of that, so
        it looks."""
        self.index_at = now() + (EACH_TICK if self.is_worker else SWEEP_EVERY)
        search.catch_up(self.database, is_over=lambda: self.is_over)

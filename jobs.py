"""Background work: which jobs there are, when they run, and where.

With JOBS=web each process that serves pages does its own in two threads. With JOBS=worker it only
tells the worker (`blog.py worker`) that there is something to do.
"""

import logging
import threading
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from backends import Unavailable
from database import Database
from models import now
from services import mails, outbox, sweeping
from settings import Settings

if TYPE_CHECKING:  # heavy, and nothing the first page needs
    from backends.mail import Mailer
    from backends.queue import Queue, Threads

log = logging.getLogger("inkstand")
# The jobs' libraries are loaded after the first pages, or with the first mail.
FIRST_LOOK_SECONDS = 3
# An idle blog asks its database so often whether a mail waits. Its own mails, and those that are to
# be tried again, it knows of; this is for those of a process that died.
LOOK_EVERY = timedelta(minutes=15)


class Jobs:
    """The jobs of one process."""

    def __init__(self, settings: Settings, database: Database, *, is_worker: bool = False) -> None:
        self.settings = settings
        self.database = database
        self.is_worker = is_worker
        self.is_wanted = threading.Event()
        self.is_over = False
        self.changing = threading.Lock()
        self.threads: Threads | None = None
        self.look_at = now()
        database.listeners[mails.QUEUED] = self.deliver_soon

    def start(self) -> None:
        """Beside pages, unless a worker does it. Returns at once."""
        if self.settings.jobs == "web":
            threading.Thread(target=self.begin, name="jobs", daemon=True).start()

    def begin(self) -> None:
        from backends.queue import Threads

        self.is_wanted.wait(FIRST_LOOK_SECONDS)
        with self.changing:
            if not self.is_over:
                self.threads = Threads(self.queue)
                self.threads.start()

    def stop(self) -> None:
        """Within a second; what is not done by then is done after the next start."""
        with self.changing:
            self.is_over = True
        self.is_wanted.set()
        if self.threads:
            self.threads.stop_soon()
        elif "queue" in vars(self):
            self.queue.storage.close()

    def work(self) -> None:
        """The worker's whole life."""
        from backends.queue import work

        work(self.queue)

    def deliver_soon(self) -> None:
        """Somebody queued a mail. Never waits, and never fails: it is found later all the same."""
        if self.settings.jobs == "web" and not self.threads:
            self.is_wanted.set()
            return
        try:
            self.queue.enqueue(self.queue.delivery())
        except Unavailable:
            log.warning("Redis is away: the worker will find a mail by itself")

    @cached_property
    def queue(self) -> "Queue":
        from huey import crontab

        from backends.queue import own_queue, shared_queue

        if self.settings.jobs == "web":
            queue = own_queue()
        else:
            queue = shared_queue(self.settings, works=self.is_worker)
        queue.delivery = queue.task(name="deliver")(self.deliver).task_class
        queue.periodic_task(crontab(), name="look")(self.look)
        queue.periodic_task(crontab(minute="17"), name="sweep")(self.sweep)
        return queue

    @cached_property
    def mailer(self) -> "Mailer":
        from backends.mail import open_mailer

        return open_mailer(self.settings)

    def deliver(self) -> None:
        """Send the mails that are due."""
        latest = now() + LOOK_EVERY
        try:
            self.look_at = min(outbox.deliver(self.database, self.mailer) or latest, latest)
        except SQLAlchemyError as error:
            self.look_at = now()
            log.warning("mails wait for the database: %s", getattr(error, "orig", error))
        finally:
            if self.is_over:
                self.database.close()  # it was closed before this job came to its end

    def look(self) -> None:
        """Every minute, but without a question to the database as long as nothing can be due."""
        if now() >= self.look_at:
            self.deliver()

    def sweep(self) -> None:
        """Every hour, so that it happens where processes are put to sleep, too."""
        try:
            sweeping.sweep(self.database, self.settings)
        except SQLAlchemyError as error:
            log.warning("old rows stay a while: %s", getattr(error, "orig", error))

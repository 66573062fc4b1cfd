"""Who may have a password hashed next: one at a time, and those we know before those who ask often.

Hashing takes a quarter of a second of a core for whoever sends a form. Under a flood somebody has to
be sent away; that must not be the person whose browser has logged in here before, nor the one who
asks for the first time.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from errors import Busy
from languages import N_

# Each who waits holds one of the 40 threads that serve requests.
MOST_WAITING = 12
PATIENCE_SECONDS = 5.0
# Tries are remembered for one to two of these.
REMEMBERED_SECONDS = 60.0
MOST_REMEMBERED = 50_000
SENT_AWAY = N_("Many people are logging in at this moment. Please try again in a few seconds.")


@dataclass(eq=False)
class Ticket:
    """A place in the queue."""

    number: int
    asking: tuple[int, ...]
    is_known: bool
    called: threading.Event = field(default_factory=threading.Event)


class WaitingRoom:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0
        self.served: Ticket | None = None
        self.waiting: list[Ticket] = []
        self.asked: Counter[int] = Counter()
        self.asked_before: Counter[int] = Counter()
        self.counting_since = time.monotonic()

    @contextmanager
    def turn(self, *asking: str, is_known: bool = False) -> Iterator[None]:
        """Wait for one's turn, and have it for the block.

        `asking` are what tries are counted by, such as a network; whoever `is_known` goes before all
        others, and then those who have asked least.

        Raises:
            Busy: too many are waiting who go first, or it took too long.
        """
        ticket = self.enter(asking, is_known)
        ticket.called.wait(PATIENCE_SECONDS)
        with self.lock:
            is_served = ticket is self.served
            if ticket in self.waiting:
                self.waiting.remove(ticket)
        if not is_served:
            raise Busy(SENT_AWAY)
        try:
            yield
        finally:
            self.call_next()

    def enter(self, asking: tuple[str, ...], is_known: bool) -> Ticket:
        # By hash: some people type their password where their name belongs.
        names = tuple(hash(each) for each in asking)
        with self.lock:
            self.number += 1
            ticket = Ticket(self.number, names, is_known)
            self.count(names)
            if self.served is None:
                self.served = ticket
                ticket.called.set()
            else:
                self.waiting.append(ticket)
            if len(self.waiting) > MOST_WAITING:
                last = max(self.waiting, key=self.rank)
                self.waiting.remove(last)
                last.called.set()
        return ticket

    def call_next(self) -> None:
        with self.lock:
            self.served = min(self.waiting, key=self.rank, default=None)
            if self.served:
                self.waiting.remove(self.served)
                self.served.called.set()

    def rank(self, ticket: Ticket) -> tuple[bool, int, int]:
        """The lowest goes first, the highest is sent away. Asking again while one waits costs one's
        place, so that a flood is behind a newcomer as soon as it repeats itself."""
        tries = sum(self.asked[each] + self.asked_before[each] for each in ticket.asking)
        return not ticket.is_known, tries, ticket.number

    def count(self, names: tuple[int, ...]) -> None:
        is_old = time.monotonic() - self.counting_since > REMEMBERED_SECONDS
        if is_old or len(self.asked) > MOST_REMEMBERED:
            self.asked_before, self.asked = self.asked, Counter()
            self.counting_since = time.monotonic()
        self.asked.update(names)

"""Cards that were drawn, kept in memory: the last ones that somebody asked for."""

import threading
from collections import OrderedDict

from errors import Busy
from services.cards import Card

MOST_BYTES = 6 * 1024 * 1024  # some 400 cards
# Each who waits holds one of the 40 threads that serve requests.
MOST_WAITING = 6
SENT_AWAY = "Many pictures are being drawn at this moment. Please try again in a few seconds."


class Gallery:
    """One card is drawn at a time, and by one thread: more would take turns with the pages."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_waiting: int = MOST_WAITING) -> None:
        self.most_bytes = most_bytes
        self.room = threading.BoundedSemaphore(most_waiting)
        self.drawing = threading.Lock()
        self.lock = threading.Lock()
        self.kept: OrderedDict[Card, bytes] = OrderedDict()
        self.bytes = 0

    def picture(self, card: Card) -> bytes:
        """The PNG. It may take a while: hold nothing meanwhile.

        Raises:
            Busy: too many wait for theirs.
        """
        found = self.find(card)
        if found is not None:
            return found
        if not self.room.acquire(blocking=False):
            raise Busy(SENT_AWAY)
        try:
            with self.drawing:
                return self.find(card) or self.draw(card)
        finally:
            self.room.release()

    def find(self, card: Card) -> bytes | None:
        with self.lock:
            if card in self.kept:
                self.kept.move_to_end(card)
            return self.kept.get(card)

    def draw(self, card: Card) -> bytes:
        from services.cards.drawing import drawn  # Pillow takes its time, and most never need it

        data = drawn(card)
        with self.lock:
            self.kept[card] = data
            self.bytes += len(data)
            while self.bytes > self.most_bytes:
                self.bytes -= len(self.kept.popitem(last=False)[1])
        return data

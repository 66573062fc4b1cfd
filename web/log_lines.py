"""Lines on their way to the log. Our own: a handler of `logging` writes each line by itself, which
costs a request as much as its page does, and waits while a full pipe is read by nobody."""

import atexit
import threading
from collections import deque
from time import sleep
from typing import TextIO

EVERY_SECONDS = 0.1
# With more than that the pipe is read by nobody: then whoever writes waits, as anybody else would.
MOST_WAITING = 50_000


class Lines:
    """Written by a thread of their own within a tenth of a second, and before the process ends."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.waiting: deque[str] = deque()
        self.is_due = threading.Event()
        self.writing = threading.Lock()
        self.thread: threading.Thread | None = None
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """From any thread."""
        self.waiting.append(line)
        if not self.is_due.is_set():
            self.is_due.set()
            if self.thread is None:
                self.start()
        elif len(self.waiting) > MOST_WAITING:
            self.flush()

    def start(self) -> None:
        self.thread = threading.Thread(target=self.keep_writing, name="access-log", daemon=True)
        self.thread.start()

    def keep_writing(self) -> None:
        while True:
            self.is_due.wait()
            sleep(EVERY_SECONDS)
            self.is_due.clear()
            self.flush()

    def flush(self) -> None:
        """Write all that waits."""
        with self.writing:
            lines = []
            while self.waiting:
                lines.append(self.waiting.popleft())
            if lines:
                lines.append("")
                try:
                    self.stream.write("\n".join(lines))
                    self.stream.flush()
                except (OSError, ValueError):
                    pass  # nobody can read it, and nobody can be told

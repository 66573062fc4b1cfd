"""The few requests that the blog itself sends to others. Bounded, and our own: the HTTP clients that
authlib brings need packages that we do without, and none limits time and size as a whole."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from backends.http import connect, whole
from backends.openid import NoAnswer
from errors import Busy

SECONDS = 5  # for everything: name, connection, answer
HEADERS = {"Accept": "application/json", "User-Agent": "Inkstand"}

# A provider that hangs holds these threads, and not the forty that serve pages.
MOST_AT_ONCE, MOST_WAITING = 4, 8
POOL = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="openid")
ROOM = threading.BoundedSemaphore(MOST_WAITING)


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any  # None if it was none

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object. Raises NoAnswer if it is none."""
        if not isinstance(self.json, dict):
            raise NoAnswer(f"status {self.status} and no JSON object")
        return self.json


def ask(url: str, form: str | None = None, headers: dict[str, str] | None = None) -> Answer:
    """GET, or POST if there is a form. Redirects are not followed: they are an answer as well.

    Raises:
        NoAnswer: there was none within five seconds, or it was larger than a megabyte.
        Busy: too many requests wait already.
    """
    if not ROOM.acquire(blocking=False):
        raise Busy("Too many people log in that way at the moment. Please try again.")
    future = POOL.submit(send, url, form, {**HEADERS, **(headers or {})})
    future.add_done_callback(lambda _: ROOM.release())
    try:
        return future.result(SECONDS)
    except TimeoutError:
        future.cancel()
        raise NoAnswer(f"nothing within {SECONDS} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


def send(url: str, form: str | None, headers: dict[str, str]) -> Answer:
    deadline = time.monotonic() + SECONDS
    parts = urlsplit(url)
    with closing(connect(url, SECONDS)) as connection:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if form is None else "POST", target, form, headers)
        with connection.getresponse() as response:
            return Answer(response.status, json_in(whole(response, deadline)))


def json_in(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

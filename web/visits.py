"""Requests that may be somebody reading, noted for later: it costs each request about a microsecond,
and everything that takes longer happens in another thread."""

from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from starlette.types import Scope

MOST_WAITING = 20_000  # some MB; whoever reads meanwhile is not counted
MANY = MOST_WAITING // 2
LONGEST_AGENT, LONGEST_REFERRER = 300, 500
POSTS = "/posts/"


class Visits:
    """`seen(scope, status)` is told of each request that was answered.

    A 304 is somebody who reads again what the browser has kept, so it counts as the page does.
    """

    def __init__(self, not_pages: Collection[str], when_many: Callable[[], None]) -> None:
        self.not_pages = not_pages  # first segments of addresses
        self.when_many = when_many
        self.waiting: deque[tuple[Any, ...]] = deque()
        self.dropped = 0

    def seen(self, scope: Scope, status: int) -> None:
        if (status != 200 and status != 304) or scope["method"] != "GET":
            return
        path: str = scope["path"]
        is_page = not path.startswith(POSTS)
        slug = path[1:] if is_page else path[7:]
        if not slug or "/" in slug or "." in slug or (is_page and slug in self.not_pages):
            return
        headers = dict(scope["headers"])
        if looks_like_a_reader(headers):
            self.note(scope, headers, is_page, slug)

    def note(self, scope: Scope, headers: dict[bytes, bytes], is_page: bool, slug: str) -> None:
        """In the order of services.counting.Visit."""
        count = len(self.waiting)
        if count >= MOST_WAITING:
            self.dropped += 1
            return
        client, get = scope.get("client"), headers.get
        self.waiting.append(
            (
                is_page,
                slug,
                client[0] if client else "",
                get(b"user-agent", b"")[:LONGEST_AGENT],
                get(b"referer", b"")[:LONGEST_REFERRER],
                get(b"host", b"")[:LONGEST_REFERRER],
                scope.get("state", {}).get("user_id"),
                get(b"sec-gpc") == b"1" or get(b"dnt") == b"1",
            )
        )
        if count == MANY:
            self.when_many()

    def take(self) -> list[tuple[Any, ...]]:
        """What waits. From any thread: what comes meanwhile is taken next time."""
        waiting = self.waiting
        return [waiting.popleft() for _ in range(len(waiting))]


def looks_like_a_reader(headers: dict[bytes, bytes]) -> bool:
    """Every browser says these when somebody opens a page; pages fetched in advance, by scripts or
    into frames are not being read."""
    get = headers.get
    return bool(
        get(b"user-agent")
        and b"accept-language" in headers
        and b"text/html" in get(b"accept", b"")
        and get(b"sec-fetch-dest", b"document") == b"document"
        and b"prefetch" not in get(b"sec-purpose", b"")
        and b"purpose" not in headers
        and b"x-moz" not in headers
    )

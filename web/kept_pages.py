"""Pages in memory, each with all that a reply needs: headers, and bodies ready to be sent."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time

from web.answers import Answer, Headers
from web.encodings import COMPRESSIONS, IDENTITY, is_compressible
from web.shared import Shared

Key = tuple[str, str, bytes]  # scheme, path, query
# What we say ourselves of a page, whatever its route has said.
OURS = {
    b"cache-control",
    b"content-encoding",
    b"content-length",
    b"etag",
    b"last-modified",
    b"vary",
}
PERSONAL: Headers = [(b"vary", b"Cookie"), (b"cache-control", b"private, no-store")]
# For what surrounds a body in memory: dictionaries, headers, the key.
OVERHEAD_BYTES = 4096


@dataclass(slots=True)
class Variant:
    """A page in one compression."""

    etag: bytes
    modified: int  # 0 if nothing is said of it
    answer: Answer
    unchanged: Answer  # a 304


@dataclass(slots=True)
class Page:
    """A page as it was made for strangers, in one epoch of what readers see."""

    epoch: int
    body: bytes
    headers: Headers  # without those that are ours
    shared: Shared
    modified: int  # when readers last saw something change, in seconds since 1970
    cache_control: bytes
    for_caches: Headers
    bodies: dict[str, bytes] = field(default_factory=dict)  # compressed; empty: that is no use
    variants: dict[str, Variant] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return OVERHEAD_BYTES + len(self.body) + sum(map(len, self.bodies.values()))

    def compressed(self, encoding: str) -> bytes:
        """It takes a while. Empty if it would not become smaller."""
        kind = dict(self.headers).get(b"content-type", b"")
        if not is_compressible(self.body, kind):
            return b""
        small = COMPRESSIONS[encoding](self.body)
        return small if len(small) < len(self.body) else b""

    def variant(self, encoding: str) -> Variant:
        """The page in a compression that was made before, or as it is."""
        found = self.variants.get(encoding)
        if found is None or (found.modified != self.modified < time() - 1):
            small = self.bodies.get(encoding)
            found = self.made(encoding, small) if small else self.made(IDENTITY, self.body)
            self.variants[encoding] = found
        return found

    def made(self, encoding: str, body: bytes) -> Variant:
        """With a strong validator for each compression (RFC 9110, section 8.8.3.3). The time of
        the last change is said once it is past (section 8.8.2.1)."""
        digest = hashlib.sha256(self.body).hexdigest()[:20]
        etag = f'"{digest}{encoding and "-"}{encoding}"'.encode()
        modified = self.modified if self.modified < time() - 1 else 0
        said: Headers = [
            (b"etag", etag),
            (b"vary", b"Accept-Encoding, Cookie"),
            (b"cache-control", self.cache_control),
            *self.for_caches,
        ]
        if modified:
            said.append((b"last-modified", formatdate(modified, usegmt=True).encode()))
        of_body: Headers = [(b"content-length", str(len(body)).encode())]
        if encoding:
            of_body.append((b"content-encoding", encoding.encode()))
        without = [pair for pair in self.headers if pair[0] != b"content-type"]
        return Variant(
            etag=etag,
            modified=modified,
            answer=Answer(200, [*self.headers, *of_body, *said], body),
            unchanged=Answer(304, [*without, *said]),
        )

    def personal(self, body: bytes) -> Answer:
        """To somebody who is logged in: the page with their account parts."""
        size = (b"content-length", str(len(body)).encode())
        return Answer(200, [*self.headers, size, *PERSONAL], body)


class Pages:
    """The pages that were asked for last, in so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.most_of_one = most_bytes // 8
        self.pages: OrderedDict[Key, Page] = OrderedDict()
        self.bytes = 0
        self.epoch = 0

    def get(self, key: Key, epoch: int) -> Page | None:
        page = self.pages.get(key)
        if page is None or page.epoch != epoch:
            return None
        self.pages.move_to_end(key)
        return page

    def put(self, key: Key, page: Page) -> None:
        if page.size > self.most_of_one:
            return
        if page.epoch != self.epoch:
            self.forget()
            self.epoch = page.epoch
        if old := self.pages.pop(key, None):
            self.bytes -= old.size
        self.pages[key] = page
        self.bytes += page.size
        self.make_room()

    def grow(self, key: Key, page: Page, change: Callable[[], object]) -> None:
        """Let a page change its size, in here or not any more."""
        before = page.size
        change()
        if self.pages.get(key) is page:
            self.bytes += page.size - before
            self.make_room()

    def make_room(self) -> None:
        while self.bytes > self.most_bytes:
            _, oldest = self.pages.popitem(last=False)
            self.bytes -= oldest.size

    def forget(self) -> None:
        self.pages.clear()
        self.bytes = 0

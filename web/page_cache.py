"""Public pages from memory. Our own: a page is shared with people who are logged in, is exact
across processes, and is sent with ready-made headers, at close to the speed of the bare server.

Only what a route says is shared (`public_page`, `public_document`) is kept, with status 200 and
without cookies, and it is made for a request that has nothing but an address: no header of
anybody can be in it. A hundred who miss the same page wait for one rendering.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answers import Answer, Headers
from web.askers import Askers, key_of, wants_json
from web.conditions import is_known
from web.encodings import choice
from web.flights import Flights, Recording, bare
from web.headers import state
from web.kept_pages import OURS, Key, Page, Pages
from web.shared import KIND, SHARED, Kind, Shared, spliced
from web.signing import Cookies

# How long somebody waits for a page that is being made for another.
WAIT_SECONDS = 10.0
LONGEST_QUERY = LONGEST_PATH = 500
MOST_KINDS, MOST_OTHERS = 200, 10_000


class Watch(Protocol):
    """What is known of the changes of what readers see; see public_watch.py."""

    epoch: int
    sure_until: float
    modified: int

    async def is_sure(self) -> bool: ...
    def is_still(self, epoch: int) -> bool: ...


class Reader(Protocol):
    """Somebody who is logged in, and the account parts of their pages."""

    @property
    def user_id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def parts(self) -> list[bytes]: ...


class PageCache:
    """`are_ours` knows the hosts that we answer to. `find_reader` knows whose session a request
    has; None if anything about it is not as usual: then the whole application looks at it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        watch: Watch,
        most_bytes: int,
        are_ours: Callable[[str], bool],
        cookies: Cookies,
        find_reader: Callable[[Scope], Awaitable[Reader | None]],
        cdn_seconds: int = 0,
    ) -> None:
        self.app = app
        self.watch = watch
        self.pages = Pages(most_bytes)
        self.askers = Askers(are_ours, cookies)
        self.find_reader = find_reader
        self.cache_control, self.for_caches = kept_by(cdn_seconds)
        self.kinds: dict[Kind, None] = {}
        self.others: set[tuple[int, Key]] = set()  # what is no such page, in this epoch
        self.others_epoch = 0
        self.flights: Flights[Page | Recording] = Flights()
        self.compressing: Flights[None] = Flights()

    def ready(self, scope: Scope) -> Message | None:
        """The answer to a stranger who asks for a page in memory; None if anything about that is
        not as usual, or must be waited for."""
        if scope["method"] != "GET" or monotonic() >= self.watch.sure_until:
            return None
        sent = self.askers.headers_of(scope)
        if sent is None or self.askers.are_known(sent):
            return None
        page = self.pages.get(key_of(scope), self.watch.epoch)
        answer = page and answer_with(page, sent)
        return answer.whole if answer else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        sent = self.askers.headers_of(scope)
        if sent is None:
            return await self.app(scope, receive, send)
        has_session = self.askers.are_known(sent)
        if has_session and (scope["method"] == "HEAD" or not self.askers.have_but_a_session(sent)):
            return await self.app(scope, receive, send)
        watch = self.watch
        if monotonic() >= watch.sure_until and (
            self.kind_of(scope["path"]) is None or not await watch.is_sure()
        ):
            return await self.ask(scope, receive, send)
        key = key_of(scope)
        page = self.pages.get(key, watch.epoch)
        if has_session:
            return await self.serve_reader(key, page, scope, receive, send)
        if page is None:
            return await self.miss(key, sent, scope, receive, send)
        return await self.show(key, page, sent, scope, send)

    async def show(
        self, key: Key, page: Page, sent: dict[bytes, bytes], scope: Scope, send: Send
    ) -> None:
        answer = answer_with(page, sent)
        while answer is None:
            await self.compress(key, page, choice(sent.get(b"accept-encoding", b"")))
            answer = answer_with(page, sent)
        return await answer.send(scope, send)

    async def compress(self, key: Key, page: Page, encoding: str) -> None:
        async def work() -> None:
            small = await asyncio.to_thread(page.compressed, encoding)
            self.pages.grow(key, page, lambda: page.bodies.setdefault(encoding, small))

        await self.compressing.join((id(page), encoding), work, WAIT_SECONDS)
        page.bodies.setdefault(encoding, b"")  # it took too long, and is sent as it is

    async def serve_reader(
        self,
        key: Key,
        page: Page | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Somebody has a session: the page with their account parts, where that is all."""
        page = page or await self.made(key, scope)
        if page is None or page.shared.differs_for is None:
            return await self.ask(scope, receive, send)
        reader = await self.find_reader(scope)
        if reader is None or not page.shared.is_for(reader.user_id, reader.scopes):
            return await self.ask(scope, receive, send)
        state(scope)["user_id"] = reader.user_id
        is_whole = page.shared.is_document
        body = page.body if is_whole else spliced(page.body, page.shared.slots, reader.parts)
        return await page.personal(body).send(scope, send)

    async def miss(
        self,
        key: Key,
        sent: dict[bytes, bytes],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        known = self.known_part(key)
        if known is None or wants_json(sent):
            return await self.ask(scope, receive, send)
        if known != key and (page := self.pages.get(known, self.watch.epoch)):
            return await self.show(known, page, sent, scope, send)
        if (self.watch.epoch, known) in self.others:
            return await self.ask(scope, receive, send)
        found, is_mine = await self.fly(known, scope)
        if isinstance(found, Page):
            return await self.show(known, found, sent, scope, send)
        if found is not None and (found.is_fault or (is_mine and known == key)):
            return await found.play(send, without_body=scope["method"] == "HEAD")
        return await self.ask(scope, receive, send)

    async def made(self, key: Key, scope: Scope) -> Page | None:
        """The page as it is for strangers; None if it is none that is shared."""
        known = self.known_part(key)
        if known is None or (self.watch.epoch, known) in self.others:
            return None
        found = self.pages.get(known, self.watch.epoch)
        if found is None:
            flown, _ = await self.fly(known, scope)
            found = flown if isinstance(flown, Page) else None
        return found

    async def ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole application; and learn what routes of shared pages there are."""
        await self.app(scope, receive, send)
        kind = state(scope).get(KIND)
        if kind is not None and len(self.kinds) < MOST_KINDS:
            self.kinds[kind] = None

    async def fly(self, key: Key, scope: Scope) -> tuple[Page | Recording | None, bool]:
        epoch, modified = self.watch.epoch, self.watch.modified
        own = {"request_id": state(scope).get("request_id")}

        async def make() -> Page | Recording:
            recording = Recording()
            asked = bare(scope, key[2], own)
            await recording.record(self.app, asked)
            shared = state(asked).get(SHARED)
            page = self.page_of(recording, shared, epoch, modified) if shared else None
            if page is None and not recording.is_fault:
                if len(self.others) >= MOST_OTHERS or epoch != self.others_epoch:
                    self.others.clear()
                    self.others_epoch = epoch
                self.others.add((epoch, key))
            if page is None:
                return recording
            if self.watch.is_still(epoch):
                self.pages.put(key, page)
            return page

        return await self.flights.join((epoch, key), make, WAIT_SECONDS)

    def page_of(
        self, recording: Recording, shared: Shared, epoch: int, modified: int
    ) -> Page | None:
        names = {name for name, _ in recording.headers}
        if recording.status != 200 or b"set-cookie" in names:
            return None
        headers: Headers = [pair for pair in recording.headers if pair[0] not in OURS]
        return Page(
            epoch=epoch,
            body=recording.body,
            headers=headers,
            shared=shared,
            modified=modified,
            cache_control=self.cache_control,
            for_caches=self.for_caches,
        )

    def kind_of(self, path: str) -> Kind | None:
        return next((kind for kind in self.kinds if kind.paths.match(path)), None)

    def known_part(self, key: Key) -> Key | None:
        """The same with the part of the query that the route reads; None if that is no query, or
        we know of no shared pages there."""
        scheme, path, query = key
        kind = self.kind_of(path)
        if kind is None or len(query) > LONGEST_QUERY or len(path) > LONGEST_PATH:
            return None
        if not query:
            return key
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
        except (ValueError, UnicodeError):
            return None
        kept = urlencode([pair for pair in pairs if pair[0] in kind.names])
        return scheme, path, kept.encode()


def answer_with(page: Page, sent: dict[bytes, bytes]) -> Answer | None:
    """To somebody who sent these headers; None if it has to be compressed first."""
    encoding = choice(sent.get(b"accept-encoding", b""))
    if encoding and encoding not in page.bodies:
        return None
    variant = page.variant(encoding)
    tags, since = sent.get(b"if-none-match"), sent.get(b"if-modified-since")
    is_known_there = (tags or since) and is_known(tags, since, variant.etag, variant.modified)
    return variant.unchanged if is_known_there else variant.answer


def kept_by(cdn_seconds: int) -> tuple[bytes, Headers]:
    """Browsers always ask whether it is still true. So do caches in front, unless they are allowed
    to show it for so long without asking."""
    if not cdn_seconds:
        return b"no-cache", []
    control = f"public, max-age=0, must-revalidate, s-maxage={cdn_seconds}"
    return control.encode(), [(b"surrogate-control", f"max-age={cdn_seconds}".encode())]

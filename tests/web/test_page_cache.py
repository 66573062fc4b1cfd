"""Public pages from memory: the same bytes as ever, for whoever may have them, and never old ones."""

import asyncio
import gzip
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pkgutil import resolve_name
from threading import Event
from typing import Any

import brotli
import httpx2
import pytest
from sqlalchemy.exc import OperationalError

import known_readers
import public_watch
from known_readers import KnownReaders
from models import Post, now
from tests.blog import Blog, Person
from tests.test_costs import statements, with_words
from web.encodings import choose
from web.flights import Flights
from web.kept_pages import OVERHEAD_BYTES, Page, Pages
from web.page_cache import PageCache
from web.shared import Shared


def cache_of(blog: Blog) -> PageCache:
    layer: Any = blog.app.outside
    while not isinstance(layer, PageCache):
        layer = layer.app
    return layer


def warm(blog: Blog, path: str, **headers: str) -> httpx2.Response:
    """As a stranger gets it from memory."""
    for _ in range(3):
        response = blog.visitor().get(path, headers=headers)
    assert "etag" in response.headers
    return response


@pytest.fixture
def slug(alice: Person, blog: Blog) -> str:
    bob = blog.person("bob")
    bob.write("Of Bob", "Words of Bob.", tags="one, two", series="Of many")
    alice.write("About", "Who we are.", kind="page")
    return alice.write("Tides", "Higher than ever. " * 40, tags="one", series="Of Alice")


PAGES = (
    "/",
    "/posts",
    "/posts/tides",
    "/posts/of-bob",
    "/about",
    "/users/alice",
    "/users/bob",
    "/tags",
    "/tags/one",
    "/series",
    "/series/of-alice",
    "/archive",
    f"/archive/{now().year}",
    "/search?q=tides",
    "/search/suggestions?q=tid",
    "/docs",
    "/feed.xml",
    "/sitemap.xml",
    "/robots.txt",
)
ROLES = ("reader", "author", "editor", "owner")


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_from_memory_what_the_whole_application_makes(
    blog: Blog, slug: str, alice: Person, role: str
) -> None:
    person = alice if role == "owner" else blog.person("dora", role=role)
    people = [person, *([] if role == "owner" else [blog.visitor()])]
    cache, shared = cache_of(blog), 0
    for path in PAGES:
        warm(blog, path)
        for each in people:
            each.get(path)
            quick = each.get(path)
            with without_memory(cache):
                whole = each.get(path)
            assert quick.status_code == whole.status_code == 200
            assert quick.text == whole.text, path
            if each is person:
                # Who may not store it has no use for a date.
                assert plain(quick) == plain(whole, "last-modified")
            shared += is_from_memory(blog, each, path)
    assert shared >= len(PAGES) if role == "reader" else shared > 2


@pytest.mark.parametrize("path", ["/search?q={}", "/search/suggestions?q={}", "/users/{}/feed.xml"])
def test_what_one_person_asks_for_is_made_once(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    dora = blog.person("dora")
    made: list[str] = []
    warm(blog, path.format("bob"))
    for name in ("search.find", "search.suggest", "feeds.of_author"):
        monkeypatch.setattr(f"services.{name}", counting(f"services.{name}", made))
    answers = [dora.get(path.format("alice")) for _ in range(3)]
    assert len(made) == 1
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        assert answer.headers["cache-control"] == "private, no-store"
        assert "Cookie" in answer.headers["vary"]
    assert blog.visitor().get(path.format("alice")).status_code == 200
    assert len(made) == 1


def counting(name: str, made: list[str]) -> Any:
    """The same function, noting each call."""
    work = resolve_name(name)

    def run(*args: Any, **more: Any) -> Any:
        made.append(name)
        return work(*args, **more)

    return run


def plain(response: httpx2.Response, *without: str) -> dict[str, str]:
    changing = ("date", "x-request-id", *without)
    return {k: v for k, v in response.headers.items() if k not in changing}


def test_a_page_is_never_made_with_what_stood_at_its_foot_before(alice: Person, blog: Blog) -> None:
    """While one process reads the links to all pages anew, others wait for it."""
    pages = blog.app.state.pages
    find, is_reading, may_go_on = pages.find, Event(), Event()
    pages.now()

    def slowly(db: Any) -> Any:
        is_reading.set()
        may_go_on.wait(5)
        return find(db)

    alice.write("About", "Who we are.", kind="page")
    pages.find = slowly
    try:
        pages.forget()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(pages.now)
            assert is_reading.wait(5)
            second = pool.submit(pages.now)
            time.sleep(0.1)
            assert not second.done()
            may_go_on.set()
            assert (
                [link.path for link in second.result()]
                == ["/about"]
                == [link.path for link in first.result()]
            )
    finally:
        pages.find = find


def test_what_could_not_be_read_after_a_change_is_not_kept(alice: Person, blog: Blog) -> None:
    pages = blog.app.state.pages
    find = pages.find

    def fail(db: Any) -> Any:
        raise OperationalError("", {}, Exception("away"))

    alice.write("Tides", "Higher than ever.")
    warm(blog, "/posts/tides")
    pages.find = fail
    try:
        alice.write("About", "Who we are.", kind="page")
        assert "/about" not in warm(blog, "/posts/tides").text
    finally:
        pages.find = find
    pages.good_until = 0.0
    pages.now()
    assert "/about" in warm(blog, "/posts/tides").text


def test_long_addresses_are_not_remembered(alice: Person, blog: Blog) -> None:
    warm(blog, "/posts/" + alice.write("Tides", "Higher than ever."))
    for path in ("x" * 30, "x" * 600):
        assert blog.visitor().get(f"/posts/{path}").status_code == 404
    known = {path for _, (_, path, _) in cache_of(blog).others}
    assert f"/posts/{'x' * 30}" in known
    assert max(map(len, known)) < 100


def is_from_memory(blog: Blog, person: Person, path: str) -> bool:
    with statements(blog) as found:
        person.get(path)
    return not with_words(found, "posts.title", "FROM series", "FROM tags")


@contextmanager
def without_memory(cache: PageCache) -> Iterator[None]:
    """All goes through the whole application meanwhile."""
    kinds, cache.kinds = cache.kinds, {}
    pages, cache.pages = cache.pages, Pages(0)
    app = cache.app

    async def alone(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        cache.kinds = {}

    cache.app = alone
    try:
        yield
    finally:
        cache.app, cache.kinds, cache.pages = app, kinds, pages


def test_who_has_the_page_gets_a_304_and_all_headers(blog: Blog, slug: str) -> None:
    first = warm(blog, "/posts/tides")
    etag = first.headers["etag"]
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = blog.visitor().get("/posts/tides", headers={"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "vary", "cache-control", "content-security-policy", "x-request-id"):
            assert name in again.headers
    for tags in ('"other"', etag.replace('"', ""), "W/", ""):
        assert blog.visitor().get("/", headers={"If-None-Match": tags}).status_code == 200


def test_a_change_ends_what_a_browser_has(blog: Blog, slug: str, alice: Person) -> None:
    etag = warm(blog, "/posts/tides").headers["etag"]
    alice.edit(slug, action="publish", content="Other words.")
    again = blog.visitor().get("/posts/tides", headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert "Other words." in again.text


def test_the_time_of_the_last_change_is_said_and_understood(blog: Blog, slug: str) -> None:
    while "last-modified" not in warm(blog, "/").headers:  # it would be in the future
        time.sleep(0.5)
    said = warm(blog, "/").headers["last-modified"]
    visitor = blog.visitor()
    assert visitor.get("/", headers={"If-Modified-Since": said}).status_code == 304
    long_ago = "Mon, 01 Jan 2024 00:00:00 GMT"
    assert visitor.get("/", headers={"If-Modified-Since": long_ago}).status_code == 200
    assert visitor.get("/", headers={"If-Modified-Since": "never"}).status_code == 200
    both = {"If-Modified-Since": said, "If-None-Match": '"other"'}
    assert visitor.get("/", headers=both).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("x", "")]
)
def test_pages_are_compressed_as_asked_for(
    blog: Blog, slug: str, accepted: str, encoding: str
) -> None:
    plain_page = warm(blog, "/posts/tides", **{"Accept-Encoding": "identity"})
    with blog.visitor().client.stream(
        "GET", "/posts/tides", headers={"Accept-Encoding": accepted}
    ) as response:
        raw = b"".join(response.iter_raw())
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding]
    assert response.headers.get("content-encoding", "") == encoding
    assert int(response.headers["content-length"]) == len(raw)
    assert unpack(raw) == plain_page.content
    assert "Accept-Encoding" in response.headers["vary"]
    assert (response.headers["etag"] == plain_page.headers["etag"]) is not bool(encoding)


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("br;q=0", ""),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=0, *", "gzip"),
        ("identity, br;q=0.1", ""),
        ("br;q=x", ""),
        ("br;v=1", ""),
        (";;,,=", ""),
    ],
)
def test_of_the_compressions_that_a_client_takes_it_gets_the_best(
    accepted: str, wanted: str
) -> None:
    assert choose(accepted) == wanted


def test_head_is_get_without_its_body(blog: Blog, slug: str) -> None:
    page = warm(blog, "/posts/tides", **{"Accept-Encoding": "identity"})
    visitor = blog.visitor()
    visitor.client.headers["Accept-Encoding"] = "identity"
    head = visitor.client.head("/posts/tides")
    assert (head.status_code, head.content) == (200, b"")
    assert plain(head) == plain(page)
    assert visitor.client.head("/posts/no-such").status_code == 404


POISON = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/evil",
    "X-Rewrite-URL": "/evil",
    "Forwarded": "host=evil.example",
    "Accept-Language": "de-evil",
    "Referer": "https://evil.example/",
    "User-Agent": "evil",
    "Accept": "text/evil",
    "Origin": "https://evil.example",
    "X-HTTP-Method-Override": "POST",
}


def test_no_header_of_one_reader_changes_what_others_get(blog: Blog, slug: str) -> None:
    for path in PAGES:
        clean = warm(blog, path).text
        cache_of(blog).pages.forget()
        poisoned = blog.visitor().get(path, headers=POISON)
        assert poisoned.text == clean
        assert blog.visitor().get(path).text == clean
        assert "evil" not in clean


def test_what_a_route_does_not_read_of_a_query_makes_no_copies(blog: Blog, slug: str) -> None:
    page = warm(blog, "/").text
    cache = cache_of(blog)
    before = len(cache.pages.pages)
    for number in range(50):
        said = blog.visitor().get(f"/?utm_source=x{number}&fbclid=1")
        assert said.text == page
    assert len(cache.pages.pages) == before
    assert blog.visitor().get("/?before=nonsense").status_code == 404


def test_a_body_or_a_token_goes_past_the_memory(blog: Blog, slug: str) -> None:
    warm(blog, "/")
    visitor = blog.visitor()
    with_token = visitor.get("/", headers={"Authorization": "Bearer x"})
    with_body = visitor.client.request("GET", "/", content=b"x=1")
    for response in (with_token, with_body):
        assert response.status_code in (200, 400, 401)
        assert "etag" not in response.headers


def test_a_sentence_that_waits_is_shown_once_and_to_one(blog: Blog, slug: str) -> None:
    clean = warm(blog, "/").text
    alice = blog.visitor()
    alice.username = "alice"
    alice.log_in()
    alice.post("/posts/tides/delete")
    assert "is in the trash" in alice.get("/").text
    assert "is in the trash" not in alice.get("/").text
    assert "is in the trash" not in blog.visitor().get("/").text
    assert "Tides" in clean
    assert "Tides" not in blog.visitor().get("/").text


def test_errors_and_redirects_are_not_kept(blog: Blog, slug: str, alice: Person) -> None:
    draft = alice.draft("Hidden draft")
    cache = cache_of(blog)
    for path in (f"/posts/{draft}", "/posts/no-such", "/Posts/tides", "/posts/TIDES", "/drafts"):
        for _ in range(3):
            response = blog.visitor().get(path)
            assert response.status_code != 200
            assert "etag" not in response.headers
        assert not [key for key in cache.pages.pages if key[1] == path]
    alice.edit(draft, action="publish", title="Hidden draft")
    assert "Hidden draft" in warm(blog, f"/posts/{draft}").text


def test_a_hundred_who_miss_a_page_wait_for_one_rendering(blog: Blog, slug: str) -> None:
    warm(blog, "/posts/of-bob")
    visitor = blog.visitor()
    visitor.get("/healthz")
    with statements(blog) as found, ThreadPoolExecutor(30) as threads:
        texts = set(threads.map(lambda _: visitor.get("/posts/tides").text, range(100)))
    assert len(texts) == 1
    assert len(with_words(found, "posts.html")) == 1


def test_who_began_a_rendering_may_leave_and_the_others_get_it() -> None:
    async def play() -> tuple[list[Any], int]:
        flights: Flights[str] = Flights()
        started = 0

        async def work() -> str:
            nonlocal started
            started += 1
            await asyncio.sleep(0.05)
            return "page"

        first = asyncio.create_task(flights.join("key", work, 5))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(flights.join("key", work, 5)) for _ in range(10)]
        await asyncio.sleep(0.01)
        first.cancel()
        return await asyncio.gather(*others), started

    results, started = asyncio.run(play())
    assert results == [("page", False)] * 10
    assert started == 1


def test_who_waits_for_a_rendering_that_fails_makes_it_alone() -> None:
    async def play() -> tuple[Any, Any]:
        flights: Flights[str] = Flights()

        async def work() -> str:
            await asyncio.sleep(0.02)
            raise RuntimeError

        both = [flights.join("key", work, 5) for _ in range(2)]
        first, second = await asyncio.gather(*both, return_exceptions=True)
        return first, second

    first, second = asyncio.run(play())
    assert isinstance(first, RuntimeError)
    assert second == (None, False)


def test_memory_is_bounded_and_the_oldest_page_goes_first() -> None:
    pages = Pages(40 * OVERHEAD_BYTES)
    for number in range(200):
        page = Page(1, b"x" * 100, [], Shared(), 0, b"", [])
        pages.put(("http", f"/{number}", b""), page)
        pages.get(("http", "/0", b""), 1)
    assert pages.bytes <= pages.most_bytes
    assert pages.bytes == sum(page.size for page in pages.pages.values())
    assert ("http", "/0", b"") in pages.pages
    assert ("http", "/1", b"") not in pages.pages
    pages.put(("http", "/huge", b""), Page(1, b"x" * 10**6, [], Shared(), 0, b"", []))
    assert ("http", "/huge", b"") not in pages.pages
    assert pages.get(("http", "/199", b""), 2) is None


def test_logging_out_counts_at_once(blog: Blog, slug: str) -> None:
    dora = blog.person("dora")
    warm(blog, "/")
    thief = dora.copy()
    assert "Log out" in dora.get("/").text
    assert "Log out" in thief.get("/").text
    dora.log_out()
    assert "Log out" not in thief.get("/").text


def test_who_opens_many_pages_at_once_is_looked_up_once(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*given: Any) -> Any:
        looks.append(given)
        time.sleep(0.5)
        return read(*given)

    looks: list[Any] = []
    read = KnownReaders.read
    dora = blog.person("dora")
    warm(blog, "/")
    dora.get("/")
    monkeypatch.setattr(known_readers, "GOOD_SECONDS", 0)
    monkeypatch.setattr(KnownReaders, "read", look)
    with ThreadPoolExecutor(12) as pool:
        pages = list(pool.map(lambda _: dora.copy().get("/").text, range(12)))
    assert all("Log out" in page for page in pages)
    assert len(looks) < 6


def test_a_new_name_shows_at_once(blog: Blog, slug: str) -> None:
    dora = blog.person("dora")
    warm(blog, "/")
    assert "Dorothea" not in dora.get("/").text
    dora.post("/settings/profile", {"display_name": "Dorothea", "bio": "", "website": ""})
    dora.get("/")
    assert "Dorothea" in dora.get("/").text


def test_a_scheduled_post_appears_on_the_second(blog: Blog, slug: str) -> None:
    blog.person("dora").write("Still to come", "Soon.")
    moment = now() + timedelta(seconds=1.5)
    with blog.database.writing() as db:
        post = db.get_one(Post, next(p.id for p in blog.rows(Post) if p.title == "Still to come"))
        post.published_at = post.first_published_at = moment
    while now() < moment:
        page = blog.visitor().get("/").text
        assert "Still to come" not in page or now() >= moment
    time.sleep(max((moment - now()).total_seconds(), 0) + 0.01)
    assert "Still to come" in blog.visitor().get("/").text


def test_pages_are_shown_while_the_database_is_away(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = warm(blog, "/posts/tides").text
    watch = blog.app.state.public_watch

    def fail() -> Any:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(watch, "read", fail)
    time.sleep(public_watch.TRUST_SECONDS + 0.1)
    assert blog.visitor().get("/posts/tides").text == page
    monkeypatch.setattr(public_watch, "STALE_SECONDS", 0)
    time.sleep(public_watch.REST_SECONDS + 0.1)
    assert "etag" not in blog.visitor().get("/posts/tides").headers
    monkeypatch.undo()
    time.sleep(public_watch.REST_SECONDS + 0.1)
    assert "etag" in warm(blog, "/posts/tides").headers


def test_a_cache_in_front_may_keep_pages_only_when_it_is_told(blog: Blog, slug: str) -> None:
    assert warm(blog, "/").headers["cache-control"] == "no-cache"
    with blog.beside(cdn_seconds=60) as other:
        headers = warm(other, "/").headers
        assert re.search(r"max-age=0, .*s-maxage=60", headers["cache-control"])
        assert headers["surrogate-control"] == "max-age=60"
    with blog.beside(page_cache_mb=0) as other:
        assert "etag" not in other.visitor().get("/").headers


@pytest.mark.parametrize(
    "path",
    ["/settings/x.css", "/settings;.png", "/settings%0a.css", "/drafts/a.js", "/admin/x.css"],
)
def test_no_address_makes_a_cache_keep_what_is_somebodys(
    blog: Blog, alice: Person, path: str
) -> None:
    response = alice.get(path)
    assert response.status_code in (303, 404)
    assert "no-store" in response.headers["cache-control"]

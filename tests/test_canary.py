"""Nothing tells of a text that is not public: not to strangers, not to readers, not to other authors.

A word stands in drafts, in scheduled, trashed, staged and autosaved texts, in revisions, tags,
series and images, and nowhere else. Every route is asked for them, in every way, and every link
is followed. What is hidden answers byte for byte as what never was.

A route whose parameters are not in the table below fails the first test: say there what they are.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BytesIO
from itertools import product
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from zipfile import ZipFile

import pytest
from fastapi.routing import iter_route_contexts
from httpx2 import Response

from models import Media, Series, Throttle
from tests.blog import INVENTED, Blog, Person, fill
from tests.hiding_places import WORD, HidingPlaces
from tests.people import BOB
from tests.programs import new_token, program
from tests.sockets import ready, refused, told

# What a parameter stands for, by the path up to it.
POST, TAG, SERIES, IMAGE, NAME, AUTHOR, SECRET, NUMBER, OTHER = range(9)
PARAMETERS = {
    "/posts/{slug}": POST,
    "/api/v1/posts/{slug}": POST,
    "/{slug:page}": POST,
    "/posts/{slug}/revisions/{number}": NUMBER,
    "/api/v1/posts/{slug}/revisions/{number}": NUMBER,
    "/trash/{slug}": POST,
    "/tags/{tag}": TAG,
    "/series/{slug}": SERIES,
    "/users/{username}": AUTHOR,
    "/admin/users/{username}": AUTHOR,
    "/preview/{token}": SECRET,
    "/preview/{token}/media/{media_id}": IMAGE,
    "/preview/{token}/media/{media_id}/{name}": NAME,
    "/media/{media_id}": IMAGE,
    "/media/{media_id}/{name}": NAME,
    "/api/v1/media/{media_id}": IMAGE,
    # Nothing of a post is behind these.
    "/archive/{year}": OTHER,
    "/admin/invitations/{handle}": OTHER,
    "/admin/mail/{mail_id}": OTHER,
    "/api/v1/tokens/{token_id}": OTHER,
    "/auth/invite/{token}": OTHER,
    "/auth/openid/{provider}": OTHER,
    "/auth/reset/{token}": OTHER,
    "/auth/verify/{token}": OTHER,
    "/sitemaps/{name}": OTHER,
    "/settings/identities/{handle}": OTHER,
    "/settings/identities/{provider}": OTHER,
    "/settings/passkeys/{handle}": OTHER,
    "/settings/sessions/{handle}": OTHER,
    "/settings/tokens/programs/{family_id}": OTHER,
    "/settings/tokens/{token_id}": OTHER,
    "/style/{digest}": OTHER,
}
SOCKETS = {"/live/dashboard", "/live/preview"}  # the latter says only what was said to it

# A value that leads to something hidden, and one of the same shape that leads nowhere; None where
# something public is behind it, so that only the word may not be there.
Pair = tuple[str, str | None]
NEVER, NEVER_ID = "never-was-here", "9b2f1c9e-3c57-4b0e-9a53-0d2a64a7a001"
# Enough to change, publish or restore a post, for whoever may.
SENT = {"title": "Taken", "content": "Taken over.", "version": 1, "action": "publish", "tags": []}
FORM = SENT | {"tags": "", "version": "1"}


@pytest.fixture
def hidden(blog: Blog, alice: Person, bob: Person) -> HidingPlaces:
    return HidingPlaces(blog, alice, bob)


@pytest.fixture(params=["a stranger", "a reader", "another author", "a program of another author"])
def somebody(request: pytest.FixtureRequest, hidden: HidingPlaces) -> Person:
    if request.param == "a stranger":
        person: Person = request.getfixturevalue("stranger")
    elif request.param == "a reader":
        person = request.getfixturevalue("carol")
    else:
        person = request.getfixturevalue("mallory")
    if request.param == "a program of another author":
        return program(person.blog, new_token(person))
    return person


def test_the_crawl_knows_every_parameter_and_every_socket(blog: Blog) -> None:
    found = {prefix for _, path in blog.routes() for prefix in prefixes(path)}
    assert found - PARAMETERS.keys() == set()
    contexts = iter_route_contexts(blog.app.routes)
    assert {each.path for each in contexts if not each.methods} == SOCKETS


def test_a_route_that_it_does_not_know_would_be_found(blog: Blog) -> None:
    with routed(blog, "/leaks/{slug}"), pytest.raises(AssertionError):
        test_the_crawl_knows_every_parameter_and_every_socket(blog)


def test_a_route_that_gives_a_draft_away_would_be_found(
    blog: Blog, stranger: Person, hidden: HidingPlaces
) -> None:
    def leak() -> str:
        return hidden.stored(hidden.slugs["draft"]).title

    with routed(blog, "/leaks", leak), pytest.raises(AssertionError, match="GET /leaks"):
        assert_silent(stranger, hidden, {("GET", "/leaks")})


@contextmanager
def routed(blog: Blog, path: str, answer: Callable[[], object] = lambda: "") -> Iterator[None]:
    blog.app.get(path)(answer)
    blog.app.routes.insert(0, blog.app.routes.pop())
    try:
        yield
    finally:
        blog.app.routes.pop(0)


def test_no_route_tells_of_what_is_hidden(somebody: Person, hidden: HidingPlaces) -> None:
    before = state(hidden)
    assert_silent(somebody, hidden, somebody.blog.routes())
    assert state(hidden) == before


def assert_silent(somebody: Person, hidden: HidingPlaces, routes: set[tuple[str, str]]) -> None:
    wrong = []
    for method, path in sorted(routes):
        never: dict[tuple[str, str, str], Response] = {}
        for number, (asked, twin, sent) in enumerate(addresses(path, hidden)):
            ways = WAYS[: 4 if number % 4 == 0 else 1] if method == "GET" else [(method, {})]
            for how, headers in ways:
                found, none = ask(somebody, how, asked, headers), None
                if twin:
                    key = (how, twin, str(headers))
                    none = never[key] = never.get(key) or ask(somebody, how, twin, headers)
                if not is_silent(found, none, sent):
                    wrong.append(f"{how} {asked} {headers}: {found.status_code}")
        if "{" not in path and method != "GET":
            come_back(somebody)
    assert not wrong, "\n".join(wrong)


# Every address is asked for in the first of these ways, some of each route in all of them.
WAYS: list[tuple[str, dict[str, str]]] = [
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"If-None-Match": "*"}),
    ("GET", {"If-Modified-Since": format_datetime(datetime.now(UTC), usegmt=True)}),
]


def test_no_list_tells_of_what_is_hidden_however_it_is_asked(
    somebody: Person, hidden: HidingPlaces
) -> None:
    wrong = []
    lists = {path for method, path in somebody.blog.routes() if method == "GET" and "{" not in path}
    lists -= {"/settings/export"}  # no list, and not to be had so often
    for path in sorted([*lists, f"/users/{BOB}", "/tags/open"]):
        ask(somebody, "GET", path)  # what is said once is not part of the comparison
        for asked, twin in queries(hidden):
            found = ask(somebody, "GET", f"{path}?{asked}")
            none = ask(somebody, "GET", f"{path}?{twin}") if twin else None
            if not is_silent(found, none, (WORD, NEVER)):
                wrong.append(f"{path}?{asked}: {found.status_code}")
    assert not wrong, "\n".join(wrong)


def queries(hidden: HidingPlaces) -> Iterator[tuple[str, str]]:
    """What can be asked of a list, and the same that asks for nothing that is there."""
    for name in ("q", "tag", "author", "series", "who", "before", "after"):
        yield f"{name}={WORD}", f"{name}={NEVER}"
    for asked in ("tag:{}", '"{} title"', "{} -open", "words {}"):
        yield f"q={quote(asked.format(WORD))}", f"q={quote(asked.format(NEVER))}"
    for name in ("before", "after"):
        yield f"{name}={hidden.cursor()}", ""
    for query in ("w=480", "of=all", "page=2", "state=draft", f"author={BOB}&state=draft"):
        yield query, ""


def test_no_link_leads_to_what_is_hidden(somebody: Person, hidden: HidingPlaces) -> None:
    open_draft = hidden.bob.draft("Shown to a few", "Only by its link.")
    hidden.bob.post(f"/posts/{open_draft}/preview-link")
    secret = f"/preview/{hidden.stored(open_draft).preview_token}"
    known, waiting = set(), ["/", "/docs", "/openapi.json", "/api/v1/posts", secret]
    while waiting:
        path = waiting.pop()
        if path not in known:
            known.add(path)
            response = ask(somebody, "GET", path)
            assert is_silent(response, None, ()), path
            waiting += links_in(response, path)
    assert {f"/posts/{hidden.public}", "/tags/open", f"/users/{BOB}"} <= known


LINK = re.compile(r"""(?:href|src|action|srcset)="([^"]+)"|"(?:next|prev|url)":\s*"([^"]+)\"""")


def links_in(response: Response, path: str) -> Iterator[str]:
    """What a page of ours leads to on this blog. A form's address is asked for as a page."""
    for found in LINK.findall(response.text):
        parts = urlsplit(urljoin(str(response.url), (found[0] or found[1]).split(" ")[0]))
        if parts.netloc == response.url.netloc.decode() and not parts.path.startswith("/static/"):
            yield parts.path + f"?{parts.query}" * bool(parts.query)


def test_an_image_of_a_hidden_text_is_seen_by_nobody_else(
    somebody: Person, hidden: HidingPlaces
) -> None:
    etag = hidden.bob.get(hidden.image["url"]).headers["etag"]
    open_draft = hidden.bob.draft("Another text", "Without an image.")
    hidden.bob.post(f"/posts/{open_draft}/preview-link")
    link = f"/preview/{hidden.stored(open_draft).preview_token}"
    assert somebody.get(link).status_code == 200
    never = f"/media/{NEVER_ID}/never-16x9.webp"
    for start, query in product(("", link), ("", "?w=480", "?w=1")):
        for headers in ({}, {"If-None-Match": etag}):
            found = ask(somebody, "GET", f"{start}{hidden.image['url']}{query}", headers)
            none = ask(somebody, "GET", f"{start}{never}{query}", headers)
            assert (found.status_code, found.content) == (404, none.content)


def test_nothing_is_told_live(hidden: HidingPlaces, mallory: Person, stranger: Person) -> None:
    bob, slug = hidden.bob, hidden.slugs["draft"]
    refused(stranger)
    with ready(mallory) as socket:
        text = hidden.text("draft")
        bob.edit(slug, **text)
        bob.edit(slug, **text, action="schedule", publish_at="2030-01-01T10:00")
        bob.edit(slug, **text, action="unpublish")
        Person(mallory.blog, mallory.username).log_in()
        assert told(socket)["type"] == "account"  # the first that she hears of is her own login


def test_what_is_taken_back_is_gone_at_once(bob: Person, stranger: Person, mallory: Person) -> None:
    lists = [
        *("/", "/posts", "/tags/back", f"/users/{BOB}", "/api/v1/posts", "/api/v1/tags"),
        *("/search?q=taken", "/search?q=tag:back", "/search/suggestions?q=bac"),
    ]
    ways: list[Callable[[str], object]] = [
        lambda slug: bob.edit(slug, action="unpublish"),
        lambda slug: bob.edit(slug, action="schedule", publish_at="2030-01-01T10:00"),
        lambda slug: bob.post(f"/posts/{slug}/delete"),
    ]
    for way in ways:
        slug = bob.write("Taken back", tags="back")
        for somebody in (stranger, mallory):
            assert all("back" in somebody.get(path).text for path in lists)
        way(slug)
        for somebody in (stranger, mallory):
            assert somebody.get(f"/posts/{slug}").status_code in (404, 410)
            for path in lists:
                text = ask(somebody, "GET", path).text
                assert "back" not in text.replace("tag:back", ""), path  # what was asked


def prefixes(path: str) -> list[str]:
    """The path up to each of its parameters."""
    return [path[: found.end()] for found in re.finditer(r"{[^}]+}", path)]


def addresses(path: str, hidden: HidingPlaces) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Every way to fill in a path; the same with what never was; and the values of both."""
    keys = prefixes(path)
    names = re.findall(r"{(\w+)", path)
    for pairs in product(*(values(PARAMETERS[key], hidden) for key in keys)):
        there = [value for value, _ in pairs]
        nowhere = [never for _, never in pairs if never is not None]
        has_twin = keys and len(nowhere) == len(there)
        twin = fill(path, dict(zip(names, nowhere, strict=True))) if has_twin else None
        sent = tuple(each for pair in pairs if pair[0] != pair[1] for each in pair if each)
        yield fill(path, dict(zip(names, there, strict=True))), twin, sent


def values(kind: int, hidden: HidingPlaces) -> list[Pair]:
    if kind == POST:
        slugs = [*hidden.slugs.values(), f"{WORD}-first", f"{WORD}-slug"]
        ids = [str(hidden.stored(hidden.slugs[name]).id) for name in ("draft", "scheduled")]
        known: list[Pair] = [("open", None), ("open-too", None), (f"{WORD}-gone", None)]
        of_slugs = [(slug, NEVER) for slug in slugs] + [(slugs[0].upper(), NEVER.upper())]
        return [*known, *of_slugs, *((each, NEVER_ID) for each in ids)]
    series = f"the-{WORD}-series"
    others: dict[int, list[Pair]] = {
        TAG: [(WORD, NEVER), ("open-secret", NEVER), (WORD.upper(), NEVER.upper())],
        SERIES: [(series, NEVER), (series.upper(), NEVER.upper())],
        IMAGE: [(hidden.image["id"], NEVER_ID)],
        NAME: [(hidden.image["url"].rpartition("/")[2], "never-16x9.webp")],
        NUMBER: [("90", "90")],
        AUTHOR: [(BOB, None)],
        SECRET: [("A" * 22, "B" * 22)],
        OTHER: [(INVENTED, None)],
    }
    return others[kind]


def ask(person: Person, method: str, path: str, headers: dict[str, str] | None = None) -> Response:
    """Carry out a request as somebody who means it: with a body that would do something."""
    body: dict[str, Any] = {}
    if method not in ("GET", "HEAD", "DELETE"):
        is_json = path.startswith("/api/") or method == "PUT"
        body = {"json": SENT} if is_json else {"data": FORM}
    return person.client.request(method, path, headers=headers, **body)


def is_silent(found: Response, none: Response | None, sent: tuple[str, ...]) -> bool:
    """Whether an answer tells no more than that of what never was, or at least not the word."""
    if found.status_code == 429:
        return False
    if none is None:
        return WORD not in said(found, sent).lower()
    if found.status_code == 404 and found.content != none.content:
        return False
    return said(found, sent) == said(none, sent)


# A key of its own for each form, and what a clock says: minutes end while tests run.
FRESH = re.compile(r'name="idempotency_key" value="[^"]+"|where it is [^<]+ now')
CHANGING = {"date", "x-request-id", "content-length", "set-cookie"}


def said(response: Response, sent: tuple[str, ...]) -> str:
    """All of an answer but for what differs from one to the next, and what the question was."""
    # The tag of a page that repeats the question is another one for another question.
    repeats = any(value.lower() in response.text.lower() for value in sent)
    changing = CHANGING | {"etag"} if repeats else CHANGING
    headers = {k: v for k, v in response.headers.items() if k not in changing}
    text = FRESH.sub("", f"{response.status_code} {headers} {text_of(response)}")
    for value in (*sent, response.headers.get("x-request-id", "-")):
        for form in (value, value.lower(), quote(value, safe="")):
            text = text.replace(form, "…")
    return text


def text_of(response: Response) -> str:
    if response.headers.get("content-type") != "application/zip" or not response.content:
        return response.text
    with ZipFile(BytesIO(response.content)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def come_back(person: Person) -> None:
    """Whoever has just logged out logs in again, and has tried nothing too often yet."""
    person.blog.put(Throttle, tries=0)
    if person.username and not person.is_logged_in():
        assert person.log_in().status_code == 303


def state(hidden: HidingPlaces) -> list[object]:
    """What nobody but Bob may change."""
    posts = [(post.id, post.version, post.state, post.staged) for post in hidden.posts]
    rows = (hidden.blog.rows(Media), hidden.blog.rows(Series))
    return [*posts, *([row.model_dump() for row in found] for found in rows)]

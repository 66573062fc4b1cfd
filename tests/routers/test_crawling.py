"""What programs find that come to look around: sitemaps, robots.txt, security.txt."""

import re
from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from httpx2 import Response
from pydantic import ValidationError

from models import Post, Tag, now
from services import heads, sitemaps
from tests.blog import Blog, Person, blog_settings

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
W3C_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
CONTACT = {"security_contact": "mailto:security@blog.example"}


def read(response: Response, root: str = "urlset") -> dict[str, str]:
    """Address and time of each entry, by the rules of the schema."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/xml")
    document = ElementTree.fromstring(response.text)
    assert document.tag == NAMESPACE + root
    entries: dict[str, str] = {}
    for entry in document:
        assert entry.tag == NAMESPACE + {"urlset": "url", "sitemapindex": "sitemap"}[root]
        tags = [each.tag.removeprefix(NAMESPACE) for each in entry]
        assert tags in (["loc"], ["loc", "lastmod"])
        address, *changed = [each.text or "" for each in entry]
        assert address not in entries
        assert all(W3C_TIME.fullmatch(each) for each in changed)
        entries[address] = changed[0] if changed else ""
    assert 1 <= len(entries) <= 50_000
    return entries


def paths_in(entries: dict[str, str], person: Person) -> set[str]:
    base = person.blog.settings.link_base
    assert all(address.startswith(f"{base}/") for address in entries)
    return {address.removeprefix(base) for address in entries}


def test_everything_that_is_worth_finding_is_in_the_sitemap(
    alice: Person, bob: Person, carol: Person, stranger: Person
) -> None:
    slug = bob.write("Ropes", tags="knots", series="On ropes")
    about = alice.write("About", kind="page", tags="pages-only")
    paths = paths_in(read(stranger.get("/sitemap.xml")), stranger)
    of_posts = {f"/posts/{slug}", f"/{about}", "/tags/knots", "/users/bob", "/series/on-ropes"}
    assert paths == {*sitemaps.LISTS, *of_posts}
    for path in paths:
        assert stranger.get(path).status_code == 200, path


def test_a_sitemap_of_an_empty_blog_is_one(stranger: Person) -> None:
    assert paths_in(read(stranger.get("/sitemap.xml")), stranger) == set(sitemaps.LISTS)


def test_it_says_when_readers_last_saw_a_change(bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    address = f"{bob.blog.settings.link_base}/posts/{slug}"
    bob.blog.put(Post, published_at=now() - timedelta(days=9))
    first = read(stranger.get("/sitemap.xml"))[address]
    assert first == heads.w3c(bob.stored(slug).published_at)
    bob.edit(slug, content="Saved, and seen by nobody.")
    assert read(stranger.get("/sitemap.xml"))[address] == first
    bob.edit(slug, content="Seen.", action="publish")
    assert read(stranger.get("/sitemap.xml"))[address] == heads.w3c(bob.stored(slug).changed_at)


def test_what_is_hidden_is_in_no_sitemap(bob: Person, stranger: Person) -> None:
    empty = stranger.get("/sitemap.xml").text
    bob.draft("A draft", tags="secret", series="Secret")
    bob.write("Later", action="schedule", publish_at="2030-01-01T10:00", tags="secret")
    gone = bob.write("Gone", tags="secret")
    bob.post(f"/posts/{gone}/delete")
    assert stranger.get("/sitemap.xml").text == empty


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a document held no more than this."""
    monkeypatch.setattr(sitemaps, "MOST", 12)
    monkeypatch.setattr(sitemaps, "PER_PART", 4)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [6, 7, 8, 9, 13])
def test_beyond_the_limit_there_is_an_index_of_parts(
    bob: Person, stranger: Person, count: int
) -> None:
    """Parts are disjoint, none is empty or too long, and together they have everything."""
    slugs = [bob.write(f"Post {n}", tags=f"tag-{n}") for n in range(count)]
    bob.blog.put(Post, published_at=now() - timedelta(days=1))  # all at once
    parts = read(stranger.get("/sitemap.xml"), "sitemapindex")
    base = stranger.blog.settings.link_base
    found: dict[str, str] = {}
    for address in parts:
        entries = read(stranger.get(address.removeprefix(base)))
        assert len(entries) <= 4
        assert not found.keys() & entries.keys()
        found |= entries
    wanted = {f"/posts/{slug}" for slug in slugs} | {f"/tags/tag-{n}" for n in range(count)}
    assert paths_in(found, stranger) == {*sitemaps.LISTS, "/users/bob", *wanted}


def test_a_part_may_end_at_any_name(
    blog: Blog, bob: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps, "PER_PART", 1)
    monkeypatch.setattr(sitemaps, "MOST", 6)
    for number, person in enumerate((bob, blog.person("ada_l"), blog.person("ada-l"))):
        person.write(f"Post {number}", tags="c++", series=f"Series {number}")
    base = stranger.blog.settings.link_base
    found: dict[str, str] = {}
    for address in read(stranger.get("/sitemap.xml"), "sitemapindex"):
        found |= read(stranger.get(address.removeprefix(base)))
    users = {path for path in paths_in(found, stranger) if path.startswith("/users/")}
    assert users == {"/users/bob", "/users/ada_l", "/users/ada-l"}
    assert len(found) == len(sitemaps.LISTS) + 3 + 1 + 3 + 3


def test_no_document_is_large() -> None:
    """Each is made while somebody waits, and kept in memory."""
    assert max(sitemaps.MOST, sitemaps.PER_PART) <= 5_000


@pytest.mark.usefixtures("small")
def test_just_as_many_as_fit_are_one_document(bob: Person, stranger: Person) -> None:
    for n in range(12 - len(sitemaps.LISTS) - 1):  # and Bob
        bob.write(f"Post {n}")
    assert len(read(stranger.get("/sitemap.xml"))) == 12
    bob.write("One more")
    assert read(stranger.get("/sitemap.xml"), "sitemapindex")


def test_a_part_that_no_index_names_is_missing(bob: Person, stranger: Person) -> None:
    bob.write("Ropes", tags="knots")
    missing = stranger.get("/nowhere").text
    for path in ("drafts.xml", "tags.xml?after=knots", "tags.xml?after=%27", "posts.xml?after=x",
                 "series.xml", "posts.xml?after=" + "_" * 32, "%00.xml"):  # fmt: skip
        response = stranger.get(f"/sitemaps/{path}")
        assert (response.status_code, response.text) == (404, missing), path
    assert stranger.get("/sitemaps/posts.xml").status_code == 200


def test_what_would_be_markup_is_none(blog: Blog, bob: Person, stranger: Person) -> None:
    """No slug has these characters today; the writer of the document does not count on that."""
    bob.write("Ropes", tags="knots")
    blog.put(Tag, slug="\"'><x>&")
    entries = read(stranger.get("/sitemap.xml"))
    assert f"{blog.settings.link_base}/tags/\"'><x>&" in entries


def test_robots_read_what_is_open_to_them(stranger: Person) -> None:
    response = stranger.get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    robots = RobotFileParser()
    robots.parse(response.text.splitlines())
    for path in ("/", "/posts/ropes", "/tags/knots", "/search-party", "/feed.xml", "/admin-days"):
        assert robots.can_fetch("Googlebot", path), path
    for path in (
        "/auth/login",
        "/settings/profile",
        "/admin/users",
        "/search?q=x",
        "/api/v1/posts",
    ):
        assert not robots.can_fetch("Googlebot", path), path
    assert robots.site_maps() == [f"{stranger.blog.settings.link_base}/sitemap.xml"]


def test_a_blog_can_stay_out_of_search_engines(blog: Blog, bob: Person, stranger: Person) -> None:
    slug = bob.write("Ropes")
    assert "x-robots-tag" not in stranger.get(f"/posts/{slug}").headers
    with blog.beside(allow_indexing=False) as quiet:
        robots = RobotFileParser()
        robots.parse(stranger.at(quiet).get("/robots.txt").text.splitlines())
        assert not robots.can_fetch("Googlebot", "/")
        for path in ("/", f"/posts/{slug}", "/nowhere", "/sitemap.xml", "/static/css/site.css"):
            assert stranger.at(quiet).get(path).headers["x-robots-tag"] == "noindex", path


def test_whoever_finds_a_hole_finds_whom_to_tell(blog: Blog, stranger: Person) -> None:
    path = "/.well-known/security.txt"
    missing = stranger.get(path)
    assert (missing.status_code, missing.text) == (404, stranger.get("/nowhere").text)
    with blog.beside(**CONTACT) as careful:
        response = stranger.at(careful).get(path)
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        fields = dict(line.split(": ", 1) for line in response.text.splitlines())
        assert fields["Contact"] == "mailto:security@blog.example"
        assert fields["Canonical"] == careful.settings.link_base + path
        assert fields["Preferred-Languages"] == "en"
        expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert timedelta(days=90) < expires - now() < timedelta(days=365)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("security@blog.example", "mailto:security@blog.example"),
        ("https://blog.example/security", "https://blog.example/security"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
    ],
)
def test_a_contact_is_an_address(typed: str, meant: str) -> None:
    assert blog_settings(security_contact=typed).security_contact == meant


@pytest.mark.parametrize(
    "typed", ["me", "http://blog.example", "mailto:a@b.c\nX: y", "javascript:1"]
)
def test_what_is_no_contact_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="SECURITY_CONTACT"):
        blog_settings(security_contact=typed)


def test_there_is_an_icon_where_browsers_look_for_it(stranger: Person) -> None:
    response = stranger.get("/favicon.ico")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/x-icon")


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/.env", "/metrics", "/debug", "/inkstand.db", "/data/inkstand.db",
     "/settings.py", "/backup.zip", "/.well-known/", "/server-status", "/static/../main.py"],
)  # fmt: skip
def test_nothing_of_the_workshop_lies_open(stranger: Person, path: str) -> None:
    assert stranger.get(path).status_code in (301, 404), path


@pytest.mark.parametrize("hidden", ["draft", "missing", "gone"])
def test_whoever_finds_nothing_can_search(bob: Person, stranger: Person, hidden: str) -> None:
    slug = {"draft": bob.draft, "gone": bob.write, "missing": lambda: "never-was"}[hidden]()
    if hidden == "gone":
        bob.post(f"/posts/{slug}/delete")
    response = stranger.get(f"/posts/{slug}")
    assert response.status_code == (410 if hidden == "gone" else 404)
    assert re.search(r'<form class="search"[^>]* action="/search">.*name="q"', response.text, re.S)
    assert '<a href="/">' in response.text
    assert "search" not in "".join(re.findall("<script[^>]*>", response.text))
    if hidden == "draft":
        assert response.text == stranger.get("/posts/never-was").text

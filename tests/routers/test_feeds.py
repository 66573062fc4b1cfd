"""Feeds: valid by their specifications, whole, and about nothing that readers may not know."""

import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import struct_time
from urllib.parse import urlsplit

import feedparser
import pytest
from sqlmodel import select

from jobs import Jobs
from models import Post, Site, Tag, User, now
from services import feeds, texts
from tests import feed_rules
from tests.blog import Blog, Person
from tests.feed_rules import Read, addresses
from tests.hiding_places import WORD, HidingPlaces
from tests.people import ALICE, BOB, CAROL, PASSWORD
from tests.test_costs import statements

FORMATS = ("feed.xml", "rss.xml", "feed.json")
PLACES = ("", "/tags/tides", f"/users/{BOB}")
HOSTILE = "\"'><x>&amp; ]]> <script>alert(1)</script> {{ 7*7 }} & é 😀"
EVERYTHING = """\
# A heading

A [link](/tags/tides "why"), [another](#h-a-heading), <https://away.example/?a=1&b=2>, mail to
<maren@example.org>, `code with <b> & "quotes"`, $a^2 < b$ and a note[^1].

![Sunset](https://away.example/sunset.jpg)

```python
if a < b and "]]>":
    pass
```

- [x] done

| a | b |
|---|---|
| 1 | 2 |

[^1]: The note.
"""


def fetch(reader: Person, path: str) -> Read:
    response = reader.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-cache"
    return feed_rules.check(response.content, response.headers["content-type"])


def all_of(reader: Person, path: str) -> Iterator[Read]:
    """This page of a feed, and those that follow."""
    where: str | None = path
    while where:
        read = fetch(reader, where)
        yield read
        where = read.next and f"{urlsplit(read.next).path}?{urlsplit(read.next).query}"


def write_many(blog: Blog, author: str, count: int, html: str = "<p>Words.</p>") -> None:
    """Published a minute apart, a while ago."""
    with blog.database.writing() as db:
        owner = db.exec(select(User).where(User.username == author)).one()
        for number in range(count):
            at = now() - timedelta(days=1, minutes=number)
            columns = texts.rendered(texts.Text(title=f"Post {number}", content="Words."))
            times = dict.fromkeys(("published_at", "first_published_at", "created_at"), at)
            post = Post(author_id=owner.id, slug=f"post-{number}", **columns | {"html": html})
            post.sqlmodel_update(times)
            db.add(post)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_feeds_are_valid_and_say_what_the_pages_say(
    alice: Person, bob: Person, stranger: Person, place: str, name: str
) -> None:
    image = bob.image(alt="A heron")
    slug = bob.write("Tides", f"{EVERYTHING}\n{image['markdown']}", tags="Tides, The sea")
    alice.write("By another", "Words.", tags="Paint")
    read = fetch(stranger, f"{place}/{name}")
    base = stranger.blog.settings.link_base
    assert read.self == f"{base}{place}/{name}"
    assert read.page == f"{base}{place or '/'}"
    assert read.titles == (["Tides"] if place else ["By another", "Tides"])
    item, post = read.items[-1], bob.stored(slug)
    assert item["url"] == f"{base}/posts/{slug}"
    assert item["author"] == BOB
    assert item["tags"] == ["Tides", "The sea"]
    assert item["summary"] == post.excerpt
    assert post.published_at
    assert item["published"] == item["updated"] == post.published_at.replace(microsecond=0)
    assert "author_url" not in item or item["author_url"] == f"{base}/users/{BOB}"


@pytest.mark.parametrize("name", FORMATS)
def test_every_address_in_a_text_leads_to_where_it_leads_on_the_page(
    bob: Person, stranger: Person, name: str
) -> None:
    image = bob.image(alt="A heron")
    slug = bob.write("Tides", f"{EVERYTHING}\n{image['markdown']}")
    base = stranger.blog.settings.link_base
    [item] = fetch(stranger, f"/{name}").items
    found = set(addresses(item["html"]))
    assert {
        f"{base}/tags/tides",
        f"{base}/posts/{slug}#h-a-heading",
        f"{base}/posts/{slug}#fn-1",
        f"{base}/posts/{slug}#fnref-1",
        "https://away.example/?a=1&b=2",
        "mailto:maren@example.org",
        base + image["url"],
    } <= found
    for whole in ("<math", 'class="listing"', "<table>", 'title="why"', "nofollow ugc"):
        assert whole in item["html"] or whole == 'class="listing"'
    assert 'class="anchor"' not in item["html"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_without_anything_to_see_is_in_a_feed_all_the_same(
    bob: Person, stranger: Person, name: str
) -> None:
    bob.write("Only a link", "[a]: http://away.example/")
    (item,) = fetch(stranger, f"/{name}").items
    assert item["title"] == "Only a link"


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_words_are_words(blog: Blog, bob: Person, stranger: Person, name: str) -> None:
    bob.post("/settings/profile", {"display_name": HOSTILE[:60], "bio": HOSTILE})
    bob.write(HOSTILE, HOSTILE, tags="a&b ]]>, <x>")
    for path in (f"/{name}", f"/users/{BOB}/{name}", f"/tags/x/{name}"):
        read = fetch(stranger, path)
        [item] = read.items
        assert item["title"] == HOSTILE
        assert item["author"] == HOSTILE[:60].strip()
        assert item["tags"] == ["a&b ]]>", "<x>"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_xml_cannot_say_is_left_out(
    blog: Blog, bob: Person, stranger: Person, name: str
) -> None:
    bob.write("A title", "Words.", tags="tides")
    bad = "a\x01b\x0b\x1f\x7f\ufffe\uffff]]>"
    blog.put(Post, title=bad, excerpt=bad, html=f"<p>{bad.replace('>', '&gt;')}</p>")
    blog.put(User, display_name=bad, bio=bad)
    blog.put(Tag, name=bad)
    [item] = feed_rules.CHECKS[stranger.get(f"/{name}").headers["content-type"].partition(";")[0]](
        stranger.get(f"/{name}").content
    ).items
    if name != "feed.json":
        assert item["title"] == item["author"] == "ab\x7f]]>"


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_feed_is_valid(alice: Person, carol: Person, stranger: Person, name: str) -> None:
    for path in (f"/{name}", f"/users/{CAROL}/{name}"):
        assert fetch(stranger, path).items == []


def test_a_blog_of_nobody_has_a_feed(stranger: Person) -> None:
    for name in FORMATS:
        assert fetch(stranger, f"/{name}").items == []


def test_feedparser_reads_the_same(alice: Person, bob: Person, stranger: Person) -> None:
    bob.write(HOSTILE, EVERYTHING, tags="tides, <x>")
    alice.write("Second", "Words.")
    expected = fetch(stranger, "/feed.json")
    for name in ("feed.xml", "rss.xml"):
        body = stranger.get(f"/{name}").content
        found = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
        assert found.bozo == 0
        assert found.version == ("atom10" if name == "feed.xml" else "rss20")
        assert [entry.id for entry in found.entries] == expected.ids
        assert [entry.link for entry in found.entries] == [e["url"] for e in expected.items]
        for entry, item in zip(found.entries, expected.items, strict=True):
            assert entry.content[0].value.strip() == item["html"].strip()
            assert entry.author == item["author"]
            assert moment_of(entry.published_parsed) == item["published"]
            assert moment_of(entry.updated_parsed) == item["updated"]
            tags = [tag.label or tag.term for tag in entry.get("tags", [])]
            assert tags == item["tags"]


def moment_of(parsed: struct_time) -> datetime:
    return datetime.fromtimestamp(timegm(parsed), UTC)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_public_is_in_no_feed(
    blog: Blog, alice: Person, bob: Person, stranger: Person, name: str
) -> None:
    HidingPlaces(blog, alice, bob)
    for path in (f"/{name}", f"/users/{BOB}/{name}", f"/tags/open/{name}"):
        assert WORD not in stranger.get(path).text.lower()
        assert len(fetch(stranger, path).items) == 2


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_taken_back_is_gone_at_once(bob: Person, stranger: Person, name: str) -> None:
    slug = bob.write("Tides", tags="tides")
    assert len(fetch(stranger, f"/{name}").items) == 1
    bob.edit(slug, tags="tides", action="unpublish")
    assert fetch(stranger, f"/{name}").items == []
    missing = stranger.get(f"/tags/never/{name}")
    assert missing.status_code == 404
    assert stranger.get(f"/tags/tides/{name}").content == missing.content


def test_what_waits_does_not_show_in_the_times_of_a_feed(bob: Person, stranger: Person) -> None:
    slug = bob.write("Tides", "Words.")
    before = [stranger.get(f"/{name}").content for name in FORMATS]
    bob.edit(slug, content="Other words.", action="save")
    bob.draft("Not yet")
    assert [stranger.get(f"/{name}").content for name in FORMATS] == before


def test_a_revised_text_is_an_updated_entry(blog: Blog, bob: Person, stranger: Person) -> None:
    slug = bob.write("Tides", "Words.")
    long_ago = now().replace(microsecond=0) - timedelta(days=3)
    blog.put(Post, published_at=long_ago, first_published_at=long_ago)
    bob.edit(slug, content="Other words.", action="publish")
    revised_at = bob.stored(slug).revised_at
    assert revised_at
    for name in FORMATS:
        [item] = fetch(stranger, f"/{name}").items
        assert item["published"] == long_ago
        assert item["updated"] == revised_at.replace(microsecond=0)
        assert "Other words." in item["html"]


def test_ids_survive_a_new_slug_and_a_new_domain(blog: Blog, bob: Person) -> None:
    slug = bob.write("Tides", "Words.")
    with blog.beside(base_url="http://first.example", allowed_hosts="127.0.0.1") as first:
        before = fetch(first.visitor(), "/feed.xml")
        jobs = Jobs(first.settings, first.database)
        jobs.settle()
        assert jobs.settle_at is None
    [entity] = [site.tagging_entity for site in blog.rows(Site)]
    assert before.ids[0].startswith(f"tag:{entity}:posts/")
    assert str(entity).startswith("first.example,")
    bob.edit(slug, slug="ebb", action="publish")
    with blog.beside(base_url="http://second.example", allowed_hosts="127.0.0.1") as second:
        Jobs(second.settings, second.database).settle()
        for name in FORMATS:
            read = fetch(second.visitor(), f"/{name}")
            assert read.ids == before.ids
            assert read.items[0]["url"] == "http://second.example/posts/ebb"
            assert read.self == f"http://second.example/{name}"


def test_a_blog_without_an_owner_settles_nothing_yet(blog: Blog) -> None:
    jobs = Jobs(blog.settings, blog.database)
    jobs.settle()
    assert jobs.settle_at


@pytest.mark.parametrize("name", FORMATS)
def test_pages_lead_through_all_posts_each_of_them_once(
    blog: Blog, bob: Person, stranger: Person, name: str
) -> None:
    write_many(blog, BOB, 45)
    for path in (f"/{name}", f"/users/{BOB}/{name}"):
        pages = list(all_of(stranger, path))
        assert [len(page.items) for page in pages] == [20, 20, 5]
        titles = [title for page in pages for title in page.titles]
        assert titles == [f"Post {number}" for number in range(45)]
        assert all("?before=" in page.self for page in pages[1:])


def test_atom_pages_lead_back(blog: Blog, bob: Person, stranger: Person) -> None:
    write_many(blog, BOB, 45)
    *_, last = all_of(stranger, "/feed.xml")
    body = stranger.get(last.self.removeprefix(blog.settings.link_base)).text
    [previous] = re.findall(r'rel="previous" [^>]*href="[^"?]+(\?[^"]+)"', body)
    read = fetch(stranger, f"/feed.xml{previous}")
    assert read.titles == [f"Post {number}" for number in range(20, 40)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_cursor_that_is_none_is_404(bob: Person, stranger: Person, name: str) -> None:
    bob.write(tags="tides")
    for place in PLACES:
        for query in ("before=x", "after=%00", f"before={'A' * 32}=="):
            assert stranger.get(f"{place}/{name}?{query}").status_code == 404


@pytest.mark.parametrize("name", FORMATS)
def test_old_addresses_lead_on(alice: Person, bob: Person, stranger: Person, name: str) -> None:
    bob.write(tags="tides")
    alice.post("/tags/tides", {"name": "Ebb and flow"})
    bob.post("/settings/username", {"username": "robert", "password": ""})
    for old, new in (
        ("/tags/Tides", "/tags/ebb-and-flow"),
        ("/tags/tides", "/tags/ebb-and-flow"),
        (f"/users/{ALICE.title()}", f"/users/{ALICE}"),
    ):
        response = stranger.get(f"{old}/{name}")
        assert (response.status_code, response.headers["location"]) == (301, f"{new}/{name}")


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_has_a_feed_of_nobody(blog: Blog, stranger: Person, bob: Person, name: str) -> None:
    bob.write("Left behind")
    bob.post("/settings/delete", {"posts": "keep", "password": PASSWORD})
    [item] = fetch(stranger, f"/{name}").items
    assert item["author"] == "Deleted user"
    assert item.get("author_url") is None
    missing = stranger.get(f"/users/deleted/{name}")
    assert (missing.status_code, missing.content) == (404, stranger.get("/users/no-one").content)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "unit", ["&amp; &lt;", "words ", '<a href="#a" rel="noopener">"</a>', "é€😀"]
)
def test_a_page_of_huge_texts_is_not_huge(
    blog: Blog, bob: Person, stranger: Person, name: str, unit: str
) -> None:
    """What does not fit is there with its summary."""
    write_many(blog, BOB, 20, f"<p>{unit * (300_000 // len(unit.encode()))}</p>")
    response = stranger.get(f"/{name}")
    assert len(response.content) < 2_000_000
    read = fetch(stranger, f"/{name}")
    assert len(read.items) == 20
    whole = [item for item in read.items if item["html"] is not None]
    assert len(whole) == (2 if "href" not in unit else 0)
    assert all(item["summary"] == "Words." for item in read.items)


def test_a_short_text_follows_a_long_one(blog: Blog, bob: Person, stranger: Person) -> None:
    write_many(blog, BOB, 2)
    with blog.database.writing() as db:
        post = db.exec(select(Post).where(Post.slug == "post-0")).one()
        post.html = "x" * (feeds.MOST_BYTES + 1)
    read = fetch(stranger, "/feed.xml")
    assert [item["html"] for item in read.items] == [None, "<p>Words.</p>"]


def test_a_feed_asks_little_of_the_database(blog: Blog, bob: Person, stranger: Person) -> None:
    counts = []
    for total in (1, 30):
        write_many(blog, BOB, total) if total > 1 else bob.write(tags="one, two")
        with statements(blog) as found:
            stranger.get("/feed.xml")
        counts.append(len([each for each in found if "public_version" not in each]))
    assert counts[0] == counts[1] <= 7
    assert not any("sessions" in each or "logins" in each for each in found)


@pytest.mark.parametrize("name", FORMATS)
def test_the_last_change_that_readers_see_is_in_the_headers(
    blog: Blog, bob: Person, stranger: Person, name: str
) -> None:
    slug = bob.write("Tides")
    changed_at = bob.stored(slug).changed_at
    assert changed_at
    said = stranger.get(f"/{name}").headers.get("last-modified")
    if said:  # not while it might be in the future
        assert parsedate_to_datetime(said) >= changed_at.replace(microsecond=0)


@pytest.mark.parametrize("name", FORMATS)
def test_who_has_the_newest_copy_gets_no_other(bob: Person, stranger: Person, name: str) -> None:
    slug = bob.write("Tides")
    first = stranger.get(f"/{name}")
    if "etag" in first.headers:
        known = {"If-None-Match": first.headers["etag"]}
        again = stranger.get(f"/{name}", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        bob.edit(slug, content="Other words.", action="publish")
        changed = stranger.get(f"/{name}", headers=known)
        assert changed.status_code == 200
        assert "Other words." in changed.text


@pytest.mark.parametrize(
    ("page", "place"), [("/", ""), ("/tags/tides", "/tags/tides"), (f"/users/{BOB}",) * 2]
)
def test_pages_tell_where_their_feeds_are(
    bob: Person, stranger: Person, page: str, place: str
) -> None:
    bob.write(tags="tides")
    html = stranger.get(page).text
    found = re.findall(r'<link rel="alternate" type="application/(\S+)" [^>]*href="([^"]+)">', html)
    types = ("atom+xml", "rss+xml", "feed+json")
    own = [(kind, f"{place}/{name}") for kind, name in zip(types, FORMATS, strict=True)]
    blogs = [(kind, f"/{name}") for kind, name in zip(types, FORMATS, strict=True)]
    assert found == (own + blogs if place else blogs)
    for kind, path in found:
        assert stranger.get(path).headers["content-type"].startswith(f"application/{kind}")
    assert '<a href="/feed.xml">' in html


def test_feeds_are_the_same_for_everybody(bob: Person, stranger: Person) -> None:
    bob.write("Tides")
    for name in FORMATS:
        assert bob.get(f"/{name}").content == stranger.get(f"/{name}").content

"""Readers are counted without being watched, and those who wrote see how many there were."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from models import PostReferrer, PostViews, VisitorDigest, VisitorSalt, now
from services import counting, readers, sweeping, tallies, visitors
from tests.blog import Blog, Person
from tests.readers import BROWSER, FIREFOX, SAFARI, counted, id_of, read, reader, sources

DAY = timedelta(days=1)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = FIREFOX.replace("Firefox/145.0", "HeadlessChrome/142.0.0.0")


@pytest.fixture
def slug(bob: Person) -> str:
    return bob.write("The tides")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clock of those who count. It begins at noon, so that no day ends by chance."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0)
    moments = [noon]

    def move(by: timedelta) -> None:
        moments[0] += by

    for module in (counting, readers, sweeping):
        monkeypatch.setattr(module, "now", lambda: moments[0])
    return move


def test_a_view_and_a_visitor_are_counted_and_the_same_one_twice_is_one(
    blog: Blog, slug: str
) -> None:
    someone = reader(blog)
    assert [read(someone, f"/posts/{slug}") for _ in range(3)] == [200] * 3
    assert counted(blog, slug) == (3, 1)
    read(someone, f"/posts/{slug}")
    read(reader(blog, **{"User-Agent": SAFARI}), f"/posts/{slug}")
    assert counted(blog, slug) == (5, 2)


def test_pages_are_counted_as_posts_are(blog: Blog, alice: Person) -> None:
    slug = alice.write("About us", kind="page")
    assert read(reader(blog), f"/{slug}") == 200
    assert counted(blog, slug) == (1, 1)


def test_whoever_asks_again_for_what_the_browser_keeps_is_reading_too(
    blog: Blog, slug: str
) -> None:
    someone = reader(blog)
    etag = someone.get(f"/posts/{slug}", headers=BROWSER).headers.get("etag", '"none"')
    status = read(someone, f"/posts/{slug}", If_None_Match=etag)
    assert status in (200, 304)
    assert counted(blog, slug) == (2, 1)


def test_pages_from_the_cache_are_counted(blog: Blog, slug: str) -> None:
    for number in range(20):
        read(reader(blog, **{"User-Agent": f"{FIREFOX} {number % 5}"}), f"/posts/{slug}")
    assert counted(blog, slug) == (20, 5)


LEFT_OUT: list[dict[str, str]] = [
    {"User_Agent": GOOGLEBOT},
    {"User_Agent": "curl/8.16.0"},
    {"User_Agent": HEADLESS},
    {"User_Agent": ""},
    {"Accept": "application/json"},
    {"Sec_Purpose": "prefetch"},
    {"Sec_Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"Sec_Fetch_Dest": "iframe"},
    {"Sec_Fetch_Dest": "empty"},
]


def test_programs_and_what_nobody_looks_at_are_left_out(blog: Blog, slug: str) -> None:
    for headers in LEFT_OUT:
        read(reader(blog), f"/posts/{slug}", **headers)
        assert counted(blog) == (0, 0), headers


def test_who_says_no_language_is_no_browser(blog: Blog, slug: str) -> None:
    someone = blog.visitor()
    someone.get(f"/posts/{slug}", headers={"User-Agent": FIREFOX, "Accept": "text/html"})
    someone.get("/healthz")
    assert counted(blog) == (0, 0)


def test_head_and_what_is_missing_are_no_views(blog: Blog, slug: str, bob: Person) -> None:
    draft = bob.draft("Not yet")
    someone = reader(blog)
    someone.client.head(f"/posts/{slug}")
    for path in ("/", "/tags", f"/posts/{draft}", "/posts/never", "/never", "/auth/login"):
        read(someone, path)
    assert counted(blog) == (0, 0)


def test_who_may_edit_a_post_is_no_reader_of_it(
    blog: Blog, slug: str, alice: Person, bob: Person, carol: Person, mallory: Person
) -> None:
    read(bob, f"/posts/{slug}")
    read(alice, f"/posts/{slug}")
    draft = bob.draft("Nobody else sees it")
    assert read(bob, f"/posts/{draft}") == 200
    assert counted(blog) == (0, 0)
    read(carol, f"/posts/{slug}")
    read(mallory, f"/posts/{slug}")
    assert counted(blog, slug)[0] == 2


def test_whoever_asks_not_to_be_told_apart_is_a_view_and_nothing_else(
    blog: Blog, slug: str
) -> None:
    for name in ("Sec_GPC", "DNT"):
        read(reader(blog), f"/posts/{slug}", Referer="https://elsewhere.example/", **{name: "1"})
    assert counted(blog, slug) == (2, 0)
    assert blog.rows(VisitorDigest) == []
    assert sources(blog) == {}


def test_the_next_day_is_another_and_nothing_is_left_of_who_came(
    blog: Blog, slug: str, later: Callable[[timedelta], None]
) -> None:
    someone = reader(blog)
    read(someone, f"/posts/{slug}")
    assert counted(blog, slug) == (1, 1)
    [salt], [digest] = blog.rows(VisitorSalt), blog.rows(VisitorDigest)
    later(DAY)
    read(someone, f"/posts/{slug}")
    assert counted(blog, slug) == (2, 2)
    [next_salt], [next_digest] = blog.rows(VisitorSalt), blog.rows(VisitorDigest)
    assert next_salt.salt != salt.salt
    assert next_digest.digest != digest.digest
    assert (next_salt.day - salt.day, next_digest.day - digest.day) == (DAY, DAY)


def test_a_salt_goes_soon_after_its_day_although_nobody_comes(
    blog: Blog, slug: str, later: Callable[[timedelta], None]
) -> None:
    read(reader(blog), f"/posts/{slug}")
    assert counted(blog) == (1, 1)
    later(timedelta(hours=12, minutes=5))  # what was noted before midnight may still be on its way
    blog.app.state.counting.flush()
    assert len(blog.rows(VisitorSalt)) == 1
    later(timedelta(minutes=6))
    blog.app.state.counting.flush()
    assert blog.rows(VisitorSalt) == []
    assert blog.rows(VisitorDigest) == []


def test_what_a_stopped_process_left_of_a_day_is_swept(
    blog: Blog, slug: str, later: Callable[[timedelta], None]
) -> None:
    read(reader(blog), f"/posts/{slug}")
    counted(blog)
    blog.app.state.counting.days.clear()
    later(DAY)
    sweeping.sweep(blog.database, blog.settings)
    assert blog.rows(VisitorSalt) == []
    assert blog.rows(VisitorDigest) == []


def test_counts_are_kept_for_as_long_as_the_owner_wants(
    blog: Blog, slug: str, later: Callable[[timedelta], None]
) -> None:
    read(reader(blog), f"/posts/{slug}", Referer="https://elsewhere.example/")
    assert counted(blog) == (1, 1)
    later(DAY * blog.settings.view_days)
    sweeping.sweep(blog.database, blog.settings)
    assert (len(blog.rows(PostViews)), len(blog.rows(PostReferrer))) == (1, 1)
    later(DAY)
    sweeping.sweep(blog.database, blog.settings)
    assert (blog.rows(PostViews), blog.rows(PostReferrer)) == ([], [])


def test_neither_an_address_nor_a_browser_is_stored(blog: Blog, slug: str) -> None:
    read(reader(blog), f"/posts/{slug}", Referer="https://elsewhere.example/secret?token=1")
    assert counted(blog) == (1, 1)
    kept: list[type[SQLModel]] = [VisitorDigest, VisitorSalt, PostViews, PostReferrer]
    told = " ".join(str(row.model_dump()) for table in kept for row in blog.rows(table))
    assert not re.search(r"127\.0\.0|Firefox|Mozilla|secret|token", told)


def test_neither_the_database_nor_the_key_alone_tells_who_came(blog: Blog, slug: str) -> None:
    read(reader(blog), f"/posts/{slug}")
    counted(blog)
    [before] = blog.rows(VisitorDigest)
    changed = blog.settings.model_copy(
        update={"secret_key": [type(blog.settings.secret_key[0])("another secret, as long" * 3)]}
    )
    with Blog(changed) as other:
        read(reader(other), f"/posts/{slug}")
        other.app.state.counting.flush()
    assert {row.digest for row in blog.rows(VisitorDigest)} > {before.digest}


REFERRERS: list[tuple[str, str | None]] = [
    ("https://www.Search.Example/?q=tides", "search.example"),
    ("http://news.example:8080/a/b", "news.example"),
    ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ("https://news.example./", "news.example"),
    ("", None),
    ("about:blank", None),
    ("android-app://com.reader", None),
    ("javascript:alert(1)", None),
    ("https://<script>alert(1)</script>.example/", None),
    ("https://[::1", None),
    (f"https://{'a' * 90}.example.com/", None),
    ("nonsense", None),
]


def test_of_a_referrer_the_host_remains(blog: Blog, slug: str) -> None:
    for referrer, host in REFERRERS:
        before = sources(blog)
        read(reader(blog), f"/posts/{slug}", Referer=referrer)
        after = sources(blog)
        assert after == before | ({host: before.get(host, 0) + 1} if host else {}), referrer
    assert counted(blog, slug) == (len(REFERRERS), 1)


def test_coming_from_another_page_of_the_blog_is_coming_from_nowhere(blog: Blog, slug: str) -> None:
    read(reader(blog), f"/posts/{slug}", Referer=f"{blog.url}/tags")
    assert sources(blog) == {}


def test_hosts_that_are_made_up_do_not_fill_the_database(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = reader(blog)
    read(someone, f"/posts/{slug}", Referer="https://friend.example/")
    counted(blog)
    for flushes in range(2):
        for number in range(40):
            read(someone, f"/posts/{slug}", Referer=f"https://spam-{flushes}-{number}.example/")
        counted(blog)
    found = sources(blog)
    assert len(found) == tallies.MOST_HOSTS + 1
    assert found[tallies.OTHERS] == 81 - tallies.MOST_HOSTS
    assert sum(found.values()) == 81
    read(someone, f"/posts/{slug}", Referer="https://friend.example/")
    assert sources(blog)["friend.example"] == 2


def test_a_flood_of_made_up_visitors_ends_where_the_room_ends(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MOST_DIGESTS", 3)
    monkeypatch.setattr(tallies, "MOST_NEW_HOSTS", 2)
    monkeypatch.setattr(blog.app.state.counting, "room", tallies.Room())
    for number in range(6):
        agent = f"{FIREFOX} {number}"
        referrer = f"https://spam-{number}.example/"
        read(reader(blog), f"/posts/{slug}", User_Agent=agent, Referer=referrer)
        blog.app.state.counting.flush()
    assert counted(blog, slug) == (6, 3)
    assert len(sources(blog)) == 3


def test_what_cannot_be_stored_waits_and_is_counted_once(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = reader(blog)
    read(someone, f"/posts/{slug}", Referer="https://elsewhere.example/")

    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("the database is away"))

    with monkeypatch.context() as broken:
        broken.setattr(tallies, "add_hosts", fail)
        for _ in range(2):
            with pytest.raises(OperationalError):
                blog.app.state.counting.flush()
            read(someone, f"/posts/{slug}", Referer="https://elsewhere.example/")
    assert blog.rows(PostViews) == []
    assert counted(blog, slug) == (3, 1)
    assert counted(blog, slug) == (3, 1)
    assert sources(blog) == {"elsewhere.example": 3}


def test_what_waits_is_bounded(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counting, "MOST_WAITING", 2)
    with blog.app.state.counting.flushing:  # all at once
        for number in range(4):
            read(reader(blog), f"/posts/{slug}", User_Agent=f"{FIREFOX} {number}")
    assert counted(blog, slug) == (2, 2)
    assert "2 views are not counted" in caplog.text


def test_browsers_that_are_made_up_are_not_all_looked_up(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blog.app.state.counting.programs = visitors.Programs()
    monkeypatch.setattr(counting, "MOST_NEW_AGENTS", 2)
    read(reader(blog), f"/posts/{slug}", User_Agent=FIREFOX)
    assert counted(blog, slug) == (1, 1)
    with blog.app.state.counting.flushing:  # all at once
        for number in range(4):
            read(reader(blog), f"/posts/{slug}", User_Agent=f"{FIREFOX} made up {number}")
        read(reader(blog), f"/posts/{slug}", User_Agent=FIREFOX)  # who is known still counts
    assert counted(blog, slug) == (4, 3)


def test_what_is_noted_while_nobody_takes_it_is_bounded(
    blog: Blog, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import visits

    monkeypatch.setattr(visits, "MOST_WAITING", 2)
    noted = visits.Visits((), lambda: None)
    scope = {"method": "GET", "path": "/posts/x", "headers": raw(BROWSER)}
    for _ in range(5):
        noted.seen(scope, 200)
    assert (len(noted.take()), noted.dropped, noted.take()) == (2, 3, [])


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def test_two_processes_add_up_and_know_each_others_visitors(blog: Blog, slug: str) -> None:
    with blog.beside() as other:
        for process in (blog, other, blog, other):
            read(reader(process), f"/posts/{slug}")
            process.app.state.counting.flush()
        read(reader(other), f"/posts/{slug}", User_Agent=SAFARI)
    assert counted(blog, slug) == (5, 2)  # the other one stored the rest when it ended


def test_what_is_deleted_for_good_takes_its_counts_along(
    blog: Blog, slug: str, bob: Person
) -> None:
    read(reader(blog), f"/posts/{slug}", Referer="https://elsewhere.example/")
    assert counted(blog) == (1, 1)
    bob.post(f"/posts/{slug}/delete")
    assert len(blog.rows(PostViews)) == 1
    bob.post(f"/trash/{slug}/delete")
    assert (blog.rows(PostViews), blog.rows(PostReferrer)) == ([], [])


def test_what_was_taken_back_meanwhile_is_not_counted(blog: Blog, slug: str, bob: Person) -> None:
    read(reader(blog), f"/posts/{slug}")
    bob.edit(slug, action="unpublish")
    assert counted(blog)[0] <= 1  # unless it was stored before
    assert not blog.app.state.counting.waiting


# The pages.


def fill(blog: Blog, slug: str, counts: dict[int, tuple[int, int]]) -> None:
    """Views and visitors by how many days ago."""
    today = now().date()
    post_id = id_of(blog, slug)
    with blog.database.writing() as db:
        db.add_all(
            PostViews(post_id=post_id, day=today - DAY * ago, views=views, visitors=visitors)
            for ago, (views, visitors) in counts.items()
        )


def svg_of(page: str) -> ElementTree.Element:
    """The chart, which is well-formed XML."""
    found = re.search(r"<svg class=\"chart\".*?</svg>", page, re.S)
    assert found
    return ElementTree.fromstring(found[0])


def test_a_post_shows_its_readers_by_day(blog: Blog, slug: str, bob: Person) -> None:
    fill(blog, slug, {0: (5, 3), 1: (1200, 800), 29: (7, 7), 30: (100, 100), 400: (9, 9)})
    page = bob.get(f"/posts/{slug}/readers").text
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<strong>1\u202f212</strong> views" in page
    assert "<strong>810</strong> visitors" in page
    drawing = svg_of(page)
    assert len(drawing.findall("g")) == 30
    assert len(drawing.findall("g/rect[@class='views']")) == 3
    assert drawing.find("title") is not None
    assert "1\u202f200 views, 800 visitors" in (drawing.findtext("desc") or "")
    assert "style=" not in page
    assert page.count('<th scope="row">') == 30 + 1  # and one line says where from
    assert "1\u202f312" in bob.get(f"/posts/{slug}/readers?days=90").text


def test_twelve_months_are_shown_by_week(blog: Blog, slug: str, bob: Person) -> None:
    fill(blog, slug, dict.fromkeys(range(400), (2, 1)))
    drawing = svg_of(bob.get(f"/posts/{slug}/readers?days=365").text)
    assert len(drawing.findall("g")) == 52
    assert {bar.get("height") for bar in drawing.findall("g/rect[@class='views']")} == {
        drawing.findall("g/rect[@class='views']")[0].get("height")
    }
    assert "14 views, 7 visitors" in (drawing.findtext("g/title") or "")


def test_another_period_is_refused(slug: str, bob: Person) -> None:
    for period in ("", "7", "30;", "<b>", "9" * 99):
        for path in ("/readers", f"/posts/{slug}/readers"):
            assert bob.get(path, params={"days": period}).status_code == 422


def test_where_nobody_has_read_words_say_what_is_counted(slug: str, bob: Person) -> None:
    draft = bob.draft("Not yet")
    for path in ("/readers", f"/posts/{slug}/readers", f"/posts/{draft}/readers"):
        page = bob.get(path).text
        assert "Nobody has read here in this time." in page
        assert "What is counted, and what is not" in page
        assert "<svg" not in page


def test_hosts_are_shown_as_text_and_the_rest_together(blog: Blog, slug: str, bob: Person) -> None:
    fill(blog, slug, {0: (60, 50)})
    hosts = {f"site-{number}.example": 1 for number in range(25)}
    hosts |= {"<b>&\"'": 9, tallies.OTHERS: 4}
    with blog.database.writing() as db:
        db.add_all(
            PostReferrer(post_id=id_of(blog, slug), day=now().date(), host=host, views=views)
            for host, views in hosts.items()
        )
    page = bob.get(f"/posts/{slug}/readers").text
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<bdi>&lt;b&gt;&amp;&#34;&#39;</bdi></th><td>9</td>" in page
    assert "<em>Other sites</em></th><td>10</td>" in page
    assert "<em>Directly, or not told</em></th><td>22</td>" in page


def test_authors_see_their_own_and_those_who_look_after_all_see_all(
    blog: Blog, slug: str, alice: Person, bob: Person, mallory: Person, carol: Person
) -> None:
    other = mallory.write("Of Mallory")
    fill(blog, slug, {0: (5, 3)})
    fill(blog, other, {0: (8, 6), 3: (1, 1)})
    assert "The tides" in bob.get("/readers").text
    assert "Of Mallory" not in bob.get("/readers").text
    assert "<strong>5</strong> views" in bob.get("/readers").text
    page = alice.get("/readers").text
    assert page.index("Of Mallory") < page.index("The tides")
    assert "<strong>14</strong> views" in page
    assert alice.get(f"/posts/{slug}/readers").status_code == 200
    assert mallory.get(f"/posts/{slug}/readers").status_code == 403
    assert carol.get("/readers").status_code == 403
    bob.post(f"/posts/{slug}/delete")
    bob.get("/trash")  # which says so
    assert "The tides" not in bob.get("/readers").text


def test_an_old_address_leads_to_the_readers_too(slug: str, bob: Person) -> None:
    bob.edit(slug, slug="the-new-tides", action="publish")
    answer = bob.get(f"/posts/{slug}/readers")
    assert answer.headers["location"] == "/posts/the-new-tides/readers"


def test_the_way_there_is_on_the_desk_at_the_post_and_for_the_owner(
    blog: Blog, slug: str, alice: Person, bob: Person, stranger: Person
) -> None:
    assert 'href="/readers"' in bob.get("/drafts").text
    assert 'href="/readers"' in alice.get("/admin").text
    assert f'href="/posts/{slug}/readers"' in bob.get(f"/posts/{slug}").text
    assert "/readers" not in stranger.get(f"/posts/{slug}").text


def test_ones_own_numbers_are_in_ones_own_archive(blog: Blog, slug: str, bob: Person) -> None:
    from io import BytesIO
    from json import loads
    from zipfile import ZipFile

    fill(blog, slug, {0: (5, 3), 1: (2, 1)})
    with ZipFile(BytesIO(bob.get("/settings/export").content)) as archive:
        [first, second] = loads(archive.read("views.json"))
    assert (first["slug"], first["views"], first["visitors"]) == (slug, 2, 1)
    assert second["day"] == str(now().date())


def test_nothing_of_a_flush_waits_behind_another(blog: Blog, slug: str) -> None:
    """One that finds a post locked gives up at once and stores everything the next time."""
    if blog.database.is_sqlite:
        return  # there are no locks of rows there
    with blog.database.writing() as db:
        db.execute(text("SELECT id FROM posts FOR UPDATE"))
        read(reader(blog), f"/posts/{slug}")
        with pytest.raises(OperationalError):
            blog.app.state.counting.flush()
    assert counted(blog, slug) == (1, 1)

"""Pages such as About: beside the stream, at addresses of their own, linked at every foot."""

import re
import threading
import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError

from models import Post, now
from services import pages
from tests.blog import Blog, Person
from tests.programs import is_problem, new_token, program
from tests.test_costs import statements

PAGE = {"kind": "page"}


@pytest.fixture
def erin(alice: Person, blog: Blog) -> Person:
    return blog.person("erin", role="editor")


def in_a_month() -> str:
    return (now() + timedelta(days=30)).isoformat()


def foot(person: Person, path: str = "/") -> list[str]:
    """The pages of the blog's people that are linked at the foot of one."""
    page = person.get(path).text.partition('<footer class="site-footer">')[2]
    found = re.findall(r'href="(/[^"]*)"', page)
    own = {"", "feed.xml", *pages.RESERVED}
    return [each for each in found if each.strip("/") not in own]


def test_a_page_stands_at_its_own_address_without_date_and_author(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    answer = alice.post("/posts", {"title": "About", "content": "We *write*.", **PAGE})
    assert answer.headers["location"] == "/about"
    page = stranger.get("/about").text
    assert ">About</h1>" in page
    assert "<em>write</em>" in page
    assert f'rel="canonical" href="{blog.settings.link_base}/about"' in page
    for trace in ("<time", 'rel="author"', "min read", "/about/edit"):
        assert trace not in page
    assert "/posts/about/edit" in alice.get("/about").text


def test_it_stands_in_no_list(alice: Person, stranger: Person) -> None:
    alice.write("Canary", tags="canary-tag", series="Canary series", **PAGE)
    lists = ("/posts", "/users/alice", "/tags", "/series", "/api/v1/posts", "/api/v1/tags")
    for address in (*lists, "/api/v1/posts?author=alice"):
        answer = stranger.get(address)
        assert answer.status_code == 200
        page = answer.text.partition('<footer class="site-footer">')[0]
        assert "anary" not in page, address
    for address in ("/tags/canary-tag", "/series/canary-series"):
        assert stranger.get(address).status_code == 404
    assert stranger.get("/api/v1/posts/canary").json()["kind"] == "page"


def test_posts_and_pages_lead_to_where_they_are_read(alice: Person, stranger: Person) -> None:
    page, post = alice.write("About", **PAGE), alice.write("A post")
    for address, place in {
        f"/posts/{page}": "/about",
        "/ABOUT": "/about",
        "/about/": "/about",
        f"/{post}": "/posts/a-post",
        f"/posts/{alice.stored(page).id}": "/about",
        f"/{alice.stored(page).id}": "/about",
    }.items():
        answer = stranger.get(address)
        assert (answer.status_code, answer.headers["location"]) == (301, place), address


def test_old_addresses_lead_straight_to_the_newest(alice: Person, stranger: Person) -> None:
    alice.write("About", **PAGE)
    alice.edit("about", slug="about-us", action="publish", **PAGE)
    alice.edit("about-us", slug="imprint", action="publish")
    for old in ("/about", "/about-us", "/posts/about", "/posts/about-us"):
        answer = stranger.get(old)
        assert (answer.status_code, answer.headers["location"]) == (301, "/imprint")
    alice.edit("imprint", kind="post", action="publish")
    for old in ("/about", "/imprint", "/posts/about"):
        assert stranger.get(old).headers["location"] == "/posts/imprint"
    assert "imprint" in stranger.get("/posts").text
    alice.edit("imprint", action="publish", **PAGE)
    assert stranger.get("/posts/imprint").headers["location"] == "/imprint"


def test_a_page_is_drafted_staged_and_previewed_like_a_post(
    alice: Person, stranger: Person, mallory: Person
) -> None:
    slug = alice.draft("About", "First.", **PAGE)
    missing = stranger.get("/never-was")
    for reader in (stranger, mallory):
        assert reader.get("/about").status_code == 404
    assert stranger.get("/about").content == missing.content
    assert stranger.get("/posts/about").content == missing.content
    assert "First." in alice.get("/about").text
    assert "About" in alice.get("/drafts").text
    alice.edit(slug, action="publish")
    alice.edit(slug, content="Second.")
    assert "First." in stranger.get("/about").text
    alice.edit(slug, content="Second.", action="publish")
    assert "Second." in stranger.get("/about").text


def test_a_post_becomes_a_page_with_the_update(alice: Person, stranger: Person) -> None:
    slug = alice.write("Imprint", series="Knots")
    alice.post(f"/posts/{slug}/pin")
    alice.edit(slug, **PAGE)
    assert stranger.get("/posts/imprint").status_code == 200
    assert re.search(r'value="page" selected', alice.get(f"/posts/{slug}/edit").text)
    alice.edit(slug, action="publish", **PAGE)
    assert stranger.get("/imprint").status_code == 200
    stored = alice.stored(slug)
    assert (stored.series_id, stored.pinned_at) == (None, None)


def test_a_page_is_thrown_away_and_comes_back(alice: Person, stranger: Person) -> None:
    alice.write("About", **PAGE)
    alice.post("/posts/about/delete")
    assert stranger.get("/about").status_code == 410
    assert stranger.get("/posts/about").status_code == 410
    assert foot(stranger) == []
    alice.post("/posts/about/restore")
    assert foot(stranger) == ["/about"]


def test_only_editors_and_the_owner_make_pages(
    alice: Person, bob: Person, erin: Person, blog: Blog
) -> None:
    answer = bob.post("/posts", {"title": "Mine", "content": "Kept words.", **PAGE})
    assert answer.status_code == 422
    assert "Only editors and the owner" in answer.text
    assert "Kept words." in answer.text
    post, draft = bob.write("A post"), bob.draft("A draft")
    for slug, action in ((post, "save"), (post, "publish"), (draft, "save")):
        assert bob.edit(slug, action=action, **PAGE).status_code == 422
    assert not any(each.is_page for each in blog.rows(Post))
    assert 'name="kind"' not in bob.get("/posts/new").text
    assert 'name="kind"' in erin.get("/posts/new").text
    erin.edit(draft, action="publish", **PAGE)
    assert bob.edit(draft, content="My words.", action="publish").status_code == 303
    assert bob.edit(draft, action="publish", **PAGE).status_code == 303  # it is one already
    assert bob.edit(draft, action="publish", kind="post").status_code == 422


def test_a_program_makes_pages_only_with_that_scope(alice: Person, blog: Blog) -> None:
    sent = {"title": "About", "content": "c", **PAGE}
    weak = program(blog, new_token(alice))
    assert is_problem(weak.client.post("/api/v1/posts", json=sent), 422)
    slug = alice.write()
    change = {"version": 1, "action": "publish", **PAGE}
    assert is_problem(weak.client.patch(f"/api/v1/posts/{slug}", json=change), 422)
    strong = program(blog, new_token(alice, "posts:read", "posts:write", "posts:edit_any"))
    made = strong.client.post("/api/v1/posts", json=sent).json()
    assert (made["kind"], made["url"].endswith("/about")) == ("page", True)
    assert not made["url"].endswith("/posts/about")


def test_no_page_stands_in_the_way_of_our_own_addresses(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    """Of all that the table of routes begins with, and of what is planned."""
    first = {path.strip("/").partition("/")[0] for _, path in blog.routes()}
    first = {segment for segment in first if segment and "{" not in segment}
    ours = {segment for segment in first if re.fullmatch("[a-z0-9-]+", segment)}
    assert {"posts", "auth", "tags", "series", "admin", "api"} <= ours
    assert ours <= pages.RESERVED | {"openapi"}
    slug = alice.write("Other", **PAGE)
    for segment in sorted(ours | pages.RESERVED | {"static"}):
        new = alice.post("/posts", {"title": "T", "content": "Kept.", "slug": segment, **PAGE})
        assert new.status_code == 422, segment
        assert "belongs to the blog itself" in new.text
        assert alice.edit(slug, slug=segment.upper(), action="publish").status_code == 422
    assert [post.slug for post in blog.rows(Post)] == [slug]


@pytest.mark.parametrize(
    ("title", "address"),
    [
        ("Settings", "/page-settings"),
        ("Archive", "/page-archive"),
        ("New", "/page-new"),
        ("!!!", "/page"),
        ("Über uns", "/uber-uns"),
    ],
)
def test_an_address_made_of_a_title_is_never_one_of_ours(
    alice: Person, stranger: Person, title: str, address: str
) -> None:
    answer = alice.post("/posts", {"title": title, "content": "c", **PAGE})
    assert answer.headers["location"] == address
    assert stranger.get(address).status_code == 200


def test_a_post_at_an_address_of_ours_does_not_become_a_page_there(alice: Person) -> None:
    slug = alice.write("Settings")
    assert slug == "settings"
    assert alice.edit(slug, action="publish", **PAGE).status_code == 422
    assert alice.edit(slug, slug="our-settings", action="publish", **PAGE).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/wp-login.php",
        "/favicon.png",
        "/a_b",
        "/-",
        "/" + "x" * 121,
        "/%C3%BC",
        "/a%20b",
        "/a/b",
        "/%F0%9F%8C%8A",
    ],
)
def test_what_cannot_be_a_page_is_missing_without_a_query(
    alice: Person, stranger: Person, blog: Blog, path: str
) -> None:
    missing = stranger.get("/never-was")
    assert missing.status_code == 404
    blog.know_pages()
    with statements(blog) as found:
        answer = stranger.get(path)
    assert (answer.status_code, answer.content) == (404, missing.content)
    assert found == []


def test_an_unknown_page_costs_two_queries(alice: Person, stranger: Person, blog: Blog) -> None:
    blog.know_pages()
    with statements(blog) as found:
        assert stranger.get("/never-was").status_code == 404
    assert len([each for each in found if "public_version" not in each]) <= 2


def test_every_page_links_to_the_pages_by_their_titles(
    alice: Person, stranger: Person, bob: Person
) -> None:
    alice.write("Imprint", **PAGE)
    alice.write("About & more", **PAGE)
    alice.draft("Canary", **PAGE)
    later = {"action": "schedule", "publish_at": in_a_month()}
    hidden = alice.post("/posts", {"title": "Canary later", "content": "c", **PAGE, **later})
    assert hidden.status_code == 303
    for path in ("/", "/posts/nothing", "/auth/login", "/tags"):
        assert foot(stranger, path) == ["/about-more", "/imprint"]
    assert foot(bob, "/settings") == ["/about-more", "/imprint"]
    assert "About &amp; more" in stranger.get("/").text


def test_what_changes_shows_at_once(alice: Person, stranger: Person) -> None:
    alice.write("About", **PAGE)
    assert foot(stranger) == ["/about"]
    alice.edit("about", title="Imprint", slug="imprint", action="publish")
    assert foot(stranger) == ["/imprint"]
    alice.edit("imprint", action="unpublish")
    assert foot(stranger) == []


def test_what_another_process_changes_shows_within_a_second(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    assert foot(stranger) == []
    with blog.beside() as other:
        writer = alice.copy()
        writer.client.base_url = other.url
        writer.write("About", **PAGE)
    assert blog.app.state.pages.good_until - time.monotonic() <= 1
    time.sleep(1)
    assert foot(stranger) == ["/about"]


def test_most_requests_do_not_ask_for_the_links(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    alice.write("About", **PAGE)
    blog.know_pages()
    blog.app.state.pages.forget()
    with statements(blog) as found:
        for _ in range(5):
            stranger.get("/auth/login")
    assert len(found) == 1


def test_the_links_stay_when_the_database_is_away(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    alice.write("About", **PAGE)
    assert foot(stranger) == ["/about"]
    away = OperationalError("SELECT", {}, Exception("away"))
    with patch.object(pages, "links", side_effect=away) as asked:
        blog.app.state.pages.forget()
        for _ in range(3):
            assert foot(stranger, "/auth/login") == ["/about"]
        assert asked.call_count == 1  # nobody waits for it again and again
    blog.app.state.pages.forget()


def test_while_one_waits_for_the_links_others_get_the_last_ones(alice: Person, blog: Blog) -> None:
    alice.write("About", **PAGE)
    known = blog.app.state.pages
    assert [link.path for link in known.now()] == ["/about"]
    asked, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> list[pages.Link]:
        asked.set()
        assert go_on.wait(10)
        return []

    with patch.object(pages, "links", slowly):
        known.forget()
        waiting = threading.Thread(target=known.now)
        waiting.start()
        assert asked.wait(10)
        assert [link.path for link in known.now()] == ["/about"]
        known.forget()  # what is being read is old already
        go_on.set()
        waiting.join()
    assert [link.path for link in known.now()] == ["/about"]


def test_a_scheduled_page_is_linked_from_its_moment_on(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    later = {"action": "schedule", "publish_at": in_a_month()}
    alice.post("/posts", {"title": "About", "content": "c", **PAGE, **later})
    assert foot(stranger) == []
    assert stranger.get("/about").status_code == 404
    blog.put(Post, published_at=now(), first_published_at=now())
    blog.app.state.pages.forget()
    assert foot(stranger) == ["/about"]
    assert stranger.get("/about").status_code == 200


def test_a_program_reads_a_page_by_its_old_address(alice: Person, stranger: Person) -> None:
    alice.write("About", **PAGE)
    alice.edit("about", slug="imprint", action="publish")
    answer = stranger.get("/api/v1/posts/about", follow_redirects=True)
    assert answer.json()["url"].endswith("/imprint")

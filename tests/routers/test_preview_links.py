"""Secret links: whoever has one reads a text before it is published, and nobody else."""

import re
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models import Post
from tests.blog import Blog, Person
from tests.people import ALICE
from tests.processes import json_lines, serving

NOWHERE = "A" * 22


def link_to(person: Person, slug: str) -> str:
    """The path of a post's secret link, made if there is none yet."""
    assert person.post(f"/posts/{slug}/preview-link").status_code == 303
    page = person.get(f"/posts/{slug}/edit").text
    [link] = re.findall(r'value="http://[^"]+(/preview/[^"]+)"', page)
    return str(link)


def leads_nowhere(person: Person, link: str) -> bool:
    found, none = person.get(link), person.get(f"/preview/{NOWHERE}")
    return (found.status_code, found.content) == (404, none.content)


def test_whoever_has_the_link_reads_the_draft(
    alice: Person, bob: Person, mallory: Person, carol: Person, stranger: Person
) -> None:
    slug = bob.draft("Under wraps", "Not *yet*.", tags="tides")
    link = link_to(bob, slug)
    for somebody in (stranger, carol, mallory, alice, bob):
        page = somebody.get(link)
        assert page.status_code == 200
        assert "Not <em>yet</em>." in page.text
        assert "Preview: this page is a secret until it is published." in page.text
        assert f"/posts/{slug}" not in page.text
    assert stranger.get(f"/posts/{slug}").status_code == 404


def test_a_link_is_128_bits_of_chance_and_stays_until_it_is_revoked(alice: Person) -> None:
    slugs = [alice.draft(f"Draft {number}") for number in range(20)]
    links = [link_to(alice, slug) for slug in slugs]
    assert len(set(links)) == 20
    assert all(re.fullmatch(r"/preview/[A-Za-z0-9_-]{22}", link) for link in links)
    assert [link_to(alice, slug) for slug in slugs] == links


def test_many_who_make_a_link_at_once_get_the_same_one(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    with ThreadPoolExecutor(8) as pool:
        links = set(pool.map(lambda _: link_to(alice, slug), range(16)))
    assert len(links) == 1
    assert alice.stored(slug).version == 1  # nobody's edit is stale for that


def test_a_link_that_is_not_quite_right_leads_nowhere(alice: Person, stranger: Person) -> None:
    link = link_to(alice, alice.draft())
    for end in range(len("/preview/"), len(link)):
        other = "A" if link[end] != "A" else "B"
        assert leads_nowhere(stranger, link[:end] + other + link[end + 1 :])
    for wrong in (
        link[:-1],
        link + "A",
        link + "%00",
        link.swapcase().replace("PREVIEW", "preview"),
    ):
        assert leads_nowhere(stranger, wrong), wrong
    # The last character holds four bits: no other way to write the same ones is taken.
    for last in string.ascii_letters + string.digits + "-_":
        assert leads_nowhere(stranger, link[:-1] + last) == (last != link[-1])
    assert leads_nowhere(stranger, "/preview/" + "A" * 5_000)
    assert leads_nowhere(stranger, "/preview/%E9%FF")


def test_a_revoked_link_leads_nowhere_and_the_next_one_is_another(
    alice: Person, stranger: Person
) -> None:
    slug = alice.draft()
    link = link_to(alice, slug)
    assert alice.post(f"/posts/{slug}/preview-link/delete").status_code == 303
    assert leads_nowhere(stranger, link)
    assert "Make a secret link" in alice.get(f"/posts/{slug}/edit").text
    assert link_to(alice, slug) != link


def test_only_those_who_may_edit_make_and_revoke_links(
    alice: Person, bob: Person, mallory: Person, carol: Person, stranger: Person
) -> None:
    slug, public = bob.draft(), bob.write()
    link = link_to(bob, slug)
    for address in (f"/posts/{slug}/preview-link", f"/posts/{slug}/preview-link/delete"):
        assert mallory.post(address).status_code == 404
        assert carol.post(address).status_code == 403
        assert stranger.post(address).headers["location"].startswith("/auth/login")
    assert mallory.post(f"/posts/{public}/preview-link").status_code == 403
    assert alice.get(link).status_code == 200
    alice.post(f"/posts/{slug}/preview-link/delete")
    assert leads_nowhere(stranger, link)


def test_it_shows_what_is_staged(alice: Person, stranger: Person) -> None:
    slug = alice.write("Old title", "Old words.", tags="old")
    link = link_to(alice, slug)
    assert stranger.get(link).headers["location"] == f"/posts/{slug}"
    alice.edit(slug, title="New title", content="New `words`.", tags="New & shiny")
    page = stranger.get(link).text
    for new in (">New title</h1>", "New <code>words</code>.", "New &amp; shiny"):
        assert new in page
    assert "Old" not in page
    assert "Old title" in stranger.get(f"/posts/{slug}").text
    alice.edit(slug, title="New title", content="New words.", action="publish")
    assert stranger.get(link).status_code == 303


def test_it_looks_as_the_published_page_will(alice: Person, stranger: Person) -> None:
    slug = alice.draft("Looks", "## Part\n\nWords[^1].\n\n[^1]: Note.", tags="one, two")
    link = link_to(alice, slug)
    preview = article(stranger.get(link).text)
    alice.edit(
        slug, content="## Part\n\nWords[^1].\n\n[^1]: Note.", tags="one, two", action="publish"
    )
    published = article(stranger.get(f"/posts/{slug}").text)
    dated = "<time [^>]*>[^<]*</time>"
    secret = r'<p class="state">Preview:[^<]*</p>'
    shared = r'(?s)<details class="share".*?</details>'
    published = re.sub(shared, "", re.sub(dated, "", published, count=1))
    published = re.sub("<data [^>]*></data>", "", published)  # for programs that read it
    assert squeezed(re.sub(secret, "", preview)) == squeezed(published)


def article(page: str) -> str:
    return page.partition("<article")[2].partition("</article>")[0]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_scheduled_post_is_shown_until_it_is_public(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    at = datetime.now(UTC) + timedelta(days=1)
    slug = alice.write(action="schedule", publish_at=at.isoformat())
    link = link_to(alice, slug)
    assert stranger.get(link).status_code == 200
    blog.put(Post, published_at=datetime.now(UTC), first_published_at=datetime.now(UTC))
    answer = stranger.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{slug}")
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_in_the_trash_or_erased_is_not_shown(
    bob: Person, alice: Person, stranger: Person
) -> None:
    draft, known = bob.draft(), bob.write("Known")
    links = [link_to(bob, draft), link_to(bob, known)]
    bob.post(f"/posts/{draft}/delete")
    bob.get("/")  # reads what was said about it, so that pages can be compared
    assert leads_nowhere(stranger, links[0])
    assert leads_nowhere(bob, links[0])
    assert bob.post(f"/posts/{draft}/preview-link").status_code == 404
    bob.post(f"/posts/{draft}/restore")
    assert stranger.get(links[0]).status_code == 200
    bob.post("/settings/delete", {"password": "a quay in the north", "posts": "delete"})
    assert all(leads_nowhere(stranger, link) for link in links)


def test_no_search_engine_cache_or_other_site_learns_of_it(alice: Person, stranger: Person) -> None:
    link = link_to(alice, alice.draft())
    for method in ("GET", "HEAD"):
        headers = stranger.client.request(method, link).headers
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in headers
        assert "etag" not in headers
    page = stranger.get(link).text
    assert '<meta name="robots" content="noindex, nofollow">' in page
    assert 'rel="canonical"' not in page
    assert "no-store" in alice.get(link).headers["cache-control"]


def test_no_link_is_logged(tmp_path: Path) -> None:
    with serving(
        tmp_path, ENVIRONMENT="production", SECRET_KEY="k3Jx" * 9 + "-Zq8", BCRYPT_COST=10
    ) as server:
        cookies = server.register(ALICE)
        form = {"title": "Unseen", "content": "Words.", "action": "draft"}
        assert server.post("/posts", form, cookies).status == 303
        assert server.post("/posts/unseen/preview-link", {}, cookies).status == 303
        page = server.get("/posts/unseen/edit", cookies).text
        [token] = re.findall(r"/preview/([\w-]{22})", page)
        assert server.get(f"/preview/{token}").status == 200
        assert server.get(f"/preview/{token}x").status == 404
        server.stop()
    paths = [line.get("path") for line in json_lines(server.log)]
    assert paths.count("/preview/…") == 2
    assert token not in server.log


def test_programs_see_the_link(alice: Person, stranger: Person) -> None:
    slug = alice.draft()
    assert alice.get(f"/api/v1/posts/{slug}").json()["working"]["preview_url"] is None
    link = link_to(alice, slug)
    found = alice.get(f"/api/v1/posts/{slug}").json()["working"]["preview_url"]
    assert found == alice.blog.settings.link_base + link
    alice.edit(slug, action="publish")
    assert link not in stranger.get(f"/api/v1/posts/{slug}").text
    assert link not in stranger.get(f"/posts/{slug}").text


@pytest.mark.parametrize("staged", [{}, {"title": "Only"}, {"content": "Only"}])
def test_whatever_is_staged_the_page_comes(
    alice: Person, stranger: Person, blog: Blog, staged: dict[str, str]
) -> None:
    link = link_to(alice, alice.draft("Stored"))
    blog.put(Post, staged=staged)
    assert stranger.get(link).status_code == 200

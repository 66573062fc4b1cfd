"""Pinned posts: first on the front page, marked, once, and only what readers may see."""

import re

import pytest

from models import Post
from services.streams import MOST_PINNED
from tests.blog import Blog, Person


@pytest.fixture
def erin(alice: Person, blog: Blog) -> Person:
    return blog.person("erin", role="editor")


def listed(page: str) -> list[str]:
    return re.findall(
        r'<h2 class="p-name" dir="auto"><a class="u-url" href="/posts/([^"]+)">', page
    )


def pin(person: Person, slug: str) -> int:
    return person.post(f"/posts/{slug}/pin").status_code


def test_pinned_posts_come_first_the_newest_pin_before_the_others(
    bob: Person, erin: Person, stranger: Person
) -> None:
    one, two, three = (bob.write(title) for title in ("One", "Two", "Three"))
    assert listed(stranger.get("/").text) == [three, two, one]
    assert (pin(erin, one), pin(erin, two)) == (303, 303)
    page = stranger.get("/").text
    assert listed(page) == [two, one, three]
    assert page.count(">Pinned<") == 2
    assert "Unpin from the front page" in erin.get(f"/posts/{one}").text
    assert erin.post(f"/posts/{two}/unpin").status_code == 303
    assert listed(stranger.get("/").text) == [one, three, two]


def test_pinning_twice_is_pinning_once(bob: Person, erin: Person, stranger: Person) -> None:
    one, two = bob.write("One"), bob.write("Two")
    for slug in (one, two, one):
        pin(erin, slug)
    assert listed(stranger.get("/").text) == [two, one]


def test_a_pinned_post_stands_on_no_other_page(bob: Person, erin: Person, stranger: Person) -> None:
    slugs = [bob.write(f"Post {number}") for number in range(23)]
    pin(erin, slugs[0])
    first = stranger.get("/").text
    assert listed(first) == [slugs[0], *reversed(slugs[3:])]
    [following] = re.findall(r'<a rel="next" href="([^"]+)"', first)
    second = stranger.get(following).text
    assert listed(second) == [slugs[2], slugs[1]]
    [back] = re.findall(r'<a rel="prev" href="([^"]+)"', second)
    assert listed(stranger.get(back).text) == listed(first)
    in_order = [item["slug"] for item in stranger.get("/api/v1/posts").json()["items"]]
    assert in_order == [*reversed(slugs[3:])]  # programs get the plain order


def test_only_what_is_public_shows(bob: Person, erin: Person, stranger: Person, blog: Blog) -> None:
    slug = bob.write("One", content="Canary.")
    pin(erin, slug)
    bob.edit(slug, action="unpublish")
    assert "Canary" not in stranger.get("/").text
    bob.edit(slug, action="publish")
    assert ">Pinned<" in stranger.get("/").text
    bob.post(f"/posts/{slug}/delete")
    assert "One" not in stranger.get("/").text


def test_drafts_and_pages_are_not_pinned(alice: Person, bob: Person) -> None:
    for slug in (bob.draft(), alice.write("About", kind="page")):
        answer = alice.post(f"/posts/{slug}/pin")
        assert answer.status_code == 409
        assert "Only a published post can be pinned" in answer.text


def test_five_are_enough(bob: Person, erin: Person, stranger: Person) -> None:
    slugs = [bob.write(f"Post {number}") for number in range(MOST_PINNED + 1)]
    assert [pin(erin, slug) for slug in slugs] == [303] * MOST_PINNED + [409]
    bob.post(f"/posts/{slugs[0]}/delete")  # what readers do not see is not counted
    assert pin(erin, slugs[-1]) == 303
    bob.post(f"/posts/{slugs[0]}/restore")
    assert stranger.get("/").text.count(">Pinned<") == MOST_PINNED


def test_only_editors_and_the_owner_pin(
    alice: Person, bob: Person, carol: Person, stranger: Person, blog: Blog
) -> None:
    slug = bob.write()
    assert (pin(bob, slug), pin(carol, slug), pin(alice, slug)) == (403, 403, 303)
    assert stranger.post(f"/posts/{slug}/unpin").headers["location"].startswith("/auth/login")
    assert bob.post(f"/posts/{slug}/unpin").status_code == 403
    assert "Unpin" not in bob.get(f"/posts/{slug}").text
    assert blog.rows(Post)[0].pinned_at
    assert blog.rows(Post)[0].version == 1


def test_a_front_page_of_pinned_posts_alone_is_not_empty(alice: Person, stranger: Person) -> None:
    pin(alice, alice.write("Only"))
    assert listed(stranger.get("/").text) == ["only"]
    assert "No posts yet" not in stranger.get("/").text

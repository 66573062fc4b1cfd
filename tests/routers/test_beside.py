"""What stands around a post for whoever has read it: neighbours, related posts, contents, sharing."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from models import Post, now
from tests.blog import Blog, Person

SECTIONS = "## One\n\n{words}\n\n### Within\n\n{words}\n\n## *Two* & more\n\n{words}"
LONG = SECTIONS.format(words="word " * 250)


def links(page: str, name: str) -> list[str]:
    """The slugs in the part of a page with this class."""
    part = re.search(rf'<(nav|section) class="{name}".*?</\1>', page, re.S)
    return re.findall(r'href="/posts/([^"]+)"', part[0]) if part else []


def write_all(alice: Person, *posts: tuple[str, str]) -> None:
    """The first of them is the oldest."""
    for number, (title, tags) in enumerate(posts):
        slug = alice.write(title, tags=tags)
        moment = now() - timedelta(days=len(posts) - number)
        with alice.blog.database.writing() as db:
            db.execute(
                update(Post)
                .filter_by(slug=slug)
                .values(published_at=moment, first_published_at=moment)
            )


def test_a_post_leads_to_the_ones_before_and_after_it(alice: Person, stranger: Person) -> None:
    write_all(alice, ("One", ""), ("Two", ""), ("Three", ""))
    alice.draft("Hidden")
    alice.write("About", kind="page")
    for slug, around in {"one": ["two"], "two": ["one", "three"], "three": ["two"]}.items():
        assert links(stranger.get(f"/posts/{slug}").text, "in-time") == around


def test_two_posts_of_the_same_moment_are_neighbours(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    write_all(alice, ("One", ""), ("Two", ""), ("Three", ""))
    blog.put(Post, published_at=now() - timedelta(hours=1))
    around = {
        slug: links(stranger.get(f"/posts/{slug}").text, "in-time")
        for slug in ("one", "two", "three")
    }
    assert sorted(len(each) for each in around.values()) == [1, 1, 2]


def test_related_posts_share_most_tags_and_are_the_newest(alice: Person, stranger: Person) -> None:
    write_all(
        alice,
        ("Old twin", "sea, wood"),
        ("Alone", "else"),
        ("Wood one", "wood"),
        ("Sea one", "sea"),
        ("Sea two", "sea"),
        ("Sea three", "sea"),
        ("This", "sea, wood"),
        ("Next", "sea"),
    )
    page = stranger.get("/posts/this").text
    # Its neighbours in time are linked below them already.
    assert links(page, "in-time") == ["sea-three", "next"]
    assert links(page, "related") == ["old-twin", "sea-two", "sea-one"]
    assert links(stranger.get("/posts/alone").text, "related") == []


def test_what_is_hidden_is_beside_nothing(alice: Person, stranger: Person) -> None:
    write_all(alice, ("Before", "sea"), ("This", "sea"), ("After", "sea"))
    alice.edit("before", action="unpublish")
    alice.post("/posts/after/delete")
    page = stranger.get("/posts/this").text
    assert links(page, "in-time") == links(page, "related") == []


def test_a_draft_has_nothing_beside_it(alice: Person) -> None:
    write_all(alice, ("Before", "sea"))
    page = alice.get(f"/posts/{alice.draft('Draft', tags='sea')}").text
    assert links(page, "in-time") == links(page, "related") == []
    assert 'class="share"' not in page


def test_a_long_text_has_contents(alice: Person, stranger: Person) -> None:
    page = stranger.get(f"/posts/{alice.write('Long', LONG)}").text
    contents = re.search(r'<nav class="contents-of".*?</nav>', page, re.S)
    assert contents
    assert re.findall(r'<a href="#([^"]+)">([^<]+)</a>', contents[0]) == [
        ("h-one", "One"),
        ("h-within", "Within"),
        ("h-two-more", "Two &amp; more"),
    ]


@pytest.mark.parametrize(
    "content",
    [SECTIONS.format(words="word"), "## One\n\n" + "word " * 900, "[TOC]\n\n" + LONG],
    ids=["short", "one section", "has its own"],
)
def test_a_text_that_needs_no_contents_has_none(
    alice: Person, stranger: Person, content: str
) -> None:
    assert "contents-of" not in stranger.get(f"/posts/{alice.write('Text', content)}").text


def test_share_links_carry_title_and_address_whatever_is_in_them(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    title = 'A & B? #1 "100 %" <x> ü'
    slug = alice.write(title)
    page = stranger.get(f"/posts/{slug}").text
    url = f"{blog.settings.link_base}/posts/{slug}"
    share = page.partition('<details class="share"')[2].partition("</details>")[0]
    found = [unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', share)]
    assert len(found) == 5
    said = [urlsplit(each) for each in found]
    assert parse_qs(said[0].query) == {"subject": [title], "body": [url]}
    assert parse_qs(said[1].fragment)["text"] == [f"{title} {url}"]
    assert parse_qs(said[2].query)["text"] == [f"{title} {url}"]
    assert parse_qs(said[3].query)["url"] == [url]
    assert parse_qs(said[4].query) == {"u": [url], "t": [title]}


def test_a_change_on_another_day_is_told(alice: Person, blog: Blog, stranger: Person) -> None:
    slug = alice.write("Text", "Before.")
    assert "Updated" not in stranger.get(f"/posts/{slug}").text
    alice.edit(slug, content="After.", action="publish")
    assert "Updated" not in stranger.get(f"/posts/{slug}").text
    blog.put(Post, published_at=now() - timedelta(days=3))
    assert "Updated <time" in stranger.get(f"/posts/{slug}").text


def test_the_first_image_is_not_put_off(alice: Person, stranger: Person) -> None:
    picture = alice.image()["markdown"]
    two = f"Words.\n\n{picture}\n\n{picture}"
    page = stranger.get(f"/posts/{alice.write('Two', two)}").text
    assert page.count('fetchpriority="high"') == page.count('loading="lazy"') == 1
    below = "word " * 400 + f"\n\n{picture}"
    page = stranger.get(f"/posts/{alice.write('Below', below)}").text
    assert "fetchpriority" not in page

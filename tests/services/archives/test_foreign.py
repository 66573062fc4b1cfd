"""What Jekyll and Hugo have written."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from errors import Invalid
from models import Media, Post
from services import posts, tags
from services.archives.planning import Plan
from tests.archives import picture, unpack
from tests.blog import Blog, Person
from tests.people import ALICE, BOB


def write(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def stored(blog: Blog) -> dict[str, Post]:
    return {post.slug: post for post in blog.rows(Post)}


JEKYLL = """\
---
layout: post
title:  "Tides: a start"
date:   2024-05-01 10:00:00 +0200
categories: harbour
tags: tides moon
description: Not for us.
---

Words.
"""
HUGO = """\
+++
title = "Varnish"
date = 2023-01-02T03:04:05Z
lastmod = 2023-02-03
tags = ["wood", "C++"]
draft = false
slug = "old-varnish"
[params]
  colour = "red"
+++
# Varnish

![A board](board.png "Nine coats") and <img src="board.png" alt="again">
![Nowhere](gone.jpg) [a link](board.png) ![Away](https://away.example/x.png)
"""


def test_a_post_of_jekyll(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "_posts/2024-05-01-tides.md", JEKYLL)
    plan = unpack(blog.database, tmp_path)
    post = stored(blog)["tides"]
    assert (post.title, post.content) == ("Tides: a start", "Words.\n")
    assert post.published_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert post.updated_at == post.created_at == post.published_at
    with blog.database.reading() as db:
        assert [tag.name for tag in tags.of_post(db, post.id)] == ["tides", "moon", "harbour"]
    assert plan.unknown == {"description": 1}
    assert alice.get("/posts/tides").status_code == 200


def test_a_bundle_of_hugo_with_its_image(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "content/posts/varnish/index.md", HUGO)
    write(tmp_path, "content/posts/varnish/board.png", picture(80, 60, "PNG"))
    plan = unpack(blog.database, tmp_path)
    post = stored(blog)["old-varnish"]
    [image] = blog.rows(Media)
    assert image.name == "board-80x60.webp"
    address = f"/media/{image.id}/{image.name}"
    assert post.content.count(address) == 3
    assert f'![A board]({address} "Nine coats")' in post.content
    assert "![Nowhere](gone.jpg)" in post.content
    assert "https://away.example/x.png" in post.content
    assert blog.visitor().get(address).headers["content-type"] == "image/webp"
    assert [note for note in plan.archive.report.notes if note.startswith("gone.jpg")]
    assert post.updated_at == datetime(2023, 2, 3, tzinfo=UTC)
    assert plan.unknown == {"params": 1}


def test_a_time_without_an_offset_is_one_of_the_blog(
    alice: Person, blog: Blog, tmp_path: Path
) -> None:
    write(tmp_path, "2024-07-01-summer.md", "---\ntitle: Summer\n---\nWords.")
    unpack(blog.database, tmp_path, time_zone="Europe/Berlin")
    assert stored(blog)["summer"].published_at == datetime(2024, 6, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("_drafts/hidden.md", "title: Hidden"),
        ("hidden.md", "title: Hidden"),  # it does not say since when it is public
        ("2024-01-01-hidden.md", "title: Hidden\ndraft: true"),
        ("2024-01-01-hidden.md", "title: Hidden\npublished: false"),
        ("_drafts/2024-01-01-hidden.md", "title: Hidden"),
    ],
)
def test_drafts_stay_drafts(
    name: str, head: str, alice: Person, blog: Blog, tmp_path: Path
) -> None:
    write(tmp_path, name, f"---\n{head}\n---\nWords.")
    unpack(blog.database, tmp_path)
    assert not stored(blog)["hidden"].is_published
    assert blog.visitor().get("/posts/hidden").status_code == 404


def test_a_date_to_come_is_a_schedule(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "later.md", "---\ntitle: Later\ndate: 2031-05-01\n---\nWords.")
    unpack(blog.database, tmp_path)
    assert stored(blog)["later"].is_scheduled


def test_authors_are_those_who_have_an_account(
    alice: Person, bob: Person, blog: Blog, tmp_path: Path
) -> None:
    write(tmp_path, "a.md", f"---\ntitle: A\nauthor: {BOB.title()}\n---\nWords.")
    write(tmp_path, "b.md", "---\ntitle: B\nauthor: Somebody\n---\nWords.")
    write(tmp_path, "c.md", "---\ntitle: C\n---\nWords.")
    unpack(blog.database, tmp_path)
    with blog.database.reading() as db:
        found = {slug: posts.page_of(db, post).author for slug, post in stored(blog).items()}
    assert {slug: who.username for slug, who in found.items()} == {"a": BOB, "b": ALICE, "c": ALICE}


def test_two_posts_of_one_name_get_two_addresses(alice: Person, blog: Blog, tmp_path: Path) -> None:
    for year in (2023, 2024):
        write(tmp_path, f"_posts/{year}-01-01-hello.md", f"---\ntitle: {year}\n---\nWords.")
    unpack(blog.database, tmp_path)
    assert {slug: post.title for slug, post in stored(blog).items()} == {
        "hello": "2023",
        "hello-2": "2024",
    }
    assert unpack(blog.database, tmp_path).here == 2


def test_what_is_no_text_is_left_aside(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "README.md", "# Read me")
    write(tmp_path, "index.html", "<p>")
    write(tmp_path, "posts/_index.md", "---\ntitle: All posts\n---\n")
    assert plan_of(blog, tmp_path).texts == []


def test_an_image_that_is_none_stays_as_it_is(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "a.md", "---\ntitle: A\n---\n![x](/img/x.png) ![y](img/y.svg)")
    write(tmp_path, "static/img/x.png", b"no image")
    write(tmp_path, "img/y.svg", b"<svg/>")
    plan = unpack(blog.database, tmp_path)
    assert "![x](/img/x.png) ![y](img/y.svg)" in stored(blog)["a"].content
    assert len(plan.archive.report.notes) == 2


def test_no_text_reaches_out_of_the_archive(alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "out.png", picture(9, 9, "PNG"))
    write(tmp_path, "site/a.md", "---\ntitle: A\n---\n![x](../out.png) ![y](/../out.png)")
    unpack(blog.database, tmp_path / "site")
    assert blog.rows(Media) == []


def test_template_language_is_text(alice: Person, blog: Blog, tmp_path: Path) -> None:
    nasty = "{{ 7 * 7 }} {% include x %} {{< figure >}} ${7*7}"
    write(tmp_path, "a.md", f'---\ntitle: "{nasty}"\ntags: ["{{{{7*7}}}}"]\n---\n{nasty}')
    unpack(blog.database, tmp_path)
    page = alice.get("/posts/a").text
    assert "{{ 7 * 7 }}" in page
    assert "{{7*7}}" in page
    assert "49" not in page.replace("449", "").partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("head", ["title: A\ndate: soon", "title: A\ntags: [" + "x" * 51 + "]"])
def test_a_mistake_names_its_file(head: str, alice: Person, blog: Blog, tmp_path: Path) -> None:
    write(tmp_path, "a.md", f"---\n{head}\n---\nWords.")
    with pytest.raises(Invalid) as caught:
        unpack(blog.database, tmp_path)
    assert [line for line in caught.value.fields.values() if line.startswith("a.md: ")]


def plan_of(blog: Blog, folder: Path) -> Plan:
    return unpack(blog.database, folder, dry_run=True)

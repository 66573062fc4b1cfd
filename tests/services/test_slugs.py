"""Addresses of posts: made of titles, changed, and never another post's."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from errors import Conflict, Gone, Moved, NotFound
from models import Post, User
from services import posts, slugs, texts, trash, writing
from services.texts import NewPost, PostEdit
from tests.blog import Blog, Person

SHAPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@given(st.text(max_size=300))
@example("new")
@example("9F8D0A52-5D1C-4D5E-8F5E-0D8A1C2B3D4E")
@example("9f8d0a525d1c4d5e8f5e0d8a1c2b3d4e")
@example("a" * 81)
@example("Ünïcödé " * 20)
def test_every_title_has_a_slug_that_fits_an_address(title: str) -> None:
    slug = slugs.slug_of(title)
    assert SHAPE.fullmatch(slug)
    assert slug.isascii()
    assert len(slug) <= slugs.LONGEST + len("post-")
    assert not slugs.is_reserved(slug)
    assert posts.as_uuid(slug) is None


@given(st.text(max_size=300))
def test_a_slug_is_its_own_slug(title: str) -> None:
    slug = slugs.slug_of(title)
    assert slugs.slug_of(slug) == slug
    assert texts.custom_slug(slug) == slug


def test_every_address_of_ours_beside_posts_is_reserved(blog: Blog) -> None:
    beside = {path.split("/")[2] for _, path in blog.routes() if re.match(r"/posts/[^{]", path)}
    assert "new" in beside
    assert all(slugs.is_reserved(name) for name in beside)


# A life of three posts that would like to have each other's addresses.
NAMES = ["harbour", "tides", "ropes"]
WANTED = st.sampled_from([*NAMES, "north", "south"])
STEPS = st.one_of(
    st.tuples(st.just("rename"), st.integers(0, 2), WANTED),
    st.tuples(st.just("retitle"), st.integers(0, 2), WANTED),
    st.tuples(st.just("publish"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("unpublish"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("throw away"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("restore"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("delete for good"), st.integers(0, 2), st.just("")),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, max_size=25))
@example(
    steps=[
        ("publish", 0, ""),
        ("rename", 0, "north"),
        ("rename", 1, "harbour"),
        ("rename", 0, "harbour"),
        ("rename", 1, "north"),
        ("throw away", 0, ""),
        ("delete for good", 0, ""),
        ("rename", 1, "north"),
        ("publish", 1, ""),
    ]
)
def test_every_address_that_was_public_leads_to_its_post_or_to_nothing(
    running_blog: Blog, steps: list[tuple[str, int, str]]
) -> None:
    running_blog.empty()
    running_blog.person("alice")
    [author] = running_blog.rows(User)
    with running_blog.database.writing() as db:
        begun = [NewPost(title=name, content="x", action="draft") for name in NAMES]
        ids = [writing.create(db, author, new).id for new in begun]
    seen: dict[str, Any] = {}
    for what, number, name in steps:
        with running_blog.database.writing() as db:
            post = db.get(Post, ids[number])
            if post is not None and not post.is_erased:
                act(db, post, author, what, name)
        with running_blog.database.reading() as db:
            for post_id in ids:
                post = db.get(Post, post_id)
                if post is not None and post.is_public:
                    assert seen.setdefault(post.slug, post_id) == post_id
            for slug, post_id in seen.items():
                post = db.get(Post, post_id)
                assert post is not None
                allowed = (post_id,) if post.is_public else (post_id, None)
                assert found_at(db, slug, author) in allowed


def act(db: Session, post: Post, author: User, what: str, name: str) -> None:
    change = {"title": post.title, "content": "x", "slug": post.slug, "version": post.version}
    change["action"] = "publish" if post.is_published else "save"
    try:
        with db.begin_nested():
            if what == "rename":
                writing.edit(db, post, PostEdit(**change | {"slug": name}), author)
            elif what == "retitle":
                writing.edit(db, post, PostEdit(**change | {"title": name}), author)
            elif what in ("publish", "unpublish"):
                writing.edit(db, post, PostEdit(**change | {"action": what}), author)
            elif what == "throw away":
                trash.throw_away(db, post)
            elif what == "restore":
                trash.restore(db, post)
            else:
                trash.delete_for_good(db, post)
    except Conflict:
        db.expire_all()


def found_at(db: Session, slug: str, reader: User) -> Any:
    """The id of the post that an address leads to, by one step; None if it leads nowhere."""
    try:
        return posts.show(db, slug, reader).post.id
    except Moved as moved:
        return posts.show(db, moved.slug, reader).post.id
    except (Gone, NotFound):
        return None


@pytest.mark.parametrize("typed", ["new", "New", " NEW ", "9f8d0a52-5d1c-4d5e-8f5e-0d8a1c2b3d4e"])
def test_an_address_that_the_blog_uses_is_refused(alice: Person, typed: str) -> None:
    for action in ("draft", "publish"):
        form = {"title": "T", "content": "Kept words.", "slug": typed, "action": action}
        answer = alice.post("/posts", form)
        assert answer.status_code == 422
        assert "That address belongs to the blog itself." in answer.text
        assert "Kept words." in answer.text
    slug = alice.write()
    for action in ("save", "publish"):
        assert alice.edit(slug, slug=typed, action=action).status_code == 422
    sent = {"title": "T", "content": "x", "slug": typed}
    assert alice.client.post("/api/v1/posts", json=sent).status_code == 422


def test_addresses_can_be_swapped_back_and_forth(alice: Person, stranger: Person) -> None:
    alice.write("First")
    for old, new in (("first", "second"), ("second", "first"), ("first", "second")):
        assert alice.edit(old, slug=new, action="publish").status_code == 303
        for address in (old, old.upper(), f"{old}?from=mail"):
            answer = stranger.client.request("HEAD", f"/posts/{address}")
            assert answer.status_code == 301
            assert answer.headers["location"].partition("?")[0] == f"/posts/{new}"
            assert "no-store" in answer.headers["cache-control"]
            assert stranger.get(answer.headers["location"]).status_code == 200
    moved = stranger.get("/posts/first?from=mail&page=2")
    assert moved.headers["location"] == "/posts/second?from=mail&page=2"


def test_what_a_draft_gives_up_is_free(alice: Person, bob: Person, stranger: Person) -> None:
    alice.draft("Wanted", slug="wanted")
    alice.edit("wanted", slug="other")
    assert bob.write("Wanted") == "wanted"
    assert alice.edit("other", slug="wanted").status_code == 409
    assert stranger.get("/posts/other").status_code == 404


@pytest.mark.parametrize("title", ["a word " * 20, "a" * 120])
@pytest.mark.parametrize("kind", ["post", "page"])
def test_posts_with_the_same_long_title_can_be_edited(alice: Person, title: str, kind: str) -> None:
    for _ in range(3):
        slug = alice.draft(title, kind=kind)
        answer = alice.edit(slug, slug=slug, content="Other words.", kind=kind)
        assert answer.status_code == 303, slug
        assert alice.stored(slug).content == "Other words."

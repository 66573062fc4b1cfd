"""The trash: what is in it and until when, back from it, and gone for good."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import SQLModel, col, select

from models import Autosave, Media, MediaUse, Post, PostTag, Revision, Slug, User, now
from services import sweeping, trash
from tests.blog import Blog, Person, slug_in
from tests.routers.test_posts import linked

BELONGINGS: tuple[type[SQLModel], ...] = (Revision, Autosave, MediaUse, PostTag)
LONG_AGO = trash.KEPT_FOR + timedelta(minutes=1)


def throw_away(person: Person, slug: str, ago: timedelta = timedelta(0)) -> None:
    """Into the trash, so long ago; a post that is public then was so an hour before."""
    assert person.post(f"/posts/{slug}/delete").status_code == 303
    with person.blog.database.writing() as db:
        post = db.get_one(Post, person.stored(slug).id)
        post.trashed_at = now() - ago
        if post.published_at:
            post.published_at = post.first_published_at = now() - ago - timedelta(hours=1)


def furnish(blog: Blog, person: Person, slug: str) -> None:
    """Everything that can belong to a post."""
    post = person.stored(slug)
    with blog.database.writing() as db:
        media = Media(
            user_id=post.author_id,
            name="a-1x1.webp",
            content_type="image/webp",
            width=1,
            height=1,
            bytes=1,
            source_digest=slug,
        )
        db.add(media)
        db.flush()
        db.add(MediaUse(post_id=post.id, media_id=media.id, place="text"))
        db.add(Autosave(post_id=post.id, user_id=post.author_id, base_version=1, text={}))


def nothing_left(blog: Blog, *models: type[SQLModel]) -> bool:
    return not [row for model in models for row in blog.rows(model)]


def test_the_trash_says_until_when_posts_can_be_restored(alice: Person) -> None:
    slug = alice.draft("Regretted")
    throw_away(alice, slug, timedelta(days=3))
    thrown, gone = now() - timedelta(days=3), now() + timedelta(days=27)
    page = alice.get("/trash").text
    for moment in (thrown, gone):
        assert f"{moment.day} {moment:%B %Y}</time>" in page


def test_after_thirty_days_what_nobody_saw_is_gone_with_all_that_belongs_to_it(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    slug = alice.draft("Never seen", tags="wood")
    furnish(blog, alice, slug)
    throw_away(alice, slug, LONG_AGO)
    assert sweeping.sweep(blog.database, blog.settings) == 1
    assert nothing_left(blog, Post, Slug, *BELONGINGS)
    assert len(blog.rows(Media)) == 1
    missing = stranger.get("/posts/never-was-here").content
    assert stranger.get(f"/posts/{slug}").content == missing
    assert alice.write("Never seen") == slug


def test_after_thirty_days_what_readers_saw_is_an_empty_address(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    slug = alice.write("Seen", "Canary words.", tags="wood")
    alice.edit(slug, slug="seen-later", action="publish", tags="wood")
    alice.post("/posts/seen-later/preview-link")
    furnish(blog, alice, "seen-later")
    throw_away(alice, "seen-later", LONG_AGO)
    assert sweeping.sweep(blog.database, blog.settings) == 1
    version = alice.stored("seen-later").version
    sweeping.sweep(blog.database, blog.settings)  # the tag that nothing carries any more
    assert alice.stored("seen-later").version == version
    [post] = blog.rows(Post)
    assert post.is_erased
    assert (post.content, post.html, post.excerpt) == ("", "", "")
    assert (post.staged, post.preview_token) == (None, None)
    assert nothing_left(blog, *BELONGINGS)
    assert stranger.get("/posts/seen-later").status_code == 410
    assert stranger.get("/posts/seen").status_code == 410
    assert alice.post("/posts/seen-later/restore").status_code == 410
    assert alice.get("/posts/seen-later/revisions").status_code == 410
    assert "Seen" not in alice.get("/trash").text
    assert alice.write("Seen") == "seen-2"


def test_what_is_younger_stays(alice: Person, blog: Blog) -> None:
    slug = alice.draft()
    throw_away(alice, slug, trash.KEPT_FOR - timedelta(minutes=1))
    alice.write("Public")
    assert sweeping.sweep(blog.database, blog.settings) == 0
    assert alice.post(f"/posts/{slug}/restore").status_code == 303


def test_many_are_swept_in_small_steps(alice: Person, blog: Blog) -> None:
    for _ in range(sweeping.POSTS_AT_ONCE + 2):
        throw_away(alice, alice.draft(), LONG_AGO)
    assert sweeping.sweep(blog.database, blog.settings) == sweeping.POSTS_AT_ONCE + 2
    assert blog.rows(Post) == []


def test_two_that_sweep_at_once_do_not_stand_in_each_others_way(alice: Person, blog: Blog) -> None:
    for _ in range(12):
        throw_away(alice, alice.draft(), LONG_AGO)
    with ThreadPoolExecutor(3) as pool:
        swept = [pool.submit(sweeping.sweep, blog.database, blog.settings) for _ in range(3)]
    assert sum(each.result() for each in swept) == 12


def test_delete_for_good_asks_first_and_then_nothing_is_left(
    alice: Person, blog: Blog, stranger: Person
) -> None:
    slug = alice.draft("A secret", tags="wood")
    furnish(blog, alice, slug)
    throw_away(alice, slug)
    page = alice.get(f"/trash/{slug}/delete")
    assert "Delete “A secret” for good?" in page.text
    assert len(blog.rows(Post)) == 1
    answer = alice.post(f"/trash/{slug}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/trash")
    assert "“A secret” is gone for good." in alice.get("/trash").text
    assert nothing_left(blog, Post, Slug, *BELONGINGS)
    assert alice.post(f"/trash/{slug}/delete").status_code == 404


def test_only_what_lies_in_the_trash_can_be_deleted_for_good(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    assert alice.get(f"/trash/{slug}/delete").status_code == 404
    assert alice.post(f"/trash/{slug}/delete").status_code == 404
    assert blog.rows(Post)[0].is_public


def test_the_trash_of_others_is_out_of_reach(
    bob: Person, mallory: Person, carol: Person, blog: Blog
) -> None:
    public, draft = bob.write(), bob.draft()
    for slug in (public, draft):
        throw_away(bob, slug)
    for slug in (public, draft):
        assert mallory.get(f"/trash/{slug}/delete").status_code == 404
        assert mallory.post(f"/trash/{slug}/delete").status_code == 404
        assert mallory.post(f"/posts/{slug}/restore").status_code == 404
        assert carol.post(f"/trash/{slug}/delete").status_code == 403
    assert mallory.post("/trash/delete").status_code == 303
    assert sum(post.is_trashed and not post.is_erased for post in blog.rows(Post)) == 2


def test_emptying_the_trash_takes_all_of_it_and_nothing_else(
    alice: Person, bob: Person, blog: Blog, stranger: Person
) -> None:
    seen, kept = alice.write("Seen"), alice.write("Kept")
    for slug in (seen, alice.draft()):
        throw_away(alice, slug)
    bobs = bob.draft("Of Bob")
    throw_away(bob, bobs)
    assert "Empty the trash?" in alice.get("/trash/delete").text
    assert alice.post("/trash/delete").status_code == 303
    assert "The trash is empty." in alice.get("/trash").text
    assert stranger.get(f"/posts/{seen}").status_code == 410
    assert stranger.get(f"/posts/{kept}").status_code == 200
    assert bob.post(f"/posts/{bobs}/restore").status_code == 303
    assert len(blog.rows(Post)) == 3


def test_a_post_comes_back_with_its_revisions_tags_and_staged_changes(
    alice: Person, stranger: Person
) -> None:
    slug = alice.write("Back", "Public words.", tags="wood")
    alice.edit(slug, content="Staged words.", tags="wood")
    throw_away(alice, slug)
    assert slug_in(alice.post(f"/posts/{slug}/restore")) == slug
    assert "Public words." in stranger.get(f"/posts/{slug}").text
    assert "Back" in stranger.get("/tags/wood").text
    assert "Staged words." in alice.get(f"/posts/{slug}/edit").text
    assert "Revision 2" in alice.get(f"/posts/{slug}/revisions").text


def test_what_was_scheduled_comes_back_as_a_draft_and_tells_nothing_meanwhile(
    alice: Person, stranger: Person, blog: Blog
) -> None:
    slug = alice.draft("Later")
    at = f"{now() + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    assert alice.edit(slug, action="schedule", publish_at=at).status_code == 303
    alice.post(f"/posts/{slug}/delete")
    assert stranger.get(f"/posts/{slug}").content == stranger.get("/posts/never").content
    answer = alice.post(f"/posts/{slug}/restore")
    assert answer.headers["location"] == f"/posts/{slug}/edit"
    assert "is back, as a draft." in alice.get(f"/posts/{slug}/edit").text
    post = alice.stored(slug)
    assert (post.published_at, post.first_published_at) == (None, None)


def test_restoring_while_it_is_deleted_for_good_is_one_or_the_other(
    alice: Person, blog: Blog
) -> None:
    for number in range(5):
        slug = alice.write(f"Post {number}", "Words.")
        throw_away(alice, slug)
        with ThreadPoolExecutor(2) as pool:
            back = pool.submit(alice.post, f"/posts/{slug}/restore")
            gone = pool.submit(alice.post, f"/trash/{slug}/delete")
        statuses = back.result().status_code, gone.result().status_code
        post = alice.stored(slug)
        assert post.is_erased != post.is_public, statuses
        assert statuses[0] in ((410,) if post.is_erased else (303,))
        assert statuses[1] in (303, 404)


def test_drafts_and_trash_are_paged(alice: Person, blog: Blog) -> None:
    author = UUID(str(blog.rows(User)[0].id))

    def put(number: int, thrown_at: datetime | None) -> Post:
        name = f"{'Thrown' if thrown_at else 'Draft'} {number:02}"
        slug = name.lower().replace(" ", "-")
        at = now() - timedelta(minutes=number)
        return Post(
            author_id=author,
            slug=slug,
            title=name,
            content="x",
            html="x",
            renderer=1,
            excerpt="x",
            word_count=1,
            updated_at=at,
            trashed_at=thrown_at and at,
        )

    with blog.database.writing() as db:
        db.add_all([put(number, thrown) for number in range(45) for thrown in (None, now())])
    for start, name in (("/drafts", "Draft"), ("/trash", "Thrown")):
        seen, pages, address = [], [], start
        while address:
            pages.append(alice.get(address).text)
            found = [f"{name} {n:02}" for n in range(45) if f"{name} {n:02}<" in pages[-1]]
            seen += found
            address = linked(pages[-1], "next")
        assert seen == [f"{name} {n:02}" for n in range(45)]
        assert len(pages) == 3
        back = alice.get(linked(pages[2], "prev")).text
        assert f"{name} 20<" in back
        assert f"{name} 39<" in back
        assert linked(alice.get(linked(back, "prev")).text, "prev") == ""
        assert alice.get(f"{start}?before=nonsense").status_code == 404
    listed = alice.get("/api/v1/posts?author=me&state=draft").json()
    assert len(listed["items"]) == 20
    older = alice.get(listed["next"]).json()
    assert older["items"][0]["title"] == "Draft 20"
    assert alice.get(older["prev"]).json()["items"] == listed["items"]


def test_what_is_thrown_away_while_the_trash_is_emptied_stays_in_it(
    alice: Person, blog: Blog
) -> None:
    first, second = alice.draft("First", tags="x"), alice.draft("Second", tags="y")
    throw_away(alice, first)
    is_first = col(Revision.post_id) == alice.stored(first).id
    with ThreadPoolExecutor(2) as pool:
        with blog.database.writing() as db:
            if not blog.database.is_sqlite:  # there who empties is alone anyway
                db.exec(select(Revision).where(is_first).with_for_update()).all()
                emptying = pool.submit(alice.post, "/trash/delete")
                time.sleep(0.3)  # it is in the middle of it, and waits for the row
                throw_away(alice.copy(), second)
        if blog.database.is_sqlite:
            emptying = pool.submit(alice.post, "/trash/delete")
            emptying.result()
            throw_away(alice.copy(), second)
        assert emptying.result().status_code == 303
    [left] = blog.rows(Post)
    assert (left.title, left.is_trashed) == ("Second", True)
    assert len(blog.rows(Revision)) == len(blog.rows(PostTag)) == 1


def test_a_text_that_comes_too_late_is_shown_again(
    alice: Person, bob: Person, mallory: Person, blog: Blog
) -> None:
    was_public, draft, others = bob.write("Out"), bob.draft("Never"), alice.write("Hers")
    for slug in (was_public, draft):
        throw_away(bob, slug)
        bob.post(f"/trash/{slug}/delete")
    text = {"title": "A title", "content": "Words <b>that</b> took an hour.", "version": "1"}
    for slug, status in ((was_public, 410), (draft, 404), (others, 403)):
        answer = bob.post(f"/posts/{slug}", text)
        assert answer.status_code == status
        assert "Words &lt;b&gt;that&lt;/b&gt; took an hour." in answer.text
        assert "Try again" not in answer.text
    there, nowhere = (mallory.post(f"/posts/{slug}", text) for slug in (alice.draft("Hers"), "no"))
    assert there.content == nowhere.content

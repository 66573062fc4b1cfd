"""What stands beside each tag of a post says the same as the post itself, whatever becomes of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import col, select

from models import Post, PostTag, Tag, now
from services import demo, tag_index
from services.streams import is_listed
from tests.archives import World, opened, pack, unpack
from tests.blog import Blog, Person


@pytest.fixture(autouse=True)
def every_tag_tells_the_truth(blog: Blog) -> Any:
    """Asked after each of these tests."""
    yield
    assert of(blog, col(PostTag.listed_at)) == of(
        blog, col(Post.published_at), is_listed_some_day()
    )


def of(blog: Blog, column: Any, *wanted: Any) -> set[Any]:
    """Post, tag and a moment, of each tag on a post that is or will be listed."""
    some = select(PostTag.post_id, PostTag.tag_id, column).join(Post)
    some = some.where(*wanted, column.is_not(None))
    with blog.database.reading() as db:
        return {tuple(row) for row in db.execute(some)}


def is_listed_some_day() -> Any:
    return col(Post.trashed_at).is_(None) & col(Post.is_page).is_(False)


def listed(blog: Blog) -> int:
    with blog.database.reading() as db:
        now_listed = len(db.exec(select(PostTag).where(tag_index.is_listed_under())).all())
        assert now_listed == len(db.exec(select(PostTag).join(Post).where(is_listed())).all())
    return now_listed


def at(**later: int) -> str:
    return (now() + timedelta(**later)).isoformat()


def test_publishing_and_taking_back(bob: Person, blog: Blog) -> None:
    slug = bob.draft(tags="tides, knots")
    assert listed(blog) == 0
    bob.edit(slug, action="publish", tags="tides, knots, boats")
    assert listed(blog) == 3
    bob.edit(slug, action="save", tags="boats")  # staged: readers see the three
    assert listed(blog) == 3
    bob.edit(slug, action="publish", tags="boats, wood")
    assert listed(blog) == 2
    bob.edit(slug, action="unpublish", tags="boats, wood")
    assert listed(blog) == 0


def test_a_schedule_is_known_beforehand_and_counts_when_it_is_due(bob: Person, blog: Blog) -> None:
    slug = bob.write(action="schedule", publish_at=at(hours=1), tags="tides")
    assert listed(blog) == 0
    [row] = blog.rows(PostTag)
    assert row.listed_at == bob.stored(slug).published_at
    bob.edit(slug, action="schedule", publish_at=at(hours=2), tags="tides")
    blog.put(Post, published_at=now() - timedelta(seconds=1))
    assert listed(blog) == 1


def test_the_trash_and_the_way_back(bob: Person, blog: Blog) -> None:
    slug = bob.write(tags="tides")
    bob.post(f"/posts/{slug}/delete")
    assert listed(blog) == 0
    bob.post(f"/posts/{slug}/restore")
    assert listed(blog) == 1


def test_a_page_is_under_no_tag(alice: Person, blog: Blog) -> None:
    slug = alice.write(tags="tides", kind="page")
    assert listed(blog) == 0
    alice.edit(slug, action="publish", tags="tides", kind="post")
    assert listed(blog) == 1
    alice.edit(slug, action="publish", tags="tides", kind="page")
    assert listed(blog) == 0


def test_tags_that_are_renamed_and_merged(alice: Person, blog: Blog) -> None:
    for tags in ("boat, tides", "boats", "boat, boats"):
        alice.write(tags=tags)
        alice.draft(tags=tags)
    alice.post("/tags/tides", {"name": "Currents"})
    alice.post("/tags/boat", {"name": "Boats", "into": "boats"})
    assert len(blog.rows(Tag)) == 2
    assert listed(blog) == 4


def test_a_blog_that_is_filled_at_once(blog: Blog) -> None:
    with blog.database.writing() as db:
        demo.fill(db, blog.settings)
    assert listed(blog) > 10


def test_a_blog_that_comes_out_of_an_archive(blog: Blog, tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/old.db") as old:
        World(old)
        pack(old, tmp_path / "old.zip")
    unpack(blog.database, tmp_path / "old.zip")
    assert listed(blog) == 3


def test_what_is_written_past_every_service(bob: Person, blog: Blog) -> None:
    slug = bob.write()
    post = bob.stored(slug)
    with blog.database.writing() as db:
        tag = Tag(slug="tides", name="Tides")
        db.add(tag)
        db.flush()
        never = now() - timedelta(days=999)
        values = {"post_id": post.id, "tag_id": tag.id, "position": 0, "listed_at": never}
        db.execute(insert(PostTag).values(**values))
    assert listed(blog) == 1
    with blog.database.writing() as db:
        db.execute(update(Post).values(trashed_at=now(), published_at=never, version=7))
    assert listed(blog) == 0

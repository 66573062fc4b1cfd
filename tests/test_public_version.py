"""The number for what readers see grows with every change of it, and with nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel

import public_version
from models import PublicVersion, now
from services import outbox, sweeping
from tests import pictures
from tests.blog import Blog, Person
from tests.clocks import in_field

# Tables of which readers see something. Whoever adds a table says here that it counts, or in
# public_version.py that it does not.
SEEN_TABLES = {
    "media",
    "post_tags",
    "posts",
    "series",
    "site",
    "site_settings",
    "tags",
    "users",
}


def version(blog: Blog) -> int:
    rows = blog.rows(PublicVersion)
    return rows[0].version if rows else 0


def grows(blog: Blog, change: Callable[[], Any]) -> bool:
    before = version(blog)
    change()
    return version(blog) > before


def test_every_table_counts_or_is_said_not_to() -> None:
    tables = set(SQLModel.metadata.tables)
    assert tables - public_version.UNSEEN_TABLES == SEEN_TABLES
    assert public_version.UNSEEN_TABLES - tables <= {"alembic_version"}
    for table, columns in public_version.UNSEEN_COLUMNS.items():
        assert columns < set(SQLModel.metadata.tables[table].columns.keys())


def tomorrow() -> str:
    return in_field(now() + timedelta(days=1))


PUBLIC_CHANGES: dict[str, Callable[[Blog, Person, str], Any]] = {
    "publishing": lambda _, alice, __: alice.write(),
    "publishing a page": lambda _, alice, __: alice.write("About", kind="page"),
    "scheduling": lambda _, alice, __: alice.write(action="schedule", publish_at=tomorrow()),
    "publishing a draft": lambda _, alice, __: alice.edit(alice.draft(), action="publish"),
    "updating": lambda _, alice, slug: alice.edit(slug, action="publish", content="Changed."),
    "a new address": lambda _, alice, slug: alice.edit(slug, action="publish", slug="elsewhere"),
    "other tags": lambda _, alice, slug: alice.edit(slug, action="publish", tags="other"),
    "no tags": lambda _, alice, slug: alice.edit(slug, action="publish", tags=""),
    "a series": lambda _, alice, slug: alice.edit(slug, action="publish", series="Of many"),
    "taking back": lambda _, alice, slug: alice.edit(slug, action="unpublish"),
    "throwing away": lambda _, alice, slug: alice.post(f"/posts/{slug}/delete"),
    "pinning": lambda _, alice, slug: alice.post(f"/posts/{slug}/pin"),
    "renaming a tag": lambda _, alice, __: alice.post("/tags/one", {"name": "The one"}),
    "another name": lambda _, alice, __: alice.post(
        "/settings/profile", {"display_name": "Alicia", "bio": "", "website": ""}
    ),
    "a word about oneself": lambda _, alice, __: alice.post(
        "/settings/profile", {"display_name": "alice", "bio": "Hello.", "website": ""}
    ),
    "another username": lambda _, alice, __: alice.post(
        "/settings/username", {"username": "alicia"}
    ),
}


@pytest.mark.parametrize("name", PUBLIC_CHANGES)
def test_it_grows_with(blog: Blog, alice: Person, name: str) -> None:
    slug = alice.write("Known", tags="one, two")
    assert grows(blog, lambda: PUBLIC_CHANGES[name](blog, alice, slug))


def test_what_is_done_with_a_trashed_post_that_was_public_counts(blog: Blog, alice: Person) -> None:
    slug = alice.write()
    alice.post(f"/posts/{slug}/delete")
    assert grows(blog, lambda: alice.post(f"/posts/{slug}/restore"))


def claim_a_mail(blog: Blog) -> None:
    with blog.database.writing() as db:
        outbox.claim(db)


UNSEEN_CHANGES: dict[str, Callable[[Blog, Person, str], Any]] = {
    "a draft": lambda _, alice, __: alice.draft(),
    "a draft with tags that are known": lambda _, alice, __: alice.draft(tags="one, two"),
    "a draft with a new tag": lambda _, alice, __: alice.draft(tags="of drafts"),
    "a draft in a series": lambda _, alice, __: alice.draft(series="Of drafts"),
    "saving a draft": lambda _, alice, __: alice.edit("a-draft", content="More.", tags="one"),
    "another address for a draft": lambda _, alice, __: alice.edit("a-draft", slug="another"),
    "staging": lambda _, alice, slug: alice.edit(slug, content="Not yet for readers."),
    "an autosave": lambda _, alice, slug: alice.post(
        f"/posts/{alice.stored(slug).id}/autosave", {"title": "x", "content": "y", "version": "1"}
    ),
    "an image": lambda _, alice, __: alice.image(pictures.photo()),
    "logging in": lambda _, alice, __: alice.log_in_again(),
    "logging out": lambda _, alice, __: alice.log_out(),
    "a wrong password": lambda _, alice, __: alice.copy().log_in("wrong"),
    "somebody new": lambda blog, _, __: blog.visitor().post(
        "/users/register", {"username": "somebody", "password": "a password of somebody"}
    ),
    "reading": lambda blog, _, slug: blog.visitor().get(f"/posts/{slug}"),
    "sweeping": lambda blog, _, __: sweeping.sweep(blog.database, blog.settings),
    "looking for mails": lambda blog, _, __: claim_a_mail(blog),
}


@pytest.mark.parametrize("name", UNSEEN_CHANGES)
def test_it_does_not_grow_with(blog: Blog, alice: Person, name: str) -> None:
    slug = alice.write("Known", tags="one, two")
    alice.draft()
    assert not grows(blog, lambda: UNSEEN_CHANGES[name](blog, alice, slug))


def test_what_is_rolled_back_does_not_count(blog: Blog, alice: Person) -> None:
    alice.write(slug="taken")

    def fail() -> None:
        assert alice.post("/posts", {"title": "", "content": "x"}).status_code == 422

    assert not grows(blog, fail)

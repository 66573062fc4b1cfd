"""What a blog has when it is updated is still there afterwards."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

import migrations
from database import Database
from models import Post, Revision, now
from tests.blog import blog_settings
from tests.conftest import BACKENDS, fresh_database

PUBLIC, DRAFT, ERASED, ALICE = (uuid4() for _ in range(4))


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, worker: int) -> Iterator[Database]:
    """As it was before there were revisions."""
    url = f"sqlite:///{tmp_path / 'blog.db'}"
    if request.param != "sqlite":
        url = fresh_database(f"inkstand_older_{worker}")
    opened = Database(blog_settings(database_url=url).database_url)
    upgrade_to(opened, "0002")
    yield opened
    opened.close()


def upgrade_to(database: Database, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    with database.writer.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations.HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def insert(database: Database, table: str, **values: Any) -> None:
    """As it was stored then: ids as SQLite and PostgreSQL have them."""
    stored = {
        name: (value.hex if database.is_sqlite else str(value)) if hasattr(value, "hex") else value
        for name, value in values.items()
    }
    names = ", ".join(stored)
    marks = ", ".join(f":{name}" for name in stored)
    with database.writer.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), stored)


def post(database: Database, post_id: Any, title: str, **values: Any) -> None:
    shared = {"id": post_id, "author_id": ALICE, "title": title, "content": f"Of {title}."}
    rest = {"html": "", "renderer": 1, "excerpt": "", "word_count": 1, "version": 1}
    at = str(now().replace(tzinfo=None))
    dates = {"created_at": at, "updated_at": at}
    slug = title.lower() or "erased"
    insert(database, "posts", **{**shared, **rest, **dates, "slug": slug, **values})


def test_what_is_there_becomes_the_first_revision_and_what_is_staged_the_second(
    database: Database,
) -> None:
    at = str(now().replace(tzinfo=None))
    alice_joins(database, at)
    staged = json.dumps({"title": "Renamed", "content": "Later.", "tags": "", "slug": ""})
    post(database, PUBLIC, "Public", published_at=at, first_published_at=at, staged=staged)
    post(database, DRAFT, "Draft")
    post(database, ERASED, "")
    for number, name in enumerate(("wood", "boats"), 1):
        insert(database, "tags", id=number, slug=name, name=name.title())
        insert(database, "post_tags", post_id=PUBLIC, tag_id=number, position=-number)
    migrations.upgrade(database)
    with database.reading() as db:
        found = {(row.post_id, row.number): row for row in db.exec(select(Revision))}
    assert found.keys() == {(PUBLIC, 1), (PUBLIC, 2), (DRAFT, 1)}
    assert {key: row.kind for key, row in found.items()} == {
        (PUBLIC, 1): "published",
        (PUBLIC, 2): "saved",
        (DRAFT, 1): "saved",
    }
    assert {row.editor_id for row in found.values()} == {ALICE}
    assert found[PUBLIC, 1].text == {
        "title": "Public",
        "content": "Of Public.",
        "tags": "Boats, Wood",
        "slug": "public",
    }
    later = {"title": "Renamed", "content": "Later.", "tags": "", "slug": "public"}
    assert found[PUBLIC, 2].text == later


def test_a_text_that_was_published_again_is_known_as_revised(database: Database) -> None:
    upgrade_to(database, "0003")
    day = "2026-01-{:02} 08:00:00"
    alice_joins(database, day.format(1))
    post(database, PUBLIC, "Public", published_at=day.format(2), first_published_at=day.format(2))
    post(database, DRAFT, "Draft", published_at=day.format(4), first_published_at=day.format(4))
    for post_id, number, kind, date in (
        (PUBLIC, 1, "published", 2),
        (PUBLIC, 2, "published", 3),
        (PUBLIC, 3, "saved", 5),
        (DRAFT, 1, "saved", 3),
        (DRAFT, 2, "published", 5),
    ):
        insert(
            database,
            "revisions",
            post_id=post_id,
            number=number,
            kind=kind,
            text="{}",
            created_at=day.format(date),
        )
    migrations.upgrade(database)
    with database.reading() as db:
        found = {row.id: row.revised_at for row in db.exec(select(Post))}
    assert found == {PUBLIC: datetime(2026, 1, 3, 8, tzinfo=UTC), DRAFT: None}


def alice_joins(database: Database, at: str) -> None:
    insert(
        database,
        "users",
        id=ALICE,
        username="alice",
        display_name="Alice",
        password_hash="",
        totp_step=0,
        role="owner",
        bio="",
        website="",
        created_at=at,
    )

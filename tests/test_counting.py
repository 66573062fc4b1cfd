"""Several processes count together, at the end too; and a database that is away costs no view."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

import database
from models import PostViews
from tests.blog import Blog, blog_settings
from tests.conftest import fresh_database
from tests.people import ALICE
from tests.processes import at_once, rows, serving
from tests.readers import BROWSER, FIREFOX, counted, read, reader

PEOPLE, TIMES = 8, 10


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_two_workers_that_are_told_to_stop_have_counted_everybody_once(
    backend: str, tmp_path: Path, worker: int, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, Any] = {"DATABASE_URL": f"sqlite:///{tmp_path / 'inkstand.db'}"}
    if backend == "postgres":
        settings = {
            "DATABASE_URL": fresh_database(f"inkstand_counting_{worker}"),
            "REDIS_URL": request.getfixturevalue("redis_url"),
        }
    with serving(tmp_path, WEB_CONCURRENCY=2, **settings) as server:
        cookies = server.register(ALICE)
        post = {"title": "The tides", "content": "Words."}
        path = server.post("/posts", post, cookies).location

        def read_often(number: int) -> set[int]:
            sent = BROWSER | {"User-Agent": f"{FIREFOX} {number}"}
            return {server.get(path, **sent).status for _ in range(TIMES)}

        assert at_once(PEOPLE, read_often) == [{200}] * PEOPLE
        server.get(path, cookies, **BROWSER)  # who wrote it
        assert server.stop() == 0
        assert "Traceback" not in server.log
    found = rows(settings["DATABASE_URL"], "SELECT views, visitors FROM post_views")
    assert found == [(PEOPLE * TIMES, PEOPLE)]


@pytest.fixture
def blog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """On SQLite, with less patience than usual."""
    monkeypatch.setattr(database, "SQLITE_BUSY_SECONDS", 0.2)
    with Blog(blog_settings(database_url=f"sqlite:///{tmp_path / 'inkstand.db'}")) as blog:
        yield blog


def test_who_reads_while_the_database_is_locked_is_counted_once_it_is_free(
    blog: Blog, tmp_path: Path
) -> None:
    slug = blog.person(ALICE).write("The tides")
    someone = reader(blog)
    with closing(sqlite3.connect(tmp_path / "inkstand.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            assert read(someone, f"/posts/{slug}") == 200
            with pytest.raises(OperationalError):
                blog.app.state.counting.flush()
        other.execute("ROLLBACK")
    assert blog.rows(PostViews) == []
    assert counted(blog, slug) == (2, 1)

"""What a request asks of the database about people: little, and nothing for strangers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.blog import Blog, Person

PAGES = ("/", "/auth/logout", "/auth/confirm", "/settings", "/drafts", "/no-such")


@contextmanager
def statements(blog: Blog) -> Iterator[list[str]]:
    """What the database is told during the block, but for the beginnings of transactions."""
    found: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            found.append(" ".join(statement.split()))

    event.listen(blog.database.engine, "before_cursor_execute", note)
    yield found
    event.remove(blog.database.engine, "before_cursor_execute", note)


def with_words(found: list[str], *words: str) -> list[str]:
    return [each for each in found if any(word in each for word in words)]


def writes(found: list[str]) -> list[str]:
    return [each for each in found if not each.startswith("SELECT")]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_not_looked_up(alice: Person, blog: Blog, path: str) -> None:
    blog.know_pages()
    with statements(blog) as found:
        blog.visitor().get(path)
    assert with_words(found, "logins", "sessions", "throttles", "audit") == []
    assert writes(found) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_one_look_at_the_session_and_one_at_the_account(
    bob: Person, blog: Blog, path: str
) -> None:
    bob.write()
    blog.know_pages()
    with statements(blog) as found:
        assert bob.get(path).status_code in (200, 404)
    assert len(with_words(found, "logins")) == 1
    assert len(with_words(found, "sessions")) == (0 if blog.settings.redis_url else 1)
    assert writes(found) == []
    if path == "/settings":
        assert len(found) <= 2


def test_a_login_that_moved_is_noted_once(bob: Person, blog: Blog) -> None:
    """And not at every page that somebody opens on the way."""
    bob.client.headers["User-Agent"] = "Chrome/160"
    bob.get("/settings")
    with statements(blog) as found:
        bob.get("/settings")
    assert writes(found) == []


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 1),
        ("/tags/tides", 3),  # the tag, its posts, how many they are
        ("/users/bob", 2),
        ("/posts/post-1", 3),  # with author and tags; its series; what stands beside it
    ],
)
def test_a_page_asks_as_little_of_many_posts_as_of_few(
    bob: Person, blog: Blog, path: str, most: int
) -> None:
    bob.write("Post 1", tags="tides, knots", series="The sea")
    with blog.beside(page_cache_mb=0) as uncached:
        stranger = uncached.visitor()
        for more in (2, 9):
            stranger.get(path)
            uncached.know_pages()
            with statements(uncached) as found:
                assert stranger.get(path).status_code == 200
            assert len(with_words(found, "posts", "tags", "users")) <= most, found
            for number in range(more):
                bob.write(f"Another {number}", tags="tides, boats, wood", series="The sea")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/archive", "/tags/one", "/users/alice", "/feed.xml"])
def test_lists_come_in_the_order_of_an_index_though_nothing_was_ever_counted(
    alice: Person, blog: Blog, path: str
) -> None:
    """SQLite gathers no statistics by itself; without them it must not think of another way."""
    alice.write(tags="one")
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("SELECT") and "published_at" in statement:
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in plan)

    event.listen(blog.database.engine, "before_cursor_execute", explain)
    assert blog.visitor().get(path).status_code == 200
    event.remove(blog.database.engine, "before_cursor_execute", explain)
    assert any("INDEX" in step for step in plans)
    assert "USE TEMP B-TREE FOR ORDER BY" not in plans

"""After a change of the renderer: what is stored follows, and nothing else changes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from database import Database
from jobs import Jobs
from models import Post, now
from services import markdown, rerendering
from services.rerendering import rerender
from tests.blog import Blog, Person

OLD: dict[str, Any] = {"html": "<p>old</p>", "excerpt": "old", "word_count": 99, "renderer": 0}


def test_stored_html_is_made_anew_and_nothing_else_changes(alice: Person, blog: Blog) -> None:
    slugs = [alice.write(f"Number {number}", f"*{number}* words") for number in range(23)]
    before = {post.slug: post for post in blog.rows(Post)}
    blog.put(Post, **OLD)
    assert rerender(blog.database) == len(slugs)
    for post in blog.rows(Post):
        assert post == before[post.slug]
    assert rerender(blog.database) == 0


def test_what_somebody_saves_meanwhile_is_not_overwritten(
    alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = alice.write("Contested", "before")
    blog.put(Post, **OLD)
    read = rerendering.outdated

    def read_and_lose(database: Database, after: Any) -> Any:
        found = read(database, after)
        if found:
            assert alice.edit(slug, content="after", action="publish").status_code == 303
        return found

    monkeypatch.setattr(rerendering, "outdated", read_and_lose)
    assert rerender(blog.database) == 0
    post = alice.stored(slug)
    assert (post.html, post.version, post.excerpt) == ("<p>after</p>\n", 2, "after")


def test_several_processes_at_once_do_it_once(alice: Person, blog: Blog) -> None:
    for number in range(25):
        alice.write(f"Number {number}", "words")
    blog.put(Post, **OLD)
    databases = [Database(blog.settings.database_url, 5) for _ in range(3)]
    with ThreadPoolExecutor(3) as processes:
        assert sum(processes.map(rerender, databases)) == 25
    for database in databases:
        database.close()
    assert {post.renderer for post in blog.rows(Post)} == {markdown.RENDERER}


def test_each_process_does_it_soon_after_its_start(alice: Person, blog: Blog) -> None:
    slug = alice.write("Old", "*new*")
    blog.put(Post, **OLD)
    jobs = Jobs(blog.settings, blog.database)
    assert jobs.rerender_at <= now() + timedelta(minutes=1)
    jobs.tick()
    assert alice.stored(slug).html == OLD["html"]
    jobs.rerender_at = now()
    jobs.tick()
    assert alice.stored(slug).html == "<p><em>new</em></p>\n"
    assert jobs.rerender_at > now() + timedelta(minutes=50)


def test_it_ends_when_the_process_does(alice: Person, blog: Blog) -> None:
    alice.write("Later", "words")
    blog.put(Post, **OLD)
    assert rerender(blog.database, is_over=lambda: True) == 0
    assert rerender(blog.database) == 1

"""kill -9 while people type and publish: what was acknowledged is there, once and whole."""

import json
import random
import re
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

import pytest

from tests.conftest import fresh_database
from tests.processes import Answer, Serving, ask, free_port, rows, serving

KILLS = 25
WRITERS = 3
LONGEST_LIFE = 0.15  # seconds between the first answer after a start and the kill
KEYS = 4  # autosaves of a text before it is published
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
BACKENDS = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"kill with {name}"))
    for name in ("sqlite", "postgres")
]


class Author(threading.Thread):
    """Types one post after the other and publishes each; whatever is not answered comes again."""

    def __init__(self, name: str, port: int, cookies: str) -> None:
        super().__init__(name=name)
        self.port = port
        self.cookies = cookies
        self.typed: dict[str, str] = {}  # title to the newest text that was acknowledged
        self.published: dict[str, str] = {}  # title to address
        self.refused: list[str] = []
        self.repeats = 0
        self.is_done = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.is_done.set()
        if kind:  # nobody will answer any more
            self.refused.append("given up")
        self.join()

    @property
    def acknowledged(self) -> int:
        return len(self.typed) + len(self.published)

    def run(self) -> None:
        while not self.is_done.is_set() and not self.refused:
            self.write(f"Post {len(self.published)} by {self.name}")

    def write(self, title: str) -> None:
        key = title.replace(" ", "-")
        about = {"title": title, "tags": "kept", "idempotency_key": key}
        for count in range(1, KEYS + 1):
            text = {**about, "content": " ".join(["word"] * count), "tab": key}
            if self.is_acknowledged("PUT", "/posts/new/autosave", (200, 201), json.dumps(text)):
                self.typed[title] = text["content"]
            if self.is_done.is_set():
                return
            time.sleep(0.02)  # the blog is patient with 600 in ten minutes
        form = {**about, "content": f"All of *{title}*.", "tab": key}
        if answer := self.is_acknowledged("POST", "/posts", (303,), form):
            self.published[title] = answer.location

    def is_acknowledged(
        self, method: str, path: str, good: tuple[int, ...], sent: str | dict[str, str]
    ) -> Answer | None:
        """The answer, once there is a good one; None when there is another."""
        while not self.refused:
            try:
                with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
                    connection.connect()
                    answer = send(connection, method, path, sent, self.cookies)
            except ConnectionRefusedError:
                time.sleep(0.01)
            except (OSError, HTTPException):
                self.repeats += 1
            else:
                if answer.status in good:
                    return answer
                self.refused.append(f"{method} {path}: {answer.status} {answer.text}")
        return None


def send(
    connection: HTTPConnection, method: str, path: str, sent: str | dict[str, str], cookies: str
) -> Answer:
    if isinstance(sent, dict):
        return ask(connection, method, path, sent, cookies)
    connection.request(method, path, sent, {**JSON, "Cookie": cookies})
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read().decode())


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, worker: int, tmp_path: Path) -> dict[str, Any]:
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'inkstand.db'}"}
    return {
        "DATABASE_URL": fresh_database(f"inkstand_typing_{worker}"),
        "REDIS_URL": request.getfixturevalue("redis_url"),
    }


@pytest.mark.timeout(300)
def test_whatever_was_typed_or_published_survives_kill_9(
    database: dict[str, Any], tmp_path: Path
) -> None:
    port = free_port()
    with serving(tmp_path, PORT=port, **database) as server:
        authors = [
            Author(f"author{n}", port, server.register(f"author{n}")) for n in range(WRITERS)
        ]
    with authors[0], authors[1], authors[2]:
        for _ in range(KILLS):
            with serving(tmp_path, ready="", PORT=port, **database) as server:
                wait_for_an_answer(authors, server)
                time.sleep(random.uniform(0, LONGEST_LIFE))
                server.kill()
        with serving(tmp_path, PORT=port, **database) as server:
            wait_for_an_answer(authors, server)
            for author in authors:
                author.is_done.set()
                author.join()
    assert [author.refused for author in authors] == [[]] * WRITERS
    assert "Traceback" not in server.log
    assert sum(author.repeats for author in authors) >= KILLS // 5, "no kill met a request"
    assert sum(len(author.published) for author in authors) >= KILLS // 5
    check(str(database["DATABASE_URL"]), authors)


def wait_for_an_answer(authors: list[Author], server: Serving) -> None:
    """Return when something was acknowledged after now."""
    before = [author.acknowledged for author in authors]
    while [author.acknowledged for author in authors] == before:
        assert server.process.poll() is None, server.log
        assert not any(author.refused for author in authors), authors[0].refused
        time.sleep(0.001)


def check(url: str, authors: list[Author]) -> None:
    published = {title: at for author in authors for title, at in author.published.items()}
    typed = {title: text for author in authors for title, text in author.typed.items()}
    posts = rows(url, "SELECT id, title, slug, content, published_at FROM posts")
    assert sorted(post[1] for post in posts) == sorted(typed), "lost, doubled or made up"
    autosaves = {post_id: as_text(text) for post_id, text in rows(url, AUTOSAVES)}
    revisions = [(post_id, kind, as_text(text)) for post_id, kind, text in rows(url, REVISIONS)]
    addresses = rows(url, "SELECT post_id, slug FROM slugs")
    for post_id, title, slug, content, published_at in posts:
        assert [at for of, at in addresses if of == post_id] == [slug]
        saved = [(kind, text["content"]) for of, kind, text in revisions if of == post_id]
        if title in published:
            assert published[title] == f"/posts/{slug}"
            assert re.fullmatch(r"/posts/post-\d+-by-author\d", published[title])
            assert (content, published_at is None) == (f"All of *{title}*.", False)
            assert saved == [("published", content)]
            assert post_id not in autosaves
        else:  # they were typing it when it was over
            assert (content, published_at, saved) == ("", None, [])
            assert autosaves.pop(post_id)["content"] == typed[title]
    assert autosaves == {}
    if url.startswith("sqlite"):
        assert rows(url, "PRAGMA integrity_check") == [("ok",)]
        assert rows(url, "PRAGMA foreign_key_check") == []


AUTOSAVES = "SELECT post_id, text FROM autosaves"
REVISIONS = "SELECT post_id, kind, text FROM revisions ORDER BY post_id, number"


def as_text(stored: Any) -> dict[str, str]:
    """PostgreSQL gives JSON as what it says, SQLite as it is written."""
    found: dict[str, str] = json.loads(stored) if isinstance(stored, str) else stored
    return found

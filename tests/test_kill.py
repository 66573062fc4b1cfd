"""kill -9 while people write: what was acknowledged is there, once and whole.

The two databases are put to the test side by side, each by its own test process.
"""

import random
import re
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

import pytest

from tests.conftest import fresh_database
from tests.people import ALICE
from tests.processes import Serving, ask, free_port, rows, serving

KILLS = 25
WRITERS = 2
LONGEST_LIFE = 0.15  # seconds between the first answer after a start and the kill
BACKENDS = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"kill with {name}"))
    for name in ("sqlite", "postgres")
]
# Each post as it is stored, with how often its address and its tags are there.
STORED = """
    SELECT title, html, slug,
        (SELECT count(*) FROM slugs WHERE slugs.post_id = posts.id AND slugs.slug = posts.slug),
        (SELECT count(*) FROM slugs WHERE slugs.post_id = posts.id),
        (SELECT count(*) FROM post_tags WHERE post_tags.post_id = posts.id)
    FROM posts
"""
ORPHANS = "SELECT slug FROM slugs WHERE post_id NOT IN (SELECT id FROM posts)"


class Writer(threading.Thread):
    """Writes one post after the other, each until it is acknowledged, whatever happens meanwhile."""

    def __init__(self, name: str, port: int, cookies: str) -> None:
        super().__init__(name=name)
        self.port = port
        self.cookies = cookies
        self.acknowledged: dict[str, str] = {}  # title to address
        self.refused: list[str] = []
        self.repeats = 0
        self.is_done = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_done.set()
        self.join()

    def run(self) -> None:
        while not self.is_done.is_set() and not self.refused:
            self.write(f"Post {len(self.acknowledged)} by {self.name}")

    def write(self, title: str) -> None:
        """Send the same form until there is an answer, as its key allows."""
        form = {
            "title": title,
            "content": f"The *words* of {title}.",
            "tags": f"kept, one of {self.name}",
            "idempotency_key": title.replace(" ", "-"),
        }
        while not self.refused:
            try:
                with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
                    connection.connect()
                    answer = ask(connection, "POST", "/posts", form, self.cookies)
            except ConnectionRefusedError:
                time.sleep(0.01)
            except (OSError, HTTPException):
                self.repeats += 1
            else:
                if answer.status == 303 and answer.location.startswith("/posts/"):
                    self.acknowledged[title] = answer.location
                else:
                    self.refused.append(f"{answer.status} {answer.location}: {answer.text}")
                return


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, worker: int, tmp_path: Path) -> dict[str, Any]:
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'inkstand.db'}"}
    return {
        "DATABASE_URL": fresh_database(f"inkstand_killed_{worker}"),
        "REDIS_URL": request.getfixturevalue("redis_url"),
    }


@pytest.mark.timeout(180)
def test_whatever_was_acknowledged_survives_kill_9(
    database: dict[str, Any], tmp_path: Path
) -> None:
    port = free_port()
    with serving(tmp_path, PORT=port, **database) as server:
        cookies = server.register(ALICE)
    writers = [Writer(f"writer {n}", port, cookies) for n in range(WRITERS)]
    with writers[0], writers[1]:
        for _ in range(KILLS):
            with serving(tmp_path, ready="", PORT=port, **database) as server:
                wait_for_a_post(writers, server)
                time.sleep(random.uniform(0, LONGEST_LIFE))
                server.kill()
        with serving(tmp_path, PORT=port, **database) as server:
            wait_for_a_post(writers, server)
            for writer in writers:
                writer.is_done.set()
                writer.join()
            assert [writer.refused for writer in writers] == [[], []]
            acknowledged = writers[0].acknowledged | writers[1].acknowledged
            assert all(server.status(address) == 200 for address in sample(acknowledged.values()))
            assert server.get("/drafts", cookies).status == 200  # still logged in
    assert "Traceback" not in server.log
    assert sum(writer.repeats for writer in writers) >= KILLS // 5, "no kill met a request"
    check(str(database["DATABASE_URL"]), acknowledged)


def wait_for_a_post(writers: list[Writer], server: Serving) -> None:
    """Return when something was acknowledged after now."""
    before = [len(writer.acknowledged) for writer in writers]
    while [len(writer.acknowledged) for writer in writers] == before:
        assert server.process.poll() is None, server.log
        assert not any(writer.refused for writer in writers)
        time.sleep(0.001)


def check(url: str, acknowledged: dict[str, str]) -> None:
    stored = rows(url, STORED)
    assert sorted(row[0] for row in stored) == sorted(acknowledged), "lost, doubled or made up"
    for title, html, slug, as_address, addresses, tags in stored:
        assert acknowledged[title] == f"/posts/{slug}"
        assert html.strip() == f"<p>The <em>words</em> of {title}.</p>"
        assert (as_address, addresses, tags) == (1, 1, 2), title
    assert rows(url, ORPHANS) == []
    if url.startswith("sqlite"):
        assert rows(url, "PRAGMA integrity_check") == [("ok",)]
        assert rows(url, "PRAGMA foreign_key_check") == []


def sample(addresses: Iterable[str]) -> list[str]:
    found = list(addresses)
    assert all(re.fullmatch(r"/posts/[a-z0-9-]+", address) for address in found)
    return random.sample(found, min(20, len(found)))

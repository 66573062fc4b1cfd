"""Two processes, twenty people and strangers, everything at once: nobody ever sees another's page, a
draft, or what was changed more than a second ago."""

import random
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.conftest import fresh_database
from tests.people import PASSWORD
from tests.processes import Answer, Serving, ask, serving
from tests.test_two_workers import wait_for_workers

REQUESTS, PEOPLE, READERS = 5_000, 20, 8
ABORTED = 0.2  # of them
OLDEST_SECONDS = 1.0  # counted from the answer to a change
WORD, NAME = re.compile(r"\bwordx[0-9a-z]+\b"), re.compile(r"\bcanary-\d+\b")


class Truth:
    """Each text has a word of its own; here is from when until when readers may meet it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.over: dict[str, float] = {}  # words that are gone, and when that was acknowledged
        self.coming: dict[str, float] = {}  # words, and when they may be seen first
        self.drafts: set[str] = set()
        self.wanted: dict[str, tuple[str, float]] = {}  # what must be at an address, since when
        self.wrong: list[str] = []
        self.checked = 0

    def changing(self, path: str) -> None:
        with self.lock:
            self.wanted.pop(path, None)

    def changed(self, path: str, word: str | None, old: str | None) -> None:
        with self.lock:
            if old:
                self.over[old] = time.monotonic()
            if word:
                self.wanted[path] = word, max(time.monotonic(), self.coming.get(word, 0))

    def check(self, path: str, answer: Answer, began_at: float, who: str) -> None:
        ended_at, words = time.monotonic(), set(WORD.findall(answer.text))
        with self.lock:
            self.checked += 1
            since = began_at - OLDEST_SECONDS
            found = [
                f"{name} belongs to another" for name in set(NAME.findall(answer.text)) - {who}
            ]
            found += [f"{word} is a draft" for word in words & self.drafts]
            found += [f"{word} is early" for word in words if self.coming.get(word, 0) > ended_at]
            found += [f"{word} is old" for word in words if self.over.get(word, since) < since]
            wanted, moment = self.wanted.get(path, ("", since))
            if moment < since and wanted not in words:
                found.append(f"{wanted} is missing from a {answer.status}")
            self.wrong += [f"{path} for {who or 'a stranger'}: {each}" for each in found]


class Writer:
    """Somebody who publishes, edits, takes back and schedules, and says so once it is acknowledged.

    All by one connection, so at one process: the other has to find out.
    """

    def __init__(self, server: Serving, truth: Truth) -> None:
        self.server, self.truth, self.chance = server, truth, random.Random(7)
        self.connection = server.http()
        self.cookies = server.register("writer")
        self.posts: dict[str, str] = {}  # words, by address
        self.count = 0

    def word(self) -> str:
        self.count += 1
        return f"wordx{self.count}z{self.chance.randrange(10**6)}"

    def send(self, path: str, **form: str) -> Answer:
        """With patience: Redis may be away, and come back without the login."""
        for _ in range(100):
            try:
                answer = ask(self.connection, "POST", path, form, self.cookies)
            except (OSError, HTTPException):  # it was idle for too long
                self.connection.close()  # the next one opens it again
                continue
            if answer.status == 303 and "/auth/" not in answer.location:
                return answer
            time.sleep(0.1)
            if "/auth/" in answer.location:
                again = self.server.post(
                    "/auth/login", {"username": "writer", "password": PASSWORD}
                )
                self.cookies = again.cookies if again.status == 303 else self.cookies
        raise AssertionError(f"{path}: {answer.status}")

    def publish(self, **more: str) -> None:
        word = self.word()
        if more:
            due = datetime.now(UTC) + timedelta(seconds=1.5)
            self.truth.coming[word] = time.monotonic() + 1.5
            more = {"action": "schedule", "publish_at": due.isoformat()}
        fields = {"title": f"Post {self.count}", "content": f"Of {word}.", "tags": "all"}
        answer = self.send("/posts", **{"action": "publish", **fields, **more})
        path = answer.location.removesuffix("/edit")
        self.posts[path] = word
        self.truth.changed(path, word, None)

    def draft(self) -> None:
        word = self.word()
        self.truth.drafts.add(word)
        self.send(
            "/posts", title=f"Draft {word}", content=f"Of {word}.", tags="all", action="draft"
        )

    def edit(self) -> None:
        path, old = self.any()
        form = self.server.get(f"{path}/edit", self.cookies).text
        found = re.search(r'action="(/posts/[0-9a-f-]{36})"', form)
        version = re.search(r'name="version" value="(\d+)"', form)
        if not found or not version:
            return  # nobody is logged in at this moment
        word = self.word()
        fields = {"title": f"Post {word}", "content": f"Of {word}.", "tags": "all"}
        self.truth.changing(path)
        self.send(found[1], **fields, version=version[1], action="publish", slug=path[7:])
        self.posts[path] = word
        self.truth.changed(path, word, old)

    def delete(self) -> None:
        path, old = self.any()
        self.truth.changing(path)
        del self.posts[path]
        self.send(f"{path}/delete")
        self.truth.changed(path, None, old)

    def any(self) -> tuple[str, str]:
        coming = self.truth.coming
        there = [each for each in self.posts.items() if each[1] not in coming]
        return self.chance.choice(there)

    def change_something(self) -> None:
        if len(self.posts) < 4:
            self.publish()
            return
        verbs: list[Any] = [self.publish, self.edit, self.edit, self.delete, self.draft]
        self.chance.choice([*verbs, lambda: self.publish(later="yes")])()


class Crowd:
    """Those who read, and some who hang up."""

    def __init__(self, server: Serving, writer: Writer, truth: Truth) -> None:
        self.server, self.writer, self.truth = server, writer, truth
        self.people = {"": ""}
        for number in range(PEOPLE):
            name = f"canary-{number}"
            form = {"username": name, "password": PASSWORD}
            address = {"X-Forwarded-For": f"10.1.{number}.1"}
            answer = server.post("/users/register", form, **address)
            assert answer.status == 303, answer.text
            kept = [each for each in answer.cookies.split("; ") if "flash" not in each]
            self.people[name] = "; ".join(kept)

    def read(self, number: int) -> None:
        chance = random.Random(number)
        for _ in range(REQUESTS // READERS):
            who = chance.choice(list(self.people)) if chance.random() < 0.6 else ""
            path = chance.choice(["/", "/tags/all", "/feed.xml", *list(self.writer.posts)])
            cookies = self.people[who]
            with suppress(OSError, HTTPException):
                if chance.random() < ABORTED:
                    self.hang_up(path, cookies, chance.random() / 50)
                else:
                    self.look(path, cookies, who)

    def look(self, path: str, cookies: str, who: str) -> None:
        began_at = time.monotonic()
        address = {"X-Forwarded-For": f"10.1.{who.removeprefix('canary-') or 99}.1"}
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        with closing(connection):
            answer = ask(connection, "GET", path, None, cookies, address)
        self.truth.check(path, answer, began_at, who)

    def hang_up(self, path: str, cookies: str, after: float) -> None:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(head.encode())
            time.sleep(after)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_nobody_sees_what_is_anothers_or_old_or_not_public(
    backend: str, tmp_path: Path, worker: int, request: pytest.FixtureRequest
) -> None:
    redis: servers.Redis | None = None
    settings: dict[str, Any] = {}
    if backend == "postgres":
        redis = request.getfixturevalue("mortal_redis")
        settings = {"DATABASE_URL": fresh_database(f"inkstand_truth_{worker}")}
        settings["REDIS_URL"] = redis.url
    with ExitStack() as stack:
        running = serving(tmp_path, WEB_CONCURRENCY=2, TRUSTED_PROXIES=1, **settings)
        server = stack.enter_context(running)
        wait_for_workers(server)
        truth = Truth()
        writer = Writer(server, truth)
        stack.callback(writer.connection.close)
        for _ in range(5):
            writer.publish()
        crowd = Crowd(server, writer, truth)
        with ThreadPoolExecutor(READERS) as threads:
            reading = [threads.submit(crowd.read, number) for number in range(READERS)]
            rounds = 0
            while not all(each.done() for each in reading):
                rounds += 1
                if redis and rounds in (15, 40):
                    redis.stop()
                    time.sleep(1.5)
                    redis.start()
                writer.change_something()
                time.sleep(0.1)
            for each in reading:
                each.result()
        assert truth.wrong == []
        assert truth.checked > REQUESTS * (1 - ABORTED) * 0.9
        assert rounds > 20
        assert "Traceback" not in server.log

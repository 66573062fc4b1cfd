"""The real server, started as people start it and seen from outside: a process with a log.

Written here because a test must be able to end it in every way there is, and must leave no process
behind, even when the tests themselves are killed.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from threading import Barrier
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import psycopg2

from tests import servers
from tests.blog import SECRET
from tests.people import PASSWORD

ROOT = Path(__file__).parent.parent
SERVE = ("-m", "cli", "serve")
START_TIMEOUT = 30  # seconds
STOP_TIMEOUT = 20  # seconds
ANSWER_TIMEOUT = 30  # seconds
T = TypeVar("T")
Form = dict[str, str]
free_port = servers._free_port
KEPT_ENVIRONMENT = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
# Settings of no machine but the test's own: an empty one is as good as none, also beside a `.env`.
DEFAULTS = {
    "ENVIRONMENT": "development",
    "HOST": "127.0.0.1",
    "BASE_URL": "",
    "TRUSTED_PROXIES": "0",
    "SECRET_KEY": SECRET,
    "REDIS_URL": "",
    "REGISTRATION": "open",
    "NEW_USER_ROLE": "author",
    "WEB_CONCURRENCY": "1",
    "BCRYPT_COST": "4",
}
# Ends the whole group when our end of the pipe closes, as it also does when we are killed.
WATCHDOG = 'cat; kill -s KILL -- "-$0"'


class Answer(NamedTuple):
    """What came back, and as text."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    @property
    def cookies(self) -> str:
        """All that it sets, as a browser sends them back."""
        return "; ".join(line.partition(";")[0] for line in self.headers.get_all("Set-Cookie", []))


class Serving:
    """A server process: where it is, what it said, and the ways to end it."""

    def __init__(self, folder: Path, command: tuple[str, ...], settings: dict[str, Any]) -> None:
        self.port = int(str(settings.get("PORT") or free_port()))
        self.log_file = folder / "server.log"
        settings = {"DATABASE_URL": f"sqlite:///{folder / 'inkstand.db'}", **settings}
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environment(**{**settings, "PORT": self.port}),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        self.watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, str(self.pid)],
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All it has said so far, to standard output and standard error."""
        return self.log_file.read_text(errors="replace")

    def get(self, path: str, cookies: str = "", **headers: str) -> Answer:
        with closing(self.http()) as connection:
            return ask(connection, "GET", path, None, cookies, headers)

    def post(self, path: str, form: Form, cookies: str = "", **headers: str) -> Answer:
        with closing(self.http()) as connection:
            return ask(connection, "POST", path, form, cookies, headers)

    def register(self, username: str) -> str:
        """The cookies of somebody who has just registered."""
        answer = self.post("/users/register", {"username": username, "password": PASSWORD})
        assert answer.status == 303, answer.text
        return answer.cookies

    def http(self) -> HTTPConnection:
        """A connection that is kept."""
        return HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT)

    def connect(self, first: bytes = b"") -> socket.socket:
        """A bare connection on which something was sent already."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_TIMEOUT)
        connection.sendall(first)
        return connection

    def status(self, path: str) -> int:
        """The status of a page; 0 while nothing answers."""
        try:
            return self.get(path).status
        except (OSError, HTTPException):
            return 0

    def wait_for(self, path: str, status: int = 200, seconds: float = START_TIMEOUT) -> None:
        """Return when a page has this status."""
        deadline = time.monotonic() + seconds
        while (found := self.status(path)) != status:
            assert self.process.poll() is None, f"the server ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{path} is {found}, not {status}:\n{self.log}"
            time.sleep(0.01)

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = STOP_TIMEOUT) -> int:
        """The exit code, once it has ended by itself; negative: it died of that signal."""
        return self.process.wait(seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        """End it as a crash would, with all its workers. No effect if it has ended."""
        self.watchdog.kill()  # before the number of the group can become another's
        self.watchdog.communicate()
        if is_alive(-self.pid):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT)


@contextmanager
def serving(
    folder: Path,
    *,
    command: tuple[str, ...] = SERVE,
    ready: str = "/readyz",
    **settings: Any,
) -> Iterator[Serving]:
    """The server with these settings, ready; it ends with the block, if not before.

    `settings` are variables of its environment, `serving(tmp_path, WEB_CONCURRENCY=2)`; nothing
    else of this process's environment reaches it. Its log, and its database unless another is
    named, are in `folder`. `ready=""` does not wait for anything.
    """
    server = Serving(folder, command, settings)
    try:
        if ready:
            server.wait_for(ready)
        yield server
    finally:
        server.kill()


def run(*command: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
    """A command of ours to its end, with what it said to standard output and standard error."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(**settings),
        stdin=DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
    )


def ask(
    connection: HTTPConnection,
    method: str,
    path: str,
    form: Form | None = None,
    cookies: str = "",
    headers: dict[str, str] | None = None,
) -> Answer:
    sent = {**(headers or {}), **({"Cookie": cookies} if cookies else {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, None if form is None else urlencode(form), sent)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read().decode())


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """`work(0)`, `work(1)` ... in as many threads, let go at the same moment."""
    start = Barrier(count)

    def wait_and_work(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_work, range(count)))


def environment(**settings: Any) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    given = {name: str(value) for name, value in settings.items() if value is not None}
    return {**kept, **DEFAULTS, **given}


def rows(url: str, query: str) -> list[Any]:
    """The answer of a database itself, past the application."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return file.execute(query).fetchall()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def is_alive(pid: int) -> bool:
    """Whether there is such a process, or a process of such a group if the number is negative."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def json_lines(log: str) -> list[dict[str, Any]]:
    """The lines of a log in production; each must be an object."""
    whole = log[: log.rfind("\n") + 1]  # the last one may not be written out yet
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    assert all(isinstance(line, dict) for line in lines)
    return lines

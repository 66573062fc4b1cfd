"""New passwords against a list of breached ones: a real server, asked only where that was chosen."""

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from models import User
from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD

BREACHED = "sold on a market in 2021"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


class List(ThreadingHTTPServer):
    """Knows one password; `answer` and `pause` change how it behaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []
        self.status, self.pause = 200, 0.0
        self.lines = f"0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{digest(BREACHED)[5:]}:12\r\n"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/range/"


class Handler(BaseHTTPRequestHandler):
    server: List

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.lines.encode("latin-1"))

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def known() -> Iterator[List]:
    with List() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def asking(blog: Blog, known: List) -> Iterator[Blog]:
    with blog.beside(breached_passwords_url=known.url) as found:
        yield found


def register(blog: Blog, password: str, username: str = ALICE) -> int:
    person = Person(blog, username)
    response = person.register(password)
    assert (response.status_code == 422) == ("in a list that those who guess" in response.text)
    return response.status_code


def test_a_breached_password_is_refused_wherever_one_is_set(asking: Blog) -> None:
    assert register(asking, BREACHED) == 422
    assert asking.rows(User) == []
    alice = Person(asking, ALICE)
    assert alice.register(email="alice@example.org").status_code == 303
    change = {"current_password": PASSWORD, "password": BREACHED}
    assert alice.post("/settings/password", change).status_code == 422
    asking.visitor().post("/auth/forgot", {"email": "alice@example.org"})
    link = asking.link_to("alice@example.org", "reset")
    assert asking.visitor().post(link, {"password": BREACHED}).status_code == 422
    assert asking.visitor().post(link, {"password": "found on no market"}).status_code == 303


def test_only_five_digits_are_told(asking: Blog, known: List) -> None:
    assert register(asking, BREACHED) == 422
    assert known.paths == [f"/range/{digest(BREACHED)[:5]}"]


def test_a_line_that_only_pads_the_answer_refuses_nothing(asking: Blog, known: List) -> None:
    known.lines = f"{digest(BREACHED)[5:]}:0\r\n"
    assert register(asking, BREACHED) == 303


@pytest.mark.parametrize(
    "trouble",
    [{"status": 500}, {"status": 302}, {"lines": "\xff" * 99}, {"lines": ""}, {"pause": 2.0}],
    ids=["broken", "elsewhere", "garbage", "empty", "slow"],
)
def test_a_list_that_does_not_answer_stops_nobody(
    asking: Blog, known: List, trouble: dict[str, Any]
) -> None:
    for name, value in trouble.items():
        setattr(known, name, value)
    assert register(asking, BREACHED) == 303


def test_nor_does_one_that_is_gone(blog: Blog, known: List) -> None:
    with blog.beside(breached_passwords_url="http://127.0.0.1:1/range/") as asking:
        assert register(asking, BREACHED) == 303


def test_nobody_is_asked_unless_that_was_chosen(blog: Blog, known: List) -> None:
    assert register(blog, BREACHED) == 303
    assert known.paths == []

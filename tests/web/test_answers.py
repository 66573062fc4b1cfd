"""Answers in one piece are the same as in the usual messages, on every kind of connection."""

import re
import socket
import time
from typing import Any

import anyio
import pytest

from tests.blog import Blog, Person
from tests.web.test_page_cache import warm
from web.receive_deadline import DeadlineProtocol

CHANGING = {"date", "x-request-id"}


@pytest.fixture
def blog_with_a_post(alice: Person, blog: Blog) -> Blog:
    alice.write("Tides", "Higher than ever. " * 400)
    warm(blog, "/posts/tides")
    return blog


def talk(blog: Blog, said: str) -> bytes:
    """All that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        connection.sendall(said.replace("\n", "\r\n").encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def request(path: str, version: str = "1.1", **headers: str) -> str:
    lines = [f"GET {path} HTTP/{version}", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", ""])


@pytest.mark.parametrize(
    "asked",
    [request("/posts/tides", Connection="close"), request("/posts/tides", "1.0")],
    ids=["asked to", "HTTP/1.0"],
)
def test_a_connection_ends_after_the_answer_where_the_client_wants_that(
    blog_with_a_post: Blog, asked: str
) -> None:
    head, _, body = talk(blog_with_a_post, asked).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.lower().count(b"\r\nconnection: close") == 1
    assert f"content-length: {len(body)}".encode() in head
    assert body.rstrip().endswith(b"</html>")


def test_requests_that_come_at_once_are_answered_one_after_the_other(
    blog_with_a_post: Blog,
) -> None:
    etag = warm(blog_with_a_post, "/posts/tides", **{"accept-encoding": "identity"}).headers["etag"]
    asked = (
        request("/posts/tides")
        + request("/posts/tides", If_None_Match=etag)
        + request("/nothing-here")
        + request("/posts/tides", Connection="close")
    )
    text = talk(blog_with_a_post, asked)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", text) == [b"200", b"304", b"404", b"200"]


def test_a_large_page_arrives_whole(alice: Person, blog: Blog) -> None:
    alice.write("Long", "Higher than ever, & more. " * 5000)
    page = warm(blog, "/posts/long", **{"accept-encoding": "identity"})
    assert len(page.content) > 100_000
    head, _, body = talk(blog, request("/posts/long", Connection="close")).partition(b"\r\n\r\n")
    assert body == page.content
    assert f"content-length: {len(body)}".encode() in head


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_a_server_that_has_no_such_extension_sends_the_same(
    blog_with_a_post: Blog, method: str, known: bool
) -> None:
    blog = blog_with_a_post
    headers = {"accept-encoding": "br"}
    if known:
        headers["if-none-match"] = warm(blog, "/posts/tides", **headers).headers["etag"]
    whole = blog.visitor().client.request(method, "/posts/tides", headers=headers)
    status, parts, body = anyio.run(usual, blog, method, headers)
    assert (status, parts) == (whole.status_code, said(whole.headers.multi_items()))
    assert status == (304 if known else 200)
    is_empty = known or method == "HEAD"
    assert (body == b"") == is_empty
    if not is_empty:
        assert len(body) == int(dict(parts)["content-length"])


async def usual(
    blog: Blog, method: str, headers: dict[str, str]
) -> tuple[int, list[tuple[str, str]], bytes]:
    """As by a server that knows ASGI and nothing else."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    sent = {"host": blog.url.removeprefix("http://"), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/posts/tides",
        "raw_path": b"/posts/tides",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", blog.port),
    }
    await blog.app(scope, receive, send)
    start, *rest = messages
    found = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return start["status"], said(found), b"".join(each["body"] for each in rest)


def said(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name not in CHANGING]


def test_a_page_in_memory_is_answered_before_a_task_is_started(
    blog_with_a_post: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise AssertionError("asked for what is ready")

    monkeypatch.setattr(blog_with_a_post.app, "outside", fail)
    assert talk(blog_with_a_post, request("/posts/tides", "1.0")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert talk(blog_with_a_post, request("/nothing-here", "1.0")).startswith(b"HTTP/1.1 500 ")


def test_whatever_goes_wrong_with_what_is_ready_the_page_is_made(
    blog_with_a_post: Blog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(blog_with_a_post.app, "ready", fail)
    assert talk(blog_with_a_post, request("/posts/tides", "1.0")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert "made anew" in caplog.text


def test_thousands_of_requests_in_a_row_are_all_answered(blog_with_a_post: Blog) -> None:
    """Those behind one that takes its time wait for it."""
    blog, many = blog_with_a_post, 2000
    etag = warm(blog, "/posts/tides", **{"accept-encoding": "identity"}).headers["etag"]
    known = request("/posts/tides", If_None_Match=etag)
    said = talk(
        blog, request("/nothing-here") + known * many + request("/posts/tides", Connection="close")
    )
    found = re.findall(rb"HTTP/1\.1 (\d+) ", said)
    assert found == [b"404", *[b"304"] * many, b"200"]


def test_a_client_that_reads_nothing_fills_no_memory(alice: Person, blog: Blog) -> None:
    alice.write("Long", "Higher than ever, & more. " * 5000)
    size = len(warm(blog, "/posts/long", **{"accept-encoding": "identity"}).content)
    many = 200
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        asked = request("/posts/long") * many + request("/posts/long", Connection="close")
        connection.sendall(asked.replace("\n", "\r\n").encode())
        time.sleep(1)
        waiting = [
            each.transport.get_write_buffer_size()
            for each in blog.server.server_state.connections
            if isinstance(each, DeadlineProtocol) and each.transport
        ]
        read = b"".join(iter(lambda: connection.recv(1024 * 1024), b""))
    assert 0 < max(waiting) < 4 * size
    assert read.count(b"HTTP/1.1 200 OK\r\n") == many + 1

"""Who may see a page is decided at its route, however its address is written."""

from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from tests.blog import Blog, Person

CANARY = "Canary of the harbour"
PROTECTED = ("drafts", "settings", "settings/security", "settings/sessions", "posts/new", "trash")
DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda path: f"/{path}",
    "a slash at the end": lambda path: f"/{path}/",
    "two slashes at the end": lambda path: f"/{path}//",
    "two slashes": lambda path: f"//{path}",
    "an encoded slash": lambda path: f"/%2f{path}",
    "a backslash": lambda path: f"/\\{path}",
    "capitals": lambda path: f"/{path.upper()}",
    "an encoded letter": lambda path: f"/%{ord(path[0]):02x}{path[1:]}",
    "a letter encoded twice": lambda path: f"/%25{ord(path[0]):02x}{path[1:]}",
    "a parameter": lambda path: f"/{path};x",
    "a parameter like a file": lambda path: f"/{path};x.css",
    "a file below it": lambda path: f"/{path}/x.css",
    "an extension": lambda path: f"/{path}.css",
    "a dot": lambda path: f"/./{path}",
    "two dots": lambda path: f"/static/../{path}",
    "encoded dots": lambda path: f"/static/%2e%2e/{path}",
    "a space": lambda path: f"/{path}%20",
    "a NUL": lambda path: f"/{path}%00",
    "a line end": lambda path: f"/{path}%0a",
    "an absolute address": lambda path: f"http://127.0.0.1/{path}",
    "a query": lambda path: f"/{path}?x=.css",
    "a fragment": lambda path: f"/{path}%23x",
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_stranger_sees_nothing_in_any_disguise(
    alice: Person, blog: Blog, disguise: str, method: str
) -> None:
    alice.draft(CANARY)
    for name in PROTECTED:
        path = DISGUISES[disguise](name)
        status, location, body = ask(blog, method, path)
        assert CANARY not in body
        if status == 303:
            assert location.startswith("/auth/login?next=")
        elif status == 301:
            assert location == f"/{name}"
        else:
            assert status in ((405,) if method == "OPTIONS" else ()) + (400, 404), path


def test_head_is_answered_as_get_is(alice: Person, blog: Blog) -> None:
    cookies = "; ".join(f"{each.name}={each.value}" for each in alice.client.cookies.jar)
    for who in ("", cookies):
        for name in PROTECTED:
            for disguise in DISGUISES.values():
                path = disguise(name)
                assert ask(blog, "HEAD", path, who)[:2] == ask(blog, "GET", path, who)[:2], path


def ask(blog: Blog, method: str, path: str, cookies: str = "") -> tuple[int, str, str]:
    """Status, where it leads and what it says; the path goes out as it is."""
    connection = HTTPConnection("127.0.0.1", blog.port, timeout=10)
    connection.putrequest(method, "/", skip_accept_encoding=True)
    connection._buffer[0] = f"{method} {path} HTTP/1.1".encode()  # type: ignore[attr-defined]
    if cookies:
        connection.putheader("Cookie", cookies)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers.get("Location", ""), body

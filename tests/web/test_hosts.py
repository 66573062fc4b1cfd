"""Which names the blog answers to, and what nobody is believed."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.blog import Blog, Person
from tests.people import ALICE
from tests.sockets import refused
from web.hosts import HostGuard

EVIL = "evil.example"
BASE = "https://blog.example"


@pytest.fixture(scope="module")
def named(running_blog: Blog) -> Iterator[Blog]:
    with running_blog.beside(base_url=BASE, trusted_proxies=0) as found:
        yield found


@pytest.fixture(scope="module")
def listed(running_blog: Blog) -> Iterator[Blog]:
    names = "blog.example,.example.org"
    with running_blog.beside(base_url=BASE, allowed_hosts=names) as found:
        yield found


def status_for(blog: Blog, *lines: str, path: str = "/", version: str = "1.1") -> int:
    """The status of a page that is asked for with exactly these header lines."""
    head = "".join(f"{line}\r\n" for line in (f"GET {path} HTTP/{version}", *lines))
    with socket.create_connection(("127.0.0.1", blog.port), timeout=10) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            answer = stream.read().decode()
    found = re.match(r"HTTP/1\.1 (\d{3}) ", answer)
    assert found, answer
    assert EVIL not in answer
    return int(found[1])


@pytest.mark.parametrize(
    "host", ["blog.example", "BLOG.example", "blog.example:443", "blog.example.", "127.0.0.1:1"]
)
def test_it_answers_to_the_name_in_its_base_url(blog: Blog, named: Blog, host: str) -> None:
    assert status_for(named, f"Host: {host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        EVIL,
        f"blog.example.{EVIL}",
        f"{EVIL}:443",
        "www.blog.example",
        "blog.example@" + EVIL,
        "8.8.8.8",
    ],
)
def test_another_name_is_refused(blog: Blog, named: Blog, host: str) -> None:
    for path in ("/", "/auth/login", "/nothing", "/static/css/site.css"):
        assert status_for(named, f"Host: {host}", path=path) == 400


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Host:",),
        ("Host: blog.example", f"Host: {EVIL}"),
        ("Host: blog.example", "Host: blog.example"),
        ("Host: blog.example/path",),
        ("Host: user@blog.example",),
        ("Host: blog.example:port",),
        ("Host: blog example",),
        ("Host: blog.example, blog.example",),
        ("Host: [::1",),
        ("Host: bl\xf6g.example",),
    ],
)
def test_a_host_that_is_missing_doubled_or_garbled_is_refused_everywhere(
    blog: Blog, named: Blog, lines: tuple[str, ...]
) -> None:
    """Also where any name is welcome."""
    assert status_for(named, *lines) == 400
    assert status_for(blog, *lines) == 400


def test_without_a_name_of_its_own_it_answers_to_any(blog: Blog) -> None:
    for host in ("blog.example", "10.0.0.7:8000", "[2001:db8::7]:8000", "web_1:8000"):
        assert status_for(blog, f"Host: {host}") == 200


def test_several_names_can_be_listed(blog: Blog, listed: Blog) -> None:
    for host, status in {
        "blog.example": 200,
        "example.org": 200,
        "www.example.org": 200,
        "notexample.org": 400,
        EVIL: 400,
        "localhost:8000": 200,
    }.items():
        assert status_for(listed, f"Host: {host}") == status, host


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_watches_may_ask_by_any_address(blog: Blog, named: Blog, path: str) -> None:
    for lines in (("Host: 10.0.0.7",), (), ("Host: a", "Host: b")):
        assert status_for(named, *lines, path=path) == 200


def test_an_absolute_address_is_no_other_name(blog: Blog, named: Blog) -> None:
    assert status_for(named, "Host: blog.example", path=f"http://{EVIL}/") == 200
    assert status_for(named, f"Host: {EVIL}", path="http://blog.example/") == 400


def test_a_socket_for_another_name_is_refused(blog: Blog, named: Blog) -> None:
    alice = blog.person(ALICE)
    there = Person(named, ALICE)
    there.client.cookies.update(alice.client.cookies)
    answer = refused(there, origin=BASE, Host=EVIL)
    assert answer.status_code == 400


def test_a_forwarded_host_is_never_believed(blog: Blog, named: Blog) -> None:
    assert status_for(named, f"Host: {EVIL}", "X-Forwarded-Host: blog.example") == 400
    told = {"X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}", "X-Original-Host": EVIL}
    with blog.beside(trusted_proxies=1) as behind:
        for each in (blog, named, behind):
            assert EVIL not in each.visitor().get("/", headers=told).text


UNKEYED = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Scheme": "nothttps",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "666",
    "X-Original-URL": "/admin",
    "X-Rewrite-URL": "/admin",
    "X-HTTP-Method-Override": "POST",
    "Accept-Language": "x-evil",
    "User-Agent": "evil",
    "Referer": f"https://{EVIL}/",
}


@pytest.mark.parametrize("name", UNKEYED)
def test_what_no_cache_looks_at_changes_no_page(alice: Person, blog: Blog, name: str) -> None:
    slug = alice.write()
    stranger = blog.visitor()
    for path in ("/", f"/posts/{slug}", "/auth/login", "/nothing"):
        plain = stranger.get(path)
        changed = stranger.get(path, headers={name: UNKEYED[name]})
        assert (changed.status_code, changed.text) == (plain.status_code, plain.text)
        assert headers_of(changed) == headers_of(plain)


def headers_of(response: object) -> dict[str, str]:
    varying = ("date", "x-request-id")
    return {n: v for n, v in response.headers.items() if n not in varying}  # type: ignore[attr-defined]


def test_a_get_with_a_body_is_a_get(alice: Person, blog: Blog) -> None:
    """A fat GET, and parameters behind a semicolon."""
    stranger = blog.visitor()
    plain = stranger.get("/")
    fat = stranger.client.request("GET", "/", data={"before": "x", "q": "evil"})
    assert (fat.status_code, fat.text) == (200, plain.text)
    assert stranger.get("/?x=1;before=x").text == plain.text


@pytest.mark.parametrize("proto", ["https", "http", "gopher", "https, http"])
def test_without_a_proxy_nobody_tells_the_scheme(blog: Blog, proto: str) -> None:
    """No other headers, no redirect."""
    response = blog.visitor().get("/", headers={"X-Forwarded-Proto": proto})
    assert response.status_code == 200
    assert "strict-transport-security" not in response.headers


def test_behind_a_proxy_its_scheme_counts(blog: Blog) -> None:
    """Told by the last entry, which is the proxy's own; never a loop of redirects."""
    with blog.beside(trusted_proxies=1) as behind:
        for told, is_secure in {"https": True, "http, https": True, "https, http": False}.items():
            response = behind.visitor().get("/", headers={"X-Forwarded-Proto": told})
            assert response.status_code == 200
            assert ("strict-transport-security" in response.headers) is is_secure, told


def test_a_guard_without_names_lets_in_all_that_are_well_formed() -> None:
    async def nobody(*_: object) -> None: ...

    guard = HostGuard(nobody, [], nobody)
    assert guard.lets_in({"path": "/", "headers": [(b"host", b"anything.example")]})
    assert not guard.lets_in({"path": "/", "headers": []})

"""What other sites cannot make a reader's browser do here: anything."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlmodel import SQLModel

from models import AuditEvent
from services import audit
from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD

REFUSED = "This request came from another site"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
Headers = list[tuple[str, str]]

FOREIGN: dict[str, Headers] = {
    "another site": [("Sec-Fetch-Site", "cross-site")],
    "a neighbour under the same domain": [("Sec-Fetch-Site", "same-site")],
    "a site of no known kind": [("Sec-Fetch-Site", "elsewhere")],
    "an empty site": [("Sec-Fetch-Site", "")],
    "a site that shouts": [("Sec-Fetch-Site", "SAME-ORIGIN")],
    "two sites": [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
    "another site with our origin": [("Sec-Fetch-Site", "cross-site"), ("Origin", "OURS")],
    "no origin to speak of": [("Origin", "null")],
    "an empty origin": [("Origin", "")],
    "another origin": [("Origin", "https://evil.example")],
    "our host with another scheme": [("Origin", "https://HOST")],
    "our host as a beginning": [("Origin", "OURS.evil.example")],
    "our host as a user": [("Origin", "OURS@evil.example")],
    "our host on another port": [("Origin", "http://127.0.0.1:1")],
    "our host with a path": [("Origin", "OURS/")],
    "two origins": [("Origin", "OURS"), ("Origin", "https://evil.example")],
    "a list of origins": [("Origin", "OURS, https://evil.example")],
    "what a missing host would be": [("Origin", "unknown")],
}
OWN: dict[str, Headers] = {
    "our own page": [("Sec-Fetch-Site", "same-origin")],
    "the address bar": [("Sec-Fetch-Site", "none")],
    "our own page, in an older browser": [("Origin", "OURS")],
    "our own page, whatever it says of its origin": [
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "null"),
    ],
    "no browser": [],
}


def filled(headers: Headers, blog: Blog) -> Headers:
    host = blog.url.removeprefix("http://")
    return [
        (name, value.replace("OURS", blog.url).replace("HOST", host)) for name, value in headers
    ]


def addresses(blog: Blog, slug: str) -> set[tuple[str, str]]:
    """Every unsafe method with every path that has one, from the table of routes."""
    found = {
        each
        for each in blog.paths(slug=slug, number="1")
        if each[0] not in ("GET", "HEAD", "OPTIONS")
    }
    assert len(found) >= 7
    return found


def everything(blog: Blog) -> dict[str, list[Any]]:
    """All that is stored, but for the counters of tries."""
    models = {each.class_: each for each in SQLModel._sa_registry.mappers}
    return {
        model.__name__: sorted(str(row.model_dump()) for row in blog.rows(model))
        for model in models
        if model.__name__ not in ("Throttle", "StoredSession")
    }


FORM = {
    "username": "mallory",
    "password": PASSWORD,
    "title": "Planted",
    "content": "Planted.",
    "action": "publish",
    "version": "1",
}


def test_another_site_can_change_nothing(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    before = everything(blog)
    for origin, headers in FOREIGN.items():
        for method, path in addresses(blog, slug):
            response = alice.client.request(method, path, data=FORM, headers=filled(headers, blog))
            assert response.status_code == 403, (origin, method, path)
            assert REFUSED in response.text
            assert "session" not in str(response.headers.get_list("set-cookie"))
    assert everything(blog) == before
    assert alice.is_logged_in()


# Pages redirect; the API says 2xx, or 415 to a form, or that a session or a name is no token.
ANSWERS = {303, 400, 404, 409, 410, 422} | {200, 201, 204, 401, 403, 415}


@pytest.mark.parametrize("origin", OWN)
def test_our_own_pages_can_change_everything(alice: Person, blog: Blog, origin: str) -> None:
    headers = filled(OWN[origin], blog)
    for method, path in addresses(blog, alice.write()):
        if path in ("/settings/username", "/admin/owner"):
            continue  # Alice would not be who she was
        response = alice.client.request(method, path, data=FORM, headers=headers)
        assert response.status_code in ANSWERS, (method, path)
        assert REFUSED not in response.text
        alice.client.cookies.clear()
        alice.log_in()
    assert "Planted" in str(everything(blog)["Post"])


@pytest.mark.parametrize("method", UNSAFE)
def test_unknown_addresses_and_methods_are_no_exception(
    alice: Person, blog: Blog, method: str
) -> None:
    for path in ("/no-such-page", "/static/css/site.css", "/favicon.ico", "/", "/healthz"):
        response = alice.client.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
        assert response.status_code == 403, path


def test_links_from_other_sites_work(alice: Person, blog: Blog) -> None:
    slug = alice.write()
    for headers in FOREIGN.values():
        response = alice.get(f"/posts/{slug}", headers=filled(headers, blog))
        assert response.status_code == 200
        assert "Log out" in response.text


def test_nobody_is_logged_in_by_another_site(alice: Person, blog: Blog) -> None:
    victim = blog.visitor()
    for path in ("/auth/login", "/users/register"):
        response = victim.post(
            path,
            {"username": ALICE, "password": PASSWORD},
            headers={"Origin": "https://evil.example"},
        )
        assert response.status_code == 403
        assert "set-cookie" not in response.headers
    assert not victim.is_logged_in()


def test_nobody_is_logged_out_by_another_site(alice: Person) -> None:
    response = alice.post("/auth/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert alice.is_logged_in()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"title=Planted&content=Planted"),
        ("application/json", b'{"title": "Planted", "content": "Planted"}'),
    ],
)
def test_a_body_that_is_no_form_is_no_way_round(
    alice: Person, blog: Blog, kind: str, body: bytes
) -> None:
    headers = {"Content-Type": kind}
    before = everything(blog)
    foreign = {**headers, "Origin": "https://evil.example"}
    assert alice.client.post("/posts", content=body, headers=foreign).status_code == 403
    assert alice.client.post("/posts", content=body, headers=headers).status_code == 415
    assert everything(blog) == before


def test_no_page_changes_anything_by_being_read(alice: Person, blog: Blog) -> None:
    slug = alice.write("A post", tags="tides")
    before, known = everything(blog), len(blog.rows(AuditEvent))
    for method in ("GET", "HEAD", "OPTIONS"):
        for _, path in blog.paths(slug=slug, username=ALICE, tag="tides", number="1"):
            alice.client.request(method, path, params={"_method": "POST", "action": "publish"})
    # That somebody took their data along is worth knowing, but changes nothing.
    noted = {event.action for event in blog.rows(AuditEvent)[known:]}
    assert noted <= {audit.EXPORTED}
    assert everything(blog) | {"AuditEvent": before["AuditEvent"]} == before
    assert alice.is_logged_in()


@pytest.mark.parametrize(
    "disguise", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
)
def test_a_method_in_disguise_stays_what_it_is(alice: Person, disguise: str) -> None:
    slug = alice.write()
    address = f"/posts/{slug}/delete"
    alice.get(address, params={"_method": "POST"}, headers={disguise: "POST"})
    assert alice.get(f"/posts/{slug}").status_code == 200


def test_tracing_is_refused(alice: Person, blog: Blog) -> None:
    response = alice.client.request("TRACE", "/", headers={"X-Secret": "canary"})
    assert response.status_code == 405
    assert "canary" not in response.text


# Under a name of its own, behind a proxy that speaks HTTPS.


@pytest.fixture(scope="module")
def named(running_blog: Blog) -> Iterator[Blog]:
    with running_blog.beside(base_url="https://blog.example") as found:
        yield found


@pytest.fixture(scope="module")
def behind_proxy(running_blog: Blog) -> Iterator[Blog]:
    with running_blog.beside(trusted_proxies=1) as found:
        yield found


def log_out_from(blog: Blog, origin: str, **headers: str) -> httpx2.Response:
    return blog.visitor().post("/auth/logout", headers={"Origin": origin, **headers})


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://blog.example", 303),
        ("https://BLOG.example", 303),
        ("http://blog.example", 403),
        ("https://blog.example.evil.example", 403),
        ("https://www.blog.example", 403),
        ("null", 403),
    ],
)
def test_the_name_of_the_blog_is_its_origin(
    blog: Blog, named: Blog, origin: str, status: int
) -> None:
    assert log_out_from(named, origin).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://blog.example", 303), ("http://blog.example", 403), ("https://127.0.0.1", 403)],
)
def test_behind_a_proxy_its_scheme_counts(
    blog: Blog, behind_proxy: Blog, origin: str, status: int
) -> None:
    told = {"Host": "blog.example", "X-Forwarded-Proto": "https"}
    assert log_out_from(behind_proxy, origin, **told).status_code == status


def test_without_a_proxy_nobody_may_tell_the_scheme(blog: Blog) -> None:
    told = {"Host": "blog.example", "X-Forwarded-Proto": "https"}
    assert log_out_from(blog, "https://blog.example", **told).status_code == 403

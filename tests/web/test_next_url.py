"""After logging in one goes to a page of this blog, whatever the address bar was made to say."""

from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest

import auth_service
from tests.blog import Blog, Person
from tests.people import ALICE, PASSWORD
from web.next_url import safe_next

# Each has a meaning to some browser, proxy or URL library that is not "a page of this blog".
NASTY = [
    "",
    " ",
    "evil.example",
    "www.evil.example/posts",
    "posts",
    "./posts",
    "../posts",
    "?next=/",
    "#top",
    "@evil.example",
    ":80",
    "http://evil.example",
    "http://evil.example/posts",
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "http:evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "http:\\\\evil.example",
    "http://good.example@evil.example",
    "http://[::1]/",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://evil.example/1",
    "mailto:evil@evil.example",
    "//evil.example",
    "//evil.example/posts",
    "///evil.example",
    "////evil.example",
    "//evil.example@127.0.0.1",
    "//127.0.0.1/posts",
    "//",
    "///",
    "/\\evil.example",
    "/\\/evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\\\evil.example",
    "/ /evil.example",
    " //evil.example",
    "//evil.example ",
    "/\t/evil.example",
    "/\t\\evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "/\x00/evil.example",
    "/\x08//evil.example",
    "\x08//evil.example",
    "/\x0b/evil.example",
    "/\x0c/evil.example",
    "/\x1f/evil.example",
    "/\x7f/evil.example",
    "/\x85/evil.example",
    "/\xa0/evil.example",
    "/\u200b/evil.example",
    "/\u2028/evil.example",
    "/\u2029/evil.example",
    "/\u202e/evil.example",
    "/\u2060/evil.example",
    "/\ufeff/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aSet-Cookie:%20planted=1",
    "/%00/evil.example",
    "/%20/evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%252fevil.example",
    "/%255cevil.example",
    "/%25%32%66evil.example",
    "/%2e%2e//evil.example",
    "/%e2%80%a8/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/posts/..//evil.example",
    "/posts//evil.example",
    "/posts/%2fevil.example",
    "/posts\r\nSet-Cookie: planted=1",
    "/posts?page=1\r\nSet-Cookie: planted=1",
    "/posts?x=\x00",
    "/posts?x=\\",
    "/posts#\n",
    "/" + "x" * 2000,
]
GOOD = [
    "/",
    "/posts/new",
    "/posts/new?title=A%20tide&tags=sea,lamp",
    "/posts?before=abc&after=def",
    "/search?q=a+b%26c",
    "/search?q=%C3%A9t%C3%A9",
    "/search?q=http://elsewhere.example/x",
    "/search?next=//elsewhere.example",
    "/posts/tide?x=%0d%0a",
    "/posts/tide#comments",
    "/tags/%E6%BD%AE",
    "/users/alice",
    "/posts/a-b_c.d~e",
    "/posts/tide/edit?version=3",
    "/?",
    "/posts/a:b@c",
]


def named(values: list[str]) -> list[str]:
    return [ascii(value[:40]) for value in values]


@pytest.mark.parametrize("wanted", NASTY, ids=named(NASTY))
def test_what_is_not_plainly_a_page_of_ours_is_the_front_page(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@pytest.mark.parametrize("wanted", GOOD, ids=named(GOOD))
def test_a_page_of_ours_is_kept_with_its_query(wanted: str) -> None:
    assert safe_next(wanted) == wanted


def test_nothing_wanted_is_the_front_page() -> None:
    assert safe_next(None) == "/"


def test_whatever_follows_a_slash_of_ours_stays_here() -> None:
    """Every character in the places where browsers have been fooled."""
    for number in (*range(0x3000), *range(0xD800, 0xE000), *range(0xFE00, 0x10000)):
        character = chr(number)
        for wanted in (f"/{character}/evil.example", f"{character}//evil.example"):
            found = safe_next(wanted)
            assert found.startswith("/")
            assert not found.startswith(("//", "/\\"))
            if character in "/\\" or not character.isprintable():
                assert found == "/", hex(number)


# Over HTTP, in every place where somebody can say where to go.


def test_login_leads_to_no_other_site(alice: Person, blog: Blog) -> None:
    for wanted in NASTY:
        alice.client.cookies.clear()
        response = alice.log_in(next=wanted)
        assert response.status_code == 303, wanted
        assert response.headers["location"] == "/", wanted
        assert "planted" not in str(response.headers)


def test_login_leads_where_one_wanted_to_go(alice: Person) -> None:
    for wanted in GOOD:
        alice.client.cookies.clear()
        assert alice.log_in(next=wanted).headers["location"] == wanted


def test_registration_leads_to_no_other_site(
    alice: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = replace(auth_service.REGISTRATIONS_OF_ADDRESS, most=500)
    monkeypatch.setattr(auth_service, "REGISTRATIONS_OF_ADDRESS", many)
    for number, wanted in enumerate(NASTY[::4]):
        person = Person(blog, f"reader-{number}")
        response = person.register(next=wanted)
        assert response.status_code == 303, wanted
        assert response.headers["location"] == "/", wanted


def test_registration_leads_where_one_wanted_to_go(alice: Person, blog: Blog) -> None:
    for number, wanted in enumerate(GOOD):
        assert Person(blog, f"reader-{number}").register(next=wanted).headers["location"] == wanted


@pytest.mark.parametrize("form", ["/auth/login", "/users/register"])
def test_whoever_is_logged_in_is_led_to_no_other_site(alice: Person, form: str) -> None:
    for wanted in NASTY:
        response = alice.get(f"{form}?next={quote(wanted, safe='')}")
        assert response.status_code == 303, wanted
        assert response.headers["location"] == "/", wanted
    for wanted in GOOD:
        response = alice.get(f"{form}?next={quote(wanted, safe='')}")
        assert response.headers["location"] == wanted


@pytest.mark.parametrize("form", ["/auth/login", "/users/register"])
def test_the_form_carries_no_other_site(stranger: Person, form: str) -> None:
    for wanted in NASTY:
        response = stranger.get(f"{form}?next={quote(wanted, safe='')}")
        assert response.status_code == 200, wanted
        assert "evil.example" not in response.text


def test_the_query_of_a_form_does_not_overrule_it(alice: Person, blog: Blog) -> None:
    alice.client.cookies.clear()
    form = {"username": ALICE, "password": PASSWORD, "next": "/posts/new"}
    response = alice.post("/auth/login?next=//evil.example", form)
    assert response.headers["location"] == "/posts/new"


def test_two_wishes_are_none(alice: Person) -> None:
    alice.client.cookies.clear()
    fields = [
        ("username", ALICE),
        ("password", PASSWORD),
        ("next", "/posts"),
        ("next", "//evil.example"),
    ]
    response = alice.client.post(
        "/auth/login",
        content=urlencode(fields),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 422
    assert "location" not in response.headers


def test_a_mistyped_password_does_not_lose_the_way(alice: Person) -> None:
    alice.client.cookies.clear()
    response = alice.log_in("not her password", next="/posts/new?title=Kept&x=1")
    assert response.status_code == 401
    assert 'name="next" value="/posts/new?title=Kept&amp;x=1"' in response.text


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/posts/", "/%2Fevil.example/", "/\\evil.example/"]
)
def test_a_slash_too_many_leads_to_no_other_site(stranger: Person, blog: Blog, path: str) -> None:
    response = stranger.client.get(blog.url + path)
    assert response.status_code in (301, 404)
    if response.status_code == 301:
        location = response.headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))

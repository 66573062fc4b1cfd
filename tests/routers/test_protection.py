"""SESSION_PROTECTION: a login that turns up with another browser or from another network."""

from collections.abc import Iterator

import pytest

from models import Login
from tests.blog import Blog, Person
from tests.people import ALICE

SENSITIVE = "/settings/delete"
MOVED = {"User-Agent": "somebody else's browser"}


@pytest.fixture
def basic(blog: Blog, alice: Person) -> Iterator[Blog]:
    with blog.beside(session_protection="basic", trusted_proxies=1) as found:
        yield found


@pytest.fixture
def strong(blog: Blog, alice: Person) -> Iterator[Blog]:
    with blog.beside(session_protection="strong") as found:
        yield found


@pytest.fixture
def off(blog: Blog, alice: Person) -> Iterator[Blog]:
    with blog.beside(session_protection="off") as found:
        yield found


def log_in_at(blog: Blog, **fields: str) -> Person:
    person = Person(blog, ALICE)
    assert person.log_in(**fields).status_code == 303
    return person


def test_basic_asks_again_before_anything_sensitive(basic: Blog) -> None:
    alice = log_in_at(basic)
    assert alice.get(SENSITIVE).status_code == 200
    assert alice.get("/drafts", headers=MOVED).status_code == 200
    for headers in (MOVED, {}):  # coming back does not make it fresh again
        response = alice.get(SENSITIVE, headers=headers)
        assert response.headers["location"].startswith("/auth/confirm")


def test_a_password_makes_it_fresh_where_it_is_now(basic: Blog) -> None:
    alice = log_in_at(basic)
    alice.client.headers.update(MOVED)
    alice.get("/drafts")
    alice.post("/auth/confirm", {"password": "a quay in the north"})
    assert alice.get(SENSITIVE).status_code == 200


@pytest.mark.parametrize(
    ("came_from", "goes_on_from", "is_fresh"),
    [
        ("192.0.2.1", "192.0.2.77", True),  # the same /24
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", True),  # the same /48
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("192.0.2.1", "2001:db8::1", False),
    ],
)
def test_a_network_counts_as_one_place(
    basic: Blog, came_from: str, goes_on_from: str, is_fresh: bool
) -> None:
    alice = Person(basic, ALICE)
    alice.client.headers["X-Forwarded-For"] = came_from
    alice.log_in()
    alice.client.headers["X-Forwarded-For"] = goes_on_from
    assert alice.get("/drafts").status_code == 200
    assert (alice.get(SENSITIVE).status_code == 200) == is_fresh


def test_an_address_that_anybody_can_write_is_not_believed(off: Blog, strong: Blog) -> None:
    alice = log_in_at(strong)
    assert alice.get(SENSITIVE, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200


def test_strong_ends_a_login_that_is_not_remembered(strong: Blog) -> None:
    alice = log_in_at(strong)
    before = len(strong.rows(Login))
    response = alice.get("/drafts", headers=MOVED)
    assert response.headers["location"] == "/auth/login?next=%2Fdrafts"
    assert "inkstand_session" not in alice.client.cookies
    assert alice.get("/drafts").status_code == 303
    assert len(strong.rows(Login)) == before - 1


def test_strong_ends_it_before_a_form_does_anything(strong: Blog) -> None:
    from models import Post

    alice = log_in_at(strong)
    form = {"title": "By a thief", "content": "With a stolen cookie."}
    assert alice.post("/posts", form, headers=MOVED).status_code == 303
    assert strong.rows(Post) == []
    assert alice.get("/drafts").status_code == 303


def test_strong_lets_a_remembered_login_go_on_but_not_fresh(strong: Blog) -> None:
    alice = log_in_at(strong, remember="on")
    assert alice.get("/drafts", headers=MOVED).status_code == 200
    assert alice.get(SENSITIVE, headers=MOVED).headers["location"].startswith("/auth/confirm")


def test_off_means_off(off: Blog) -> None:
    alice = log_in_at(off)
    assert alice.get(SENSITIVE, headers=MOVED).status_code == 200


def test_strangers_cost_nothing_and_get_no_cookie(strong: Blog) -> None:
    for headers in ({}, MOVED):
        assert "set-cookie" not in strong.visitor().get("/", headers=headers).headers

"""Showing again who one is: when that is asked, what it takes, and what it changes."""

from datetime import timedelta

import pytest

import auth_service
from models import AuditEvent, now
from services import audit
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, PASSWORD
from tests.routers.test_auth import all_hashing
from web.sessions import Session

SENSITIVE = "/settings/two-factor"
COOKIE = "inkstand_session"


@pytest.fixture
def stale(bob: Person) -> Person:
    """Bob, whom a cookie brought back: logged in, and not fresh."""
    bob.log_in_again(remember="on")
    bob.lose_session()
    assert bob.get("/drafts").status_code == 200
    return bob


def confirm(person: Person, password: str = PASSWORD, **fields: str) -> int:
    return person.post("/auth/confirm", {"password": password, **fields}).status_code


def test_a_login_that_a_cookie_brought_back_is_not_fresh(stale: Person) -> None:
    response = stale.get(f"{SENSITIVE}?from=settings")
    assert response.status_code == 303
    assert response.headers["location"] == (
        "/auth/confirm?next=%2Fsettings%2Ftwo-factor%3Ffrom%3Dsettings"
    )


def test_the_password_makes_it_fresh_and_leads_on(stale: Person) -> None:
    form = stale.get(SENSITIVE, follow_redirects=True)
    assert f'name="next" value="{SENSITIVE}"' in form.text
    response = stale.post("/auth/confirm", {"password": PASSWORD, "next": SENSITIVE})
    assert response.status_code == 303
    assert response.headers["location"] == SENSITIVE
    assert stale.get(SENSITIVE).status_code == 200


def test_it_leads_to_no_other_site(stale: Person) -> None:
    response = stale.post("/auth/confirm", {"password": PASSWORD, "next": "//evil.example"})
    assert response.headers["location"] == "/"


@pytest.mark.parametrize("wrong", ["a wrong password", "mallory has this one"])
def test_another_password_does_not(stale: Person, blog: Blog, wrong: str) -> None:
    """Nor somebody else's."""
    Person(blog, "mallory").register(password="mallory has this one")
    response = stale.post("/auth/confirm", {"password": wrong, "next": SENSITIVE})
    assert response.status_code == 401
    assert "That is not your password." in response.text
    assert f'name="next" value="{SENSITIVE}"' in response.text
    assert wrong not in response.text
    assert stale.get(SENSITIVE).status_code == 303
    failed = [e for e in blog.rows(AuditEvent) if e.action == audit.CONFIRMATION_FAILED]
    assert [(event.username, event.actor_id) for event in failed] == [(BOB, None)]


@pytest.mark.parametrize("sent", ["", "x" * 5000, "\0"])
def test_what_is_no_password_is_no_guess(stale: Person, sent: str) -> None:
    for _ in range(auth_service.FAILURES_OF_PERSON.most + 1):
        assert confirm(stale, sent) in (401, 422)
        if sent == "\0":
            break
    assert confirm(stale) == 303


def test_ten_guesses_are_enough(stale: Person, blog: Blog, alice: Person) -> None:
    guesses = [confirm(stale, "a guess") for _ in range(auth_service.FAILURES_OF_PERSON.most)]
    assert set(guesses) == {401}
    assert confirm(stale) == 429
    assert stale.get("/drafts").status_code == 200  # nobody is thrown out for that
    assert confirm(alice) == 303


def test_being_asked_to_come_back_is_no_guess(stale: Person) -> None:
    with all_hashing():
        for _ in range(auth_service.FAILURES_OF_PERSON.most + 1):
            assert confirm(stale) == 503
    assert confirm(stale) == 303


def test_a_login_is_fresh_for_a_quarter_of_an_hour(bob: Person) -> None:
    assert bob.get(SENSITIVE).status_code == 200
    for age, fresh in ((timedelta(minutes=14), True), (timedelta(minutes=15), False)):
        session = Session()
        session.set("fresh_at", (now() - age).timestamp())
        assert auth_service.is_fresh(session) is fresh


@pytest.mark.parametrize("stored", [None, True, "1e99", [], {}])
def test_a_time_that_is_none_is_not_fresh(stored: object) -> None:
    session = Session()
    session.set("fresh_at", stored)
    assert not auth_service.is_fresh(session)


def test_a_form_leads_back_to_the_page_it_was_on(stale: Person) -> None:
    """Never to an address that only takes forms."""
    headers = {"Referer": f"{stale.blog.url}{SENSITIVE}"}
    response = stale.post(f"{SENSITIVE}/secret", headers=headers)
    assert response.headers["location"] == "/auth/confirm?next=%2Fsettings%2Ftwo-factor"


def test_the_session_goes_on_under_a_new_id(stale: Person) -> None:
    """A copy of the cookie that was made before is worth nothing (ASVS 7.2.4)."""
    thief = stale.copy()
    thief.client.cookies.delete("inkstand_remember")
    before = stale.client.cookies[COOKIE]
    assert confirm(stale) == 303
    assert stale.client.cookies[COOKIE] != before
    assert thief.get("/drafts").status_code == 303
    assert stale.get(SENSITIVE).status_code == 200


def test_it_stays_a_login_that_outlives_the_browser(stale: Person) -> None:
    response = stale.post("/auth/confirm", {"password": PASSWORD})
    [line] = [
        line for line in response.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")
    ]
    assert "Max-Age=2592000" in line


def test_strangers_confirm_nothing(stranger: Person, alice: Person) -> None:
    for response in (
        stranger.get("/auth/confirm"),
        stranger.post("/auth/confirm", {"password": PASSWORD, "username": ALICE}),
    ):
        assert response.status_code == 303
        assert response.headers["location"].startswith("/auth/login")

"""Switching an authenticator app on and off, and the recovery codes that come with it."""

import re

import pyotp
import pytest

from models import AuditEvent, RecoveryCode, User
from services import audit
from tests.blog import Blog, Person
from tests.factors import (
    CODES,
    PAGE,
    at_second_step,
    begin_app,
    grow_old,
    recovery_codes,
    second_step,
    set_up_app,
)
from tests.people import BOB

ADDRESS = "bob@example.org"


@pytest.fixture
def reachable(bob: Person, blog: Blog) -> Person:
    """Bob, who has an address."""
    blog.put(User, email=ADDRESS, email_key=ADDRESS)
    return bob


def is_on(blog: Blog) -> bool:
    return any(user.totp_secret for user in blog.rows(User))


def actions(blog: Blog) -> list[str]:
    return [event.action for event in blog.rows(AuditEvent)]


# The app.


def test_it_is_off_until_somebody_wants_it(bob: Person, blog: Blog) -> None:
    assert "It is off" in bob.get(PAGE).text
    assert bob.get(f"{PAGE}/new").headers["location"] == PAGE
    assert bob.log_in_again().headers["location"] == "/"


def test_the_page_shows_a_picture_a_link_and_a_key_that_are_the_same(bob: Person) -> None:
    app = begin_app(bob)
    page = bob.get(f"{PAGE}/new").text
    link = re.search(r'href="(otpauth://[^"]+)"', page)
    assert link
    parsed = pyotp.parse_uri(link[1].replace("&amp;", "&"))
    assert (parsed.secret, parsed.name, parsed.issuer) == (app.totp.secret, "bob", "Inkstand")
    assert "<svg " in page
    assert "style=" not in page  # which the Content Security Policy would drop


def test_the_key_stays_the_same_when_the_page_is_loaded_again(bob: Person) -> None:
    app = begin_app(bob)
    assert begin_app(bob).totp.secret == app.totp.secret
    assert len(app.totp.secret) == 32  # 160 bits (RFC 4226, section 4)


def test_two_people_have_two_keys(bob: Person, mallory: Person) -> None:
    assert begin_app(bob).totp.secret != begin_app(mallory).totp.secret


@pytest.mark.parametrize("code", ["000000", "", "not a code", "\0", "x" * 500])
def test_a_wrong_code_switches_nothing_on(bob: Person, blog: Blog, code: str) -> None:
    app = begin_app(bob)
    response = bob.post(PAGE, {"code": code})
    assert response.status_code == 422
    assert "<svg " in response.text
    assert app.totp.secret[:4] in response.text
    assert not is_on(blog)
    assert blog.rows(RecoveryCode) == []
    assert bob.post(PAGE, {"code": app.code()}).status_code == 303


def test_a_right_code_switches_it_on_and_brings_recovery_codes(bob: Person, blog: Blog) -> None:
    app = begin_app(bob)
    response = bob.post(PAGE, {"code": app.code()})
    assert response.headers["location"] == CODES
    assert is_on(blog)
    assert len(recovery_codes(bob)) == 10
    assert "It is on" in bob.get(PAGE).text
    assert audit.APP_ADDED in actions(blog)


def test_without_a_key_there_is_nothing_to_prove(bob: Person, blog: Blog) -> None:
    response = bob.post(PAGE, {"code": "123456"})
    assert response.headers["location"] == PAGE
    assert "Please begin again." in bob.get(PAGE).text
    assert not is_on(blog)


def test_the_form_that_was_sent_twice_changes_nothing(bob: Person, blog: Blog) -> None:
    app = set_up_app(bob)
    before = blog.rows(User)
    assert bob.post(PAGE, {"code": app.code()}).status_code == 303
    assert blog.rows(User) == before


def test_another_app_takes_the_place_of_the_first(bob: Person, blog: Blog) -> None:
    first = set_up_app(bob)
    codes = recovery_codes(bob)
    second = set_up_app(bob)
    assert second_step(at_second_step(blog, BOB), first.next_code()) == 401
    assert second_step(at_second_step(blog, BOB), second.next_code()) == 303
    assert second_step(at_second_step(blog, BOB), codes[0]) == 303


def test_it_can_be_removed(bob: Person, blog: Blog) -> None:
    set_up_app(bob)
    assert "Remove the authenticator app?" in bob.get(f"{PAGE}/delete").text
    assert is_on(blog)
    assert bob.post(f"{PAGE}/delete").headers["location"] == PAGE
    assert not is_on(blog)
    assert blog.rows(RecoveryCode) == []
    assert audit.APP_REMOVED in actions(blog)
    assert bob.log_in_again().headers["location"] == "/"


def test_removing_what_is_not_there_is_no_event(bob: Person, blog: Blog) -> None:
    assert bob.post(f"{PAGE}/delete").status_code == 303
    assert audit.APP_REMOVED not in actions(blog)


def test_the_owner_is_told_when_it_goes_on_and_off(reachable: Person, blog: Blog) -> None:
    set_up_app(reachable)
    reachable.post(f"{PAGE}/delete")
    on, off = (mail.body for mail in blog.mails_to(ADDRESS))
    assert "An authenticator app was set up." in on
    assert "The authenticator app was removed." in off


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PAGE),
        ("POST", PAGE),
        ("POST", f"{PAGE}/secret"),
        ("GET", f"{PAGE}/new"),
        ("POST", f"{PAGE}/delete"),
        ("GET", CODES),
        ("POST", CODES),
        ("GET", "/settings/passkeys"),
        ("POST", "/settings/passkeys"),
        ("POST", "/settings/passkeys/options"),
    ],
)
def test_an_old_login_changes_nothing(bob: Person, blog: Blog, method: str, path: str) -> None:
    """And all its neighbours."""
    app = set_up_app(bob)
    before = sorted(row.digest for row in blog.rows(RecoveryCode))
    bob.log_out()
    bob.log_in(remember="on")
    second_step(bob, app.next_code())
    bob.lose_session()
    response = bob.client.request(method, path)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/auth/confirm?next=")
    assert is_on(blog)
    assert sorted(row.digest for row in blog.rows(RecoveryCode)) == before


# Recovery codes.


def test_they_are_shown_until_they_are_noted_down(bob: Person) -> None:
    set_up_app(bob)
    shown = recovery_codes(bob)
    assert len(set(shown)) == 10
    assert recovery_codes(bob) == shown  # the page may be loaded again
    assert bob.post(f"{CODES}/noted").headers["location"] == PAGE
    assert recovery_codes(bob) == []
    assert "10 of your codes are left." in bob.get(CODES).text


def test_they_are_shown_in_no_other_session(bob: Person, blog: Blog) -> None:
    app = set_up_app(bob)
    other = at_second_step(blog, BOB)
    second_step(other, app.next_code())
    assert recovery_codes(other) == []


def test_new_ones_take_the_place_of_the_old(reachable: Person, blog: Blog) -> None:
    set_up_app(reachable)
    old = recovery_codes(reachable)
    assert reachable.post(CODES).headers["location"] == CODES
    new = recovery_codes(reachable)
    assert len(blog.rows(RecoveryCode)) == 10
    assert not set(old) & set(new)
    assert second_step(at_second_step(blog, BOB), old[0]) == 401
    assert second_step(at_second_step(blog, BOB), new[0]) == 303
    assert audit.RECOVERY_CODES_MADE in actions(blog)
    assert "New recovery codes were made." in blog.mails_to(ADDRESS)[1].body


def test_there_are_none_without_a_second_factor(bob: Person, blog: Blog) -> None:
    assert bob.post(CODES).status_code == 404
    assert blog.rows(RecoveryCode) == []
    assert "you have none" in bob.get(CODES).text


# Showing again who one is.


def confirm(person: Person, **fields: str) -> int:
    return person.post("/auth/confirm", {"next": "/drafts", **fields}).status_code


def test_a_code_makes_a_login_fresh(bob: Person, blog: Blog) -> None:
    app = set_up_app(bob)
    bob.log_out()
    bob.log_in(remember="on")
    second_step(bob, app.next_code())
    bob.lose_session()
    page = bob.get("/auth/confirm").text
    assert 'inputmode="numeric" autocomplete="one-time-code"' in page
    code = app.next_code()
    assert confirm(bob, code="000000") == 401
    assert bob.get(PAGE).status_code == 303
    assert confirm(bob, code=code) == 303
    assert bob.get(PAGE).status_code == 200
    assert confirm(bob, code=code) == 401  # used up
    [confirmed] = [event for event in blog.rows(AuditEvent) if event.action == audit.CONFIRMED]
    assert confirmed.details == {"by": "code"}


def test_who_has_no_app_is_not_asked_for_a_code(bob: Person) -> None:
    grow_old(bob)
    assert "one-time-code" not in bob.get("/auth/confirm").text
    assert confirm(bob, code="123456") == 401
    assert bob.get(PAGE).status_code == 303


def test_nothing_is_not_enough(bob: Person) -> None:
    grow_old(bob)
    assert confirm(bob) == 422
    assert confirm(bob, password="") == 422


def test_codes_cannot_be_guessed_there_either(bob: Person) -> None:
    app = set_up_app(bob)
    for _ in range(5):
        assert confirm(bob, code="000000") == 401
    assert confirm(bob, code=app.next_code()) == 429


def test_a_recovery_code_is_not_for_that(bob: Person) -> None:
    set_up_app(bob)
    assert confirm(bob, code=recovery_codes(bob)[0]) == 401

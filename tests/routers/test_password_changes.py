"""Changing one's password: what it takes, and what ends with the old one."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete

from auth_service import FAILURES_OF_PERSON
from models import ApiToken, AuditEvent, Login, RefreshToken, User, now
from services import audit, passwords
from tests.blog import Blog, Person
from tests.people import BOB, PASSWORD

ADDRESS = "bob@example.org"
NEW = "another quay, further south"


@pytest.fixture
def bob(alice: Person, blog: Blog) -> Person:
    person = Person(blog, BOB)
    person.register(email=ADDRESS)
    person.get("/")
    return person


def change(person: Person, password: str = NEW, current: str = PASSWORD) -> httpx2.Response:
    form = {"current_password": current, "password": password}
    return person.post("/settings/password", form)


def can_log_in(blog: Blog, password: str) -> bool:
    return Person(blog, BOB).log_in(password).status_code == 303


def test_a_password_is_changed(bob: Person, blog: Blog) -> None:
    assert bob.get("/settings/password").status_code == 200
    answer = change(bob)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    assert "Your password is changed" in bob.get("/settings").text
    assert can_log_in(blog, NEW)
    assert not can_log_in(blog, PASSWORD)


def test_its_owner_is_told_and_it_is_written_down(bob: Person, blog: Blog) -> None:
    change(bob)
    mail = blog.mails_to(ADDRESS)[-1]
    assert mail.subject == "Your password for Inkstand is changed"
    assert "127.0.0.1" in mail.body
    assert NEW not in mail.body
    assert blog.rows(AuditEvent)[-1].action == audit.PASSWORD_CHANGED


def test_all_other_devices_are_logged_out_and_this_one_goes_on(bob: Person, blog: Blog) -> None:
    """Under a new id, and the old one is worth nothing."""
    others = [Person(blog, BOB), Person(blog, BOB)]
    for other in others:
        other.log_in(remember="on")
    copied = bob.copy()
    before = bob.client.cookies["inkstand_session"]
    change(bob)
    assert bob.get("/drafts").status_code == 200
    assert bob.client.cookies["inkstand_session"] != before
    assert copied.get("/drafts").status_code == 303
    for other in others:
        assert other.get("/drafts").status_code == 303
        other.lose_session()
        assert other.get("/drafts").status_code == 303
    assert len(blog.rows(Login)) == 2  # this one, and that of Alice


def test_this_device_stays_remembered(bob: Person) -> None:
    """The own cookie still works."""
    bob.log_in_again(remember="on")
    change(bob)
    bob.lose_session()
    assert bob.get("/drafts").status_code == 200


def test_nobody_else_is_logged_out(bob: Person, alice: Person) -> None:
    change(bob)
    assert alice.get("/drafts").status_code == 200


def test_what_programs_were_given_for_the_password_ends(bob: Person, blog: Blog) -> None:
    """Refresh tokens end; personal access tokens are ended one by one."""
    bob_id = next(user.id for user in blog.rows(User) if user.username == BOB)
    alice_id = next(user.id for user in blog.rows(User) if user.username != BOB)
    with blog.database.writing() as db:
        for user_id in (bob_id, alice_id):
            expires_at = now() + timedelta(days=1)
            db.add(RefreshToken(user_id=user_id, digest="r", expires_at=expires_at))
        db.add(ApiToken(user_id=bob_id, name="a", hint="ink_", digest="a"))
    change(bob)
    assert [token.user_id for token in blog.rows(RefreshToken)] == [alice_id]
    assert len(blog.rows(ApiToken)) == 1


def test_without_the_password_of_now_nothing_changes(bob: Person, blog: Blog) -> None:
    for current, sentence in (
        ("not the password", "That is not your password"),
        ("", "fill this in"),
    ):
        answer = change(bob, current=current)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'id="current_password-error"' in answer.text
    assert can_log_in(blog, PASSWORD)
    assert audit.CONFIRMATION_FAILED in [event.action for event in blog.rows(AuditEvent)]


def test_guessing_the_password_of_now_comes_to_an_end(bob: Person, blog: Blog) -> None:
    """The tries are counted for the person, wherever they are."""
    statuses = [
        change(bob, current="not the password").status_code for _ in range(FAILURES_OF_PERSON.most)
    ]
    assert statuses == [422] * FAILURES_OF_PERSON.most
    answer = change(bob)
    assert answer.status_code == 429
    assert answer.headers["retry-after"]
    assert can_log_in(blog, PASSWORD)


def test_a_login_that_is_not_fresh_is_asked_first(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    bob.lose_session()
    for answer in (bob.get("/settings/password"), change(bob)):
        assert answer.status_code == 303
        assert answer.headers["location"] == "/auth/confirm?next=%2Fsettings%2Fpassword"
    assert can_log_in(blog, PASSWORD)


def test_a_stranger_changes_nothing(bob: Person, stranger: Person, blog: Blog) -> None:
    assert change(stranger).headers["location"].startswith("/auth/login")
    assert can_log_in(blog, PASSWORD)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Please fill this in."),
        ("short", "At least 8 characters"),
        ("password1234", "guessed first"),
        ("inkstand", "too easy to guess"),
        ("bob@example.org", "too easy to guess"),
        ("Bob of the harbour", "too easy to guess"),
        ("x" * 5000, "At most 4096 bytes"),
    ],
)
def test_a_poor_password_is_refused(bob: Person, blog: Blog, password: str, sentence: str) -> None:
    """Also the name that readers see."""
    bob.post("/settings/profile", {"display_name": "Bob of the Harbour"})
    answer = change(bob, password)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert PASSWORD not in answer.text
    assert can_log_in(blog, PASSWORD)


@pytest.mark.parametrize(
    ("password", "typed", "wrong"),
    [
        ("🙂🚀🌻🖋" * 3, "🙂🚀🌻🖋" * 3, "🙂🚀🌻🖋" * 2 + "🙂🚀🌻🙂"),
        ("café ﬁnance Å", "cafe\u0301 finance A\u030a", "cafe finance A"),
        ("a long one, " * 10 + "12345678", "a long one, " * 10 + "12345678", "a long one, " * 7),
    ],
)
def test_any_good_password_will_do(
    bob: Person, blog: Blog, password: str, typed: str, wrong: str
) -> None:
    """By way of the settings."""
    assert change(bob, password).status_code == 303
    assert can_log_in(blog, typed)
    assert not can_log_in(blog, wrong)


def test_who_has_no_password_sets_a_first_one(bob: Person, blog: Blog) -> None:
    """They log in by passkey or with an account elsewhere, and have just done so."""
    blog.put(User, password_hash="")
    page = bob.get("/settings/password").text
    assert "Set a password" in page
    assert "current_password" not in page
    assert bob.post("/settings/password", {"password": NEW}).status_code == 303
    assert can_log_in(blog, NEW)


def test_a_change_that_a_reset_overtakes_changes_nothing(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thief who knows the old password must not win against the owner's link by a moment."""
    blog.visitor().post("/auth/forgot", {"email": ADDRESS})
    link, hash_password = blog.link_to(ADDRESS, "reset"), passwords.hash_password

    def hash_while_it_is_reset(*given: Any) -> str:
        monkeypatch.undo()
        assert blog.visitor().post(link, {"password": NEW}).status_code == 303
        return hash_password(*given)

    monkeypatch.setattr(passwords, "hash_password", hash_while_it_is_reset)
    answer = change(bob, "the thief's own password")
    assert answer.status_code == 409
    assert "changed elsewhere meanwhile" in answer.text
    assert not bob.is_logged_in()
    assert can_log_in(blog, NEW)


def test_an_account_that_goes_meanwhile_is_gone(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password = passwords.hash_password

    def hash_while_it_is_deleted(*given: Any) -> str:
        with blog.database.writing() as db:
            db.execute(delete(User).filter_by(username=BOB))
        return hash_password(*given)

    monkeypatch.setattr(passwords, "hash_password", hash_while_it_is_deleted)
    assert change(bob).status_code == 404
    assert not bob.is_logged_in()

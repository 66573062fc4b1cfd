"""Another address: nothing changes before the link that went there is opened."""

from datetime import timedelta

import httpx2
import pytest

from auth_service import FAILURES_OF_PERSON
from models import AuditEvent, Mail, MailToken, User, now
from services import audit
from services.email_changes import CHANGES_OF_PERSON
from tests.blog import Blog, Person
from tests.people import ALICE, BOB, MALLORY, PASSWORD

OLD, NEW = "bob@example.org", "robert@example.org"


@pytest.fixture
def bob(alice: Person, blog: Blog) -> Person:
    """Has an address, and has confirmed it."""
    person = Person(blog, BOB)
    person.register(email=OLD)
    assert person.post(blog.link_to(OLD)).status_code == 303
    person.get("/")
    return person


def change(person: Person, email: str = NEW, password: str = PASSWORD) -> httpx2.Response:
    return person.post("/settings/email", {"email": email, "password": password})


def bob_now(blog: Blog) -> User:
    found: User = next(user for user in blog.rows(User) if user.username == BOB)
    return found


def test_an_address_is_changed_once_its_link_is_opened(bob: Person, blog: Blog) -> None:
    """Until then the old one stays, and counts."""
    answer = change(bob)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/email")
    assert "A mail is on its way" in bob.get("/settings/email").text
    assert (bob_now(blog).email, bob_now(blog).email_is_verified) == (OLD, True)
    assert Person(blog, OLD).log_in().status_code == 303
    assert Person(blog, NEW).log_in().status_code == 401

    link = blog.link_to(NEW)
    assert NEW in bob.get(link).text
    assert bob.post(link).status_code == 303
    assert (bob_now(blog).email, bob_now(blog).email_is_verified) == (NEW, True)
    assert Person(blog, NEW).log_in().status_code == 303
    assert Person(blog, OLD).log_in().status_code == 401
    assert bob.post(link).status_code == 400


def test_the_old_address_is_told_both_times(bob: Person, blog: Blog) -> None:
    change(bob)
    asked = blog.mails_to(OLD)[-1]
    assert NEW in asked.body
    assert "/auth/verify/" not in asked.body
    bob.post(blog.link_to(NEW))
    done = blog.mails_to(OLD)[-1]
    assert "is changed" in done.subject
    assert len(blog.mails_to(NEW)) == 1


def test_it_is_written_down(bob: Person, blog: Blog) -> None:
    change(bob)
    bob.post(blog.link_to(NEW))
    actions = [event.action for event in blog.rows(AuditEvent)]
    assert [action for action in actions if "address" in action] == [
        audit.EMAIL_VERIFIED,
        audit.EMAIL_CHANGE_ASKED,
        audit.EMAIL_CHANGED,
    ]


def test_a_first_address_is_given_the_same_way(alice: Person, blog: Blog) -> None:
    assert change(alice, "alice@example.org").status_code == 303
    assert len(blog.rows(Mail)) == 1
    assert not blog.rows(User)[0].email
    alice.post(blog.link_to("alice@example.org"))
    assert blog.rows(User)[0].email == "alice@example.org"


def test_the_link_may_be_opened_in_any_browser(bob: Person, alice: Person, blog: Blog) -> None:
    """On a phone that knows nobody, or where somebody else is logged in."""
    change(bob)
    assert alice.post(blog.link_to(NEW)).status_code == 303
    assert bob_now(blog).email == NEW
    assert "/users/alice" in alice.get("/").text
    assert not next(user for user in blog.rows(User) if user.username == ALICE).email


def test_the_password_is_needed(bob: Person, blog: Blog) -> None:
    for password, sentence in (("", "fill this in"), ("not the password", "not your password")):
        answer = change(bob, password=password)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert f'value="{NEW}"' in answer.text
    assert not blog.mails_to(NEW)
    assert change(bob, "", password="not the password").status_code == 422
    assert bob_now(blog).email == OLD


def test_guessing_the_password_comes_to_an_end(bob: Person, blog: Blog) -> None:
    for _ in range(FAILURES_OF_PERSON.most):
        assert change(bob, password="not the password").status_code == 422
    assert change(bob).status_code == 429
    assert not blog.mails_to(NEW)


def test_who_has_no_password_needs_a_fresh_login(bob: Person, blog: Blog) -> None:
    bob.log_in_again(remember="on")
    blog.put(User, password_hash="")
    assert bob.post("/settings/email", {"email": NEW}).status_code == 303
    assert blog.mails_to(NEW)
    bob.lose_session()
    for answer in (bob.get("/settings/email"), bob.post("/settings/email", {"email": OLD})):
        assert answer.headers["location"] == "/auth/confirm?next=%2Fsettings%2Femail"


def test_the_newest_link_is_the_one_that_works(bob: Person, blog: Blog) -> None:
    change(bob)
    first = blog.link_to(NEW)
    change(bob, "bobby@example.org")
    assert bob.post(first).status_code == 400
    assert bob.post(blog.link_to("bobby@example.org")).status_code == 303
    assert bob_now(blog).email == "bobby@example.org"


def test_a_link_works_for_a_day(bob: Person, blog: Blog) -> None:
    change(bob)
    [token] = blog.rows(MailToken)
    assert timedelta(hours=23) < token.expires_at - now() <= timedelta(hours=24)
    blog.put(MailToken, expires_at=now())
    assert bob.post(blog.link_to(NEW)).status_code == 400
    assert bob_now(blog).email == OLD


def test_a_new_password_makes_a_waiting_change_worthless(bob: Person, blog: Blog) -> None:
    """What the notice to the old address promises to whoever did not ask for it."""
    change(bob)
    form = {"current_password": PASSWORD, "password": "another quay, further south"}
    assert bob.post("/settings/password", form).status_code == 303
    assert bob.post(blog.link_to(NEW)).status_code == 400
    assert bob_now(blog).email == OLD


def test_an_address_that_was_taken_meanwhile_is_refused(bob: Person, blog: Blog) -> None:
    change(bob)
    link = blog.link_to(NEW)
    mallory = Person(blog, MALLORY)
    mallory.register(email=NEW)
    mallory.post(blog.link_to(NEW))
    for answer in (bob.get(link), bob.post(link)):
        assert answer.status_code == 409
        assert "Another account has confirmed this address" in answer.text
    assert (bob_now(blog).email, bob_now(blog).email_is_verified) == (OLD, True)
    assert len(blog.mails_to(OLD)) == 2  # neither the old address nor anybody else hears of it


def test_nobody_learns_that_an_address_is_taken(bob: Person, blog: Blog) -> None:
    """The same answer, and a mail to its owner."""
    mallory = Person(blog, MALLORY)
    mallory.register()
    answers = [change(mallory, email) for email in (OLD, "free@example.org")]
    assert answers[0].status_code == answers[1].status_code == 303
    assert answers[0].headers["location"] == answers[1].headers["location"]
    mail = blog.mails_to(OLD)[-1]
    assert mail.subject == "You have an account on Inkstand"
    assert "/auth/verify/" not in mail.body


def test_five_changes_a_day_are_enough(bob: Person, blog: Blog) -> None:
    statuses = [
        change(bob, f"bob-{number}@example.org").status_code
        for number in range(CHANGES_OF_PERSON.most + 1)
    ]
    assert statuses == [303] * CHANGES_OF_PERSON.most + [429]


def test_the_same_address_is_no_change(bob: Person, blog: Blog) -> None:
    change(bob, OLD)
    assert "That is your address already." in bob.get("/settings/email").text
    assert not blog.rows(MailToken)


def test_another_spelling_of_it_is_one(bob: Person, blog: Blog) -> None:
    change(bob, "Bob@Example.org")
    bob.post(blog.link_to("Bob@example.org"))
    assert (bob_now(blog).email, bob_now(blog).email_is_verified) == ("Bob@example.org", True)


def test_an_address_may_be_taken_away(bob: Person, blog: Blog) -> None:
    answer = change(bob, "")
    assert answer.headers["location"] == "/settings"
    gone = bob_now(blog)
    assert (gone.email, gone.email_key, gone.email_verified_at) == (None, None, None)
    assert "no e-mail address any more" in blog.mails_to(OLD)[-1].body
    assert Person(blog, OLD).log_in().status_code == 401


def test_unless_accounts_need_one(bob: Person, blog: Blog) -> None:
    with blog.beside(require_verified_email=True) as strict:
        person = Person(strict, BOB)
        person.log_in()
        answer = change(person, "")
        assert answer.status_code == 422
        assert "need an e-mail address" in answer.text
    assert bob_now(blog).email == OLD


@pytest.mark.parametrize(
    "email",
    [
        "bob",
        "bob@",
        "a@b.example\r\nBcc: eve@b.example",
        "a@b.example, c@d.example",
        "a@b.example\0",
    ],
)
def test_what_is_no_address_comes_back(bob: Person, blog: Blog, email: str) -> None:
    answer = change(bob, email)
    assert answer.status_code == 422
    assert "does not look like an e-mail address" in answer.text
    assert {mail.recipient for mail in blog.rows(Mail)} == {OLD}


def test_names_break_no_mail(bob: Person, blog: Blog) -> None:
    """What people call themselves stays in its line."""
    bob.post("/settings/profile", {"display_name": "Bob {{ 6*7 }} <b>"})
    change(bob)
    mail = blog.mails_to(NEW)[-1]
    assert "Hello Bob {{ 6*7 }} <b>," in mail.body
    assert "\n" not in mail.subject

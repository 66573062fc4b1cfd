"""A forgotten password: who gets a link, what it is good for, and what nobody learns."""

import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, event, update

import auth_service
from auth_service import FAILURES_OF_ACCOUNT
from models import ApiToken, AuditEvent, Mail, MailToken, Passkey, RefreshToken, User, now
from services import audit, passwords
from services.recoveries import LINKS_OF_ADDRESS, LINKS_OF_NETWORK
from tests.blog import Blog, Person
from tests.people import BOB, MALLORY, PASSWORD
from tests.processes import at_once
from web import access_log

ADDRESS = "bob@example.org"
NEW = "another quay, further south"
DEAD = "This link does not work any more"


@pytest.fixture
def bob(alice: Person, blog: Blog) -> Person:
    """Has an address, and has confirmed it."""
    person = Person(blog, BOB)
    person.register(email=ADDRESS)
    assert person.post(blog.link_to(ADDRESS)).status_code == 303
    person.get("/")
    return person


def ask(blog: Blog, email: str = ADDRESS, **headers: str) -> httpx2.Response:
    return blog.visitor().post("/auth/forgot", {"email": email}, headers=headers)


def link_for(blog: Blog, email: str = ADDRESS) -> str:
    assert ask(blog, email).status_code == 303
    return blog.link_to(email, "reset")


def reset(blog: Blog, link: str, password: str = NEW) -> httpx2.Response:
    return blog.visitor().post(link, {"password": password})


def is_dead(response: httpx2.Response) -> bool:
    return response.status_code == 400 and DEAD in response.text


def resets_mailed_to(blog: Blog, email: str) -> int:
    return sum("/auth/reset/" in mail.body for mail in blog.mails_to(email))


def bob_now(blog: Blog) -> User:
    found: User = next(user for user in blog.rows(User) if user.username == BOB)
    return found


def can_log_in(blog: Blog, password: str) -> bool:
    return Person(blog, BOB).log_in(password).status_code == 303


# The way through.


def test_a_forgotten_password_is_replaced(bob: Person, blog: Blog) -> None:
    visitor = blog.visitor()
    assert 'href="/auth/forgot"' in visitor.get("/auth/login").text
    assert visitor.get("/auth/forgot").status_code == 200
    answer = visitor.post("/auth/forgot", {"email": ADDRESS})
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/forgot/sent")
    assert "If there is an account" in visitor.get("/auth/forgot/sent").text

    link = blog.link_to(ADDRESS, "reset")
    assert "bob" in visitor.get(link).text
    answer = visitor.post(link, {"password": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")
    assert "Your password is changed" in visitor.get("/auth/login").text
    assert not visitor.is_logged_in()
    assert can_log_in(blog, NEW)
    assert not can_log_in(blog, PASSWORD)


def test_the_owner_of_the_account_is_told(bob: Person, blog: Blog) -> None:
    reset(blog, link_for(blog))
    assert blog.mails_to(ADDRESS)[-1].subject == "Your password for Inkstand is changed"
    assert NEW not in str([mail.body for mail in blog.rows(Mail)])


def test_it_is_written_down(bob: Person, blog: Blog) -> None:
    reset(blog, link_for(blog))
    events = {event.action: event for event in blog.rows(AuditEvent)}
    bob_id = bob_now(blog).id
    assert events[audit.RESET_ASKED].user_id == bob_id
    assert events[audit.RESET_ASKED].actor_id is None  # anybody can ask
    assert events[audit.PASSWORD_RESET].actor_id == bob_id


def test_a_newer_link_replaces_the_older(bob: Person, blog: Blog) -> None:
    first, second = link_for(blog), link_for(blog)
    assert is_dead(reset(blog, first))
    assert reset(blog, second).status_code == 303


# What nobody learns.


def test_the_answer_is_the_same_whoever_asks(bob: Person, blog: Blog) -> None:
    answers = []
    for email in (ADDRESS, "nobody@example.org"):
        answer = ask(blog, email)
        headers = dict(answer.headers)
        del headers["x-request-id"], headers["date"]
        answers.append((answer.status_code, answer.content, headers))
    assert answers[0] == answers[1]
    assert [mail.recipient for mail in blog.rows(Mail) if "/reset/" in mail.body] == [ADDRESS]


def test_the_same_work_is_done_whoever_asks(bob: Person, blog: Blog) -> None:
    """Statement by statement, so that no clock tells the one from the other."""
    done: list[list[str]] = []

    def note(*given: Any) -> None:
        done[-1].append(given[2].split()[0].replace("ROLLBACK", "RELEASE"))

    ask(blog, "first@example.org")  # opens the window in which the network is counted
    ask(blog, "somebody@example.org")  # the network is counted from here on
    event.listen(blog.database.engine, "before_cursor_execute", note)
    try:
        for email in (ADDRESS, "nobody@example.org"):
            done.append([])
            ask(blog, email)
    finally:
        event.remove(blog.database.engine, "before_cursor_execute", note)
    known, unknown = done
    assert known == unknown
    assert known.count("INSERT") >= 3  # a link, a mail, an event


def test_a_blog_without_accounts_answers_too(blog: Blog) -> None:
    assert ask(blog).headers["location"] == "/auth/forgot/sent"
    assert not blog.rows(Mail)


def test_what_is_no_address_comes_back(blog: Blog) -> None:
    """Nothing that is typed can be more than one address."""
    for email in ("", "bob", "bob@example.org\r\nBcc: eve@example.org", "bob@example.org\0", "@"):
        answer = ask(blog, email)
        assert answer.status_code == 422, email
    assert not blog.rows(Mail)


def test_the_mail_goes_to_the_stored_address_only(bob: Person, blog: Blog) -> None:
    """What was typed may be another mailbox that looks like it."""
    for twin in ("bób@example.org", "bob@example.örg", "ьob@example.org", "bob+x@example.org"):
        assert ask(blog, twin).status_code == 303
    assert resets_mailed_to(blog, ADDRESS) == 0
    for spelling in ("BOB@Example.ORG", " bob@example.org ", "ｂob@example.org"):
        ask(blog, spelling)
    assert resets_mailed_to(blog, ADDRESS) == 3
    assert {mail.recipient for mail in blog.rows(Mail)} == {ADDRESS}


def test_a_dotless_i_is_another_letter(alice: Person, blog: Blog) -> None:
    """To the letter."""
    Person(blog, "mike").register(email="mike@example.org")
    assert ask(blog, "mıke@example.org").status_code == 303
    assert resets_mailed_to(blog, "mike@example.org") == 0
    assert resets_mailed_to(blog, "mıke@example.org") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "https", "X-Original-URL": "http://evil.example/"},
    ],
)
def test_links_do_not_follow_the_host_of_the_request(
    bob: Person, blog: Blog, headers: dict[str, str]
) -> None:
    assert ask(blog, **headers).status_code in (303, 400)
    assert "evil" not in str([mail.body for mail in blog.rows(Mail)])


def test_links_begin_with_the_address_of_the_blog(bob: Person, blog: Blog) -> None:
    with blog.beside(base_url="https://blog.example") as named:
        assert ask(named, Host="evil.example").status_code in (303, 400)
        ask(named)
    assert "https://blog.example/auth/reset/" in blog.mails_to(ADDRESS)[-1].body


# How often.


def test_five_mails_a_day_are_enough(bob: Person, blog: Blog) -> None:
    """In any spelling, and outwardly the same."""
    spellings = ["bob@example.org", "BOB@example.org", "Bob@Example.Org", "bob@EXAMPLE.org"]
    answers = [ask(blog, spellings[n % 4]) for n in range(LINKS_OF_ADDRESS.most + 3)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(303, b"")}
    assert resets_mailed_to(blog, ADDRESS) == LINKS_OF_ADDRESS.most


def test_the_last_link_of_a_flood_still_works(bob: Person, blog: Blog) -> None:
    for _ in range(LINKS_OF_ADDRESS.most + 3):
        ask(blog)
    assert reset(blog, blog.link_to(ADDRESS, "reset")).status_code == 303


def test_one_network_asks_twenty_times_an_hour(bob: Person, blog: Blog) -> None:
    answers = [ask(blog, f"n{n}@example.org") for n in range(LINKS_OF_NETWORK.most)]
    assert {answer.status_code for answer in answers} == {303}
    answer = ask(blog)
    assert answer.status_code == 429
    assert 3000 < int(answer.headers["retry-after"]) <= 3600


# Links that are not good, or not any more.


def test_every_link_that_is_not_good_gets_the_same_page(bob: Person, blog: Blog) -> None:
    """Used, tampered, too old, for something else, of an
    account that is disabled or gone."""
    pages: dict[str, list[httpx2.Response]] = {}

    def note(kind: str, link: str) -> None:
        visitor = blog.visitor()
        pages[kind] = [visitor.get(link), visitor.post(link, {"password": NEW})]

    note("never was", "/auth/reset/" + "x" * 43)
    note("not ours", "/auth/reset/%C3%BC%F0%9F%99%82")
    note("very long", "/auth/reset/" + "x" * 4000)
    link = link_for(blog)
    note("tampered", link[:-1] + ("A" if link[-1] != "A" else "B"))
    assert reset(blog, link).status_code == 303
    note("used", link)
    link = link_for(blog)
    blog.put(MailToken, expires_at=now())
    note("too old", link)
    mallory = Person(blog, MALLORY)
    mallory.register(email="mallory@example.org")
    verifying = blog.link_to("mallory@example.org", "verify")
    note("for something else", verifying.replace("verify", "reset"))
    link = link_for(blog)
    blog.put(User, disabled_at=now())
    note("disabled", link)
    blog.put(User, disabled_at=None)
    with blog.database.writing() as db:
        db.execute(delete(User).filter_by(username=BOB))
    note("gone", link)
    for kind, answers in pages.items():
        assert all(map(is_dead, answers)), kind
        assert {answer.text for answer in answers} == {pages["never was"][0].text}, kind
        assert 'action="/auth/forgot"' in answers[0].text  # the way to a new one
    assert Person(blog, MALLORY).log_in().status_code == 303


def test_a_link_works_for_an_hour(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    [stored] = blog.rows(MailToken)
    assert timedelta(minutes=59) < stored.expires_at - now() <= timedelta(minutes=60)
    assert link.rpartition("/")[2] not in str(stored.model_dump())  # only its digest is kept
    assert len(link.rpartition("/")[2]) >= 43  # 256 bits


def test_a_link_is_dead_once_the_owner_has_logged_in(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    assert can_log_in(blog, PASSWORD)
    assert is_dead(blog.visitor().get(link))
    assert is_dead(reset(blog, link))
    assert can_log_in(blog, PASSWORD)


def test_a_link_is_dead_once_the_password_is_changed(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    form = {"current_password": PASSWORD, "password": "yet another quay"}
    assert bob.post("/settings/password", form).status_code == 303
    assert is_dead(reset(blog, link))


def test_a_link_is_dead_once_the_address_is_changed(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    bob.post("/settings/email", {"email": "new@example.org", "password": PASSWORD})
    assert blog.visitor().get(link).status_code == 200
    bob.post(blog.link_to("new@example.org", "verify"))
    assert is_dead(blog.visitor().get(link))
    assert is_dead(reset(blog, link))


def test_looking_at_a_link_changes_nothing(bob: Person, blog: Blog) -> None:
    """Programs that look for viruses open links too."""
    link = link_for(blog)
    for method in ("GET", "HEAD", "GET"):
        assert blog.visitor().client.request(method, link).status_code == 200
    assert reset(blog, link).status_code == 303


def test_of_two_who_use_a_link_at_once_one_gets_it(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    answers = at_once(6, lambda n: reset(blog, link, f"{NEW} {n}").status_code)
    assert sorted(answers) == [303] + [400] * 5
    assert can_log_in(blog, f"{NEW} {answers.index(303)}")


# What the new password must be.


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Please fill this in."),
        ("short", "At least 8 characters"),
        ("password1234", "guessed first"),
        ("inkstand", "too easy to guess"),
        ("BOB@example.org", "too easy to guess"),
        ("x" * 5000, "At most 4096 bytes"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_stays_good(
    bob: Person, blog: Blog, password: str, sentence: str
) -> None:
    link = link_for(blog)
    answer = reset(blog, link, password)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'action="{link}"' in answer.text
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
    """By way of a link."""
    assert reset(blog, link_for(blog), password).status_code == 303
    assert can_log_in(blog, typed)
    assert not can_log_in(blog, wrong)


# What else ends, and what does not.


def test_all_devices_are_logged_out(bob: Person, blog: Blog) -> None:
    """The remembered one as well."""
    remembered = Person(blog, BOB)
    remembered.log_in(remember="on")
    link = link_for(blog)
    assert reset(blog, link).status_code == 303
    for device in (bob, remembered):
        assert device.get("/drafts").status_code == 303
    remembered.lose_session()
    assert remembered.get("/drafts").status_code == 303


def test_whoever_else_is_logged_in_here_stays_so(bob: Person, alice: Person, blog: Blog) -> None:
    link = link_for(blog)
    assert alice.post(link, {"password": NEW}).status_code == 303
    assert "/users/alice" in alice.get("/").text
    link = link_for(blog)
    Person(blog, BOB).log_in(NEW)
    link = link_for(blog)
    bob.log_in(NEW)
    assert is_dead(bob.post(link, {"password": PASSWORD}))


def test_a_reset_in_ones_own_browser_logs_out_there_too(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    assert bob.post(link, {"password": NEW}).status_code == 303
    assert not bob.is_logged_in()


def test_what_programs_were_given_for_the_password_ends(bob: Person, blog: Blog) -> None:
    """Personal access tokens stay where the address was confirmed before: each can be ended apart."""
    add_tokens(blog)
    reset(blog, link_for(blog))
    assert not blog.rows(RefreshToken)
    assert len(blog.rows(ApiToken)) == 1


def add_tokens(blog: Blog) -> None:
    bob_id = bob_now(blog).id
    with blog.database.writing() as db:
        db.add(RefreshToken(user_id=bob_id, digest="r", expires_at=now() + timedelta(days=1)))
        db.add(ApiToken(user_id=bob_id, name="a", hint="ink_", digest="a"))


def test_a_second_step_stays_one(bob: Person, blog: Blog) -> None:
    """Whoever reads the mailbox has one factor, not two."""
    link = link_for(blog)
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=BOB).values(totp_secret="sealed"))
    visitor = Person(blog, BOB)
    assert visitor.post(link, {"password": NEW}).status_code == 303
    assert visitor.log_in(NEW).headers["location"].startswith("/auth/two-factor")
    assert not visitor.is_logged_in()


def test_a_locked_account_opens_again(bob: Person, blog: Blog) -> None:
    for _ in range(FAILURES_OF_ACCOUNT.most):
        assert not can_log_in(blog, "not the password")
    assert Person(blog, BOB).log_in().status_code == 429
    assert reset(blog, link_for(blog)).status_code == 303
    assert can_log_in(blog, NEW)


def test_a_login_that_was_under_way_with_the_old_password_fails(
    bob: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking a password takes its time; whoever knew the old one must not slip in meanwhile."""
    link, still_theirs = link_for(blog), auth_service.still_theirs

    def replaced_meanwhile(*given: Any) -> User:
        assert reset(blog, link).status_code == 303
        return still_theirs(*given)

    monkeypatch.setattr(auth_service, "still_theirs", replaced_meanwhile)
    visitor = Person(blog, BOB)
    assert visitor.log_in().status_code == 401
    assert not visitor.is_logged_in()


# Addresses that nobody has confirmed.


@pytest.fixture
def unconfirmed(alice: Person, blog: Blog) -> Person:
    person = Person(blog, BOB)
    person.register(email=ADDRESS)
    return person


def test_an_address_of_one_account_serves_unconfirmed(unconfirmed: Person, blog: Blog) -> None:
    reset(blog, link_for(blog))
    assert can_log_in(blog, NEW)
    assert bob_now(blog).email_is_verified  # the link has proven it


def test_what_was_given_to_programs_before_the_address_was_proven_ends(
    unconfirmed: Person, blog: Blog
) -> None:
    """Whoever made the account may have been somebody else, waiting for the owner of the address."""
    add_tokens(blog)
    reset(blog, link_for(blog))
    assert not blog.rows(ApiToken)


def test_an_unconfirmed_address_does_not_recover_an_account_with_passkeys(
    unconfirmed: Person, blog: Blog
) -> None:
    with blog.database.writing() as db:
        db.add(Passkey(user_id=bob_now(blog).id, credential_id=b"1", public_key=b"1", name="A key"))
    assert ask(blog).status_code == 303
    assert resets_mailed_to(blog, ADDRESS) == 0
    blog.put(User, email_verified_at=now())
    ask(blog)
    assert resets_mailed_to(blog, ADDRESS) == 1


def test_an_address_that_two_gave_recovers_neither(unconfirmed: Person, blog: Blog) -> None:
    Person(blog, MALLORY).register(email=ADDRESS)
    ask(blog)
    assert resets_mailed_to(blog, ADDRESS) == 0


def test_whoever_confirmed_an_address_gets_the_link(bob: Person, blog: Blog) -> None:
    Person(blog, MALLORY).register(email=ADDRESS)
    reset(blog, link_for(blog))
    assert can_log_in(blog, NEW)
    assert Person(blog, MALLORY).log_in().status_code == 303


def test_a_link_is_dead_once_somebody_else_has_confirmed_the_address(
    unconfirmed: Person, blog: Blog
) -> None:
    link = link_for(blog)
    Person(blog, MALLORY).register(email=ADDRESS)
    with blog.database.writing() as db:
        theirs = update(User).filter_by(username=MALLORY)
        db.execute(theirs.values(email_verified_at=now()))
    assert is_dead(blog.visitor().get(link))
    assert is_dead(reset(blog, link))
    assert can_log_in(blog, PASSWORD)


def test_also_if_that_happens_at_the_same_moment(
    unconfirmed: Person, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, hash_password = link_for(blog), passwords.hash_password

    def hash_while_it_is_confirmed(password: str, cost: int) -> str:
        monkeypatch.undo()
        mallory = Person(blog, MALLORY)
        mallory.register(email=ADDRESS)
        assert mallory.post(blog.link_to(ADDRESS, "verify")).status_code == 303
        return hash_password(password, cost)

    monkeypatch.setattr(passwords, "hash_password", hash_while_it_is_confirmed)
    assert is_dead(reset(blog, link))
    assert can_log_in(blog, PASSWORD)


# Links are secrets.


def test_the_address_of_the_page_goes_nowhere(bob: Person, blog: Blog) -> None:
    link = link_for(blog)
    visitor = blog.visitor()
    answers = [
        visitor.get(link),
        visitor.post(link, {"password": "x"}),
        visitor.get("/auth/reset/x"),
    ]
    answers.append(visitor.post(link, {"password": NEW}))
    for answer in answers:
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in answer.headers["cache-control"]
    assert "://" not in answers[0].text
    assert visitor.get("/").headers["referrer-policy"] != "no-referrer"


def test_without_https_forms_must_still_be_told_from_foreign_ones(bob: Person, blog: Blog) -> None:
    """A form of a page with "no-referrer" comes from the origin "null"; without Sec-Fetch-Site,
    which browsers only send over HTTPS, it would be refused."""
    link = link_for(blog)
    elsewhere = blog.visitor().get(link, headers={"Host": "blog.lan"})
    assert elsewhere.headers["referrer-policy"] == "same-origin"


def test_no_link_is_logged(
    bob: Person,
    blog: Blog,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[str] = []
    kept = SimpleNamespace(write=requests.append)
    monkeypatch.setattr(access_log.output, "lines", kept)
    with caplog.at_level(logging.DEBUG, logger="inkstand"):
        link = link_for(blog)
        blog.visitor().get(link)
        reset(blog, link)
    said = [*requests, *(str(record.__dict__) for record in caplog.records)]
    assert any("/auth/reset/…" in line for line in said)
    assert not any(link.rpartition("/")[2] in line for line in said)

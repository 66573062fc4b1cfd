"""The owner's page of mails."""

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

import auth_service
from models import Mail, User
from services import mails
from tests.blog import Blog, Person
from tests.mailbox import Mailbox
from tests.people import ALICE
from tests.servers import _free_port

ADDRESS = "alice@example.org"


def at(blog: Blog) -> Person:
    """Alice at another server: logged in, and reachable by mail from now on."""
    person = Person(blog, ALICE)
    assert person.log_in().status_code == 303
    person.get("/")
    give_address(blog)
    return person


def give_address(blog: Blog) -> None:
    with blog.database.writing() as db:
        db.execute(update(User).filter_by(username=ALICE).values(email=ADDRESS))


def wait_until(blog: Blog, is_so: Callable[[Mail], object]) -> Mail:
    """The one mail there is, once something can be said of it."""
    deadline = time.monotonic() + 10
    while True:
        mail: Mail
        [mail] = blog.rows(Mail)
        if is_so(mail):
            return mail
        assert time.monotonic() < deadline, mail
        time.sleep(0.005)


def fail(blog: Blog) -> Mail:
    """A mail that was given up."""
    with blog.database.writing() as db:
        mail = mails.queue(db, blog.settings, "bob@example.org", "test")
        db.flush()
        mail.next_try_at, mail.error, mail.tries = None, "550 nobody here", 1
    return mail


def test_only_the_owner_sees_the_mails(
    blog: Blog, bob: Person, carol: Person, stranger: Person
) -> None:
    mail = fail(blog)
    for person in (bob, carol):
        assert person.get("/admin/mail").status_code == 403
        assert person.post("/admin/mail").status_code == 403
        assert person.post(f"/admin/mail/{mail.id}/retry").status_code == 403
    assert stranger.get("/admin/mail").headers["location"].startswith("/auth/login")
    assert blog.rows(Mail) == [mail]


def test_the_page_is_for_a_fresh_login(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts may hold links that let one into any account."""
    assert alice.get("/admin/mail").status_code == 200
    monkeypatch.setattr(auth_service, "FRESH_FOR", timedelta(0))
    response = alice.get("/admin/mail")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/auth/confirm")


def test_a_mail_is_there_within_moments(alice: Person, blog: Blog, mailbox: Mailbox) -> None:
    with blog.beside(**mailbox.settings) as sender:
        owner = at(sender)
        owner.post("/admin/mail")
        mailbox.wait_for(1)
        started_at = time.perf_counter()
        response = owner.post("/admin/mail")
        mailbox.wait_for(2)
        took = time.perf_counter() - started_at
        assert response.status_code == 303
        assert mailbox.recipients == [ADDRESS, ADDRESS]
        assert mailbox.mails[1]["Subject"] == "A test from Inkstand"
    assert took < 0.5


def test_a_page_does_not_wait_for_a_slow_mail_server(
    alice: Person, blog: Blog, mailbox: Mailbox
) -> None:
    """Nor does the end of the process, for longer than a second."""
    mailbox.pause = 4
    with blog.beside(**mailbox.settings) as sender:
        owner = at(sender)
        started_at = time.perf_counter()
        owner.post("/admin/mail")
        owner.post("/admin/mail")
        assert owner.get("/").status_code == 200
        assert time.perf_counter() - started_at < mailbox.pause
        sender.send_everybody_home()
        started_at = time.perf_counter()
    assert time.perf_counter() - started_at < mailbox.pause - 1
    assert not mailbox.mails


def test_what_a_dead_server_did_not_take_is_sent_when_it_is_back(alice: Person, blog: Blog) -> None:
    """The page says at once that it is on its way, the list says why it is not."""
    port = _free_port()
    settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "blog@example.org"}
    with blog.beside(jobs="web", **settings) as sender:
        owner = at(sender)
        assert owner.post("/admin/mail").status_code == 303
        mail = wait_until(blog, lambda mail: mail.error)
        shown = owner.get("/admin/mail").text
        assert "waiting, next try" in shown
        assert "refused" in shown
        assert mail.next_try_at
        assert mail.next_try_at - mail.created_at < timedelta(minutes=2)
        with Mailbox(port=port) as mailbox:
            assert owner.post(f"/admin/mail/{mail.id}/retry").status_code == 303
            mailbox.wait_for(1)
            wait_until(blog, lambda mail: mail.sent_at)
        shown = owner.get("/admin/mail").text
        assert "sent <time" in shown
        assert "refused" not in shown
        assert f"/admin/mail/{mail.id}/retry" not in shown


def test_without_a_server_the_owner_reads_the_text(alice: Person, blog: Blog) -> None:
    give_address(blog)
    alice.post("/admin/mail")
    shown = alice.get("/admin/mail").text
    assert "SMTP_URL" in shown
    assert "This is how mails from Inkstand look." in shown


def test_with_a_server_nobody_reads_the_text(alice: Person, blog: Blog, mailbox: Mailbox) -> None:
    fail(blog)
    with blog.beside(**mailbox.settings) as sender:
        shown = at(sender).get("/admin/mail").text
    assert "550 nobody here" in shown
    assert "This is how mails" not in shown


def test_an_owner_without_an_address_is_told_so(alice: Person, blog: Blog) -> None:
    alice.post("/admin/mail")
    assert "no e-mail address" in alice.get("/admin/mail").text
    assert not blog.rows(Mail)


def test_what_is_being_sent_is_not_tried_again(alice: Person, blog: Blog) -> None:
    mail = fail(blog)
    with blog.database.writing() as db:
        is_it = col(Mail.id) == mail.id
        db.execute(update(Mail).where(is_it).values(error="", next_try_at=None))
    assert alice.post(f"/admin/mail/{mail.id}/retry").status_code == 303
    assert blog.rows(Mail)[0].next_try_at is None


def test_there_is_nothing_to_retry(alice: Person) -> None:
    assert alice.post(f"/admin/mail/{uuid4()}/retry").status_code == 404
    assert alice.post("/admin/mail/x/retry").status_code == 422


def test_the_list_goes_on_and_escapes(alice: Person, blog: Blog) -> None:
    with blog.database.writing() as db:
        db.add_all(
            Mail(recipient=f"r{n}@example.org", subject=f"<b>No. {n}.", body="</pre><i>")
            for n in range(60)
        )
    first = alice.get("/admin/mail")
    assert "<b>" not in first.text
    assert "<i>" not in first.text
    [older] = [line for line in first.text.splitlines() if 'rel="next"' in line]
    address = older.partition('href="')[2].partition('"')[0]
    second = alice.get(address).text
    shown = [n for n in range(60) if (f"No. {n}." in first.text) != (f"No. {n}." in second)]
    assert len(shown) == 60
    assert alice.get("/admin/mail?before=nonsense").status_code == 404

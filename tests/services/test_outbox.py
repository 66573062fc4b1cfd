"""Each mail is sent once, and one that fails is tried again for three days."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col

from backends.mail import Console, Smtp
from models import Mail, now
from services import mails, outbox
from tests.blog import Blog, Person
from tests.mailbox import Mailbox
from tests.processes import at_once
from tests.servers import _free_port

BOB = "bob@example.org"


def queue(blog: Blog, *recipients: str) -> None:
    for recipient in recipients or (BOB,):
        with blog.database.writing() as db:
            mails.queue(db, blog.settings, recipient, "test")


def deliver(blog: Blog, url: str) -> None:
    outbox.deliver(blog.database, Smtp(url, "blog@example.org", "Inkstand"))


def nowhere() -> str:
    return f"smtp://127.0.0.1:{_free_port()}"


def move_next_try(blog: Blog) -> None:
    """Let the time of the next try be now."""
    with blog.database.writing() as db:
        db.execute(update(Mail).where(col(Mail.next_try_at).is_not(None)).values(next_try_at=now()))


def test_a_mail_is_sent_once(blog: Blog, mailbox: Mailbox) -> None:
    queue(blog)
    deliver(blog, mailbox.url)
    deliver(blog, mailbox.url)
    [mail] = blog.mails_to(BOB)
    assert mailbox.recipients == [BOB]
    assert mailbox.mails[0]["Message-ID"] == f"<{mail.id}@example.org>"
    assert (mail.next_try_at, mail.tries, mail.error) == (None, 1, "")
    assert mail.sent_at


def test_a_text_is_forgotten_once_it_is_sent(blog: Blog, mailbox: Mailbox) -> None:
    """A link in it may still be worth as much as a password."""
    queue(blog)
    deliver(blog, mailbox.url)
    assert blog.mails_to(BOB)[0].body == ""


def test_a_text_is_kept_where_no_mail_server_is(blog: Blog) -> None:
    queue(blog)
    outbox.deliver(blog.database, Console(shows_text=False))
    assert "This is how mails" in blog.mails_to(BOB)[0].body


def test_several_workers_never_send_a_mail_twice(blog: Blog, mailbox: Mailbox) -> None:
    mailbox.pause = 0.01
    recipients = [f"reader{n}@example.org" for n in range(24)]
    queue(blog, *recipients)
    at_once(4, lambda _: deliver(blog, mailbox.url))
    assert sorted(mailbox.recipients) == sorted(recipients)


def test_a_mail_that_fails_is_tried_again_for_three_days(blog: Blog) -> None:
    """The server is down."""
    queue(blog)
    url, waits = nowhere(), []
    for _ in range(20):
        tried_at = now()
        deliver(blog, url)
        [mail] = blog.mails_to(BOB)
        assert "refused" in mail.error
        if mail.next_try_at is None:
            break
        waits.append(round((mail.next_try_at - tried_at) / timedelta(minutes=1)))
        move_next_try(blog)
    assert waits[:4] == [1, 5, 30, 120]
    assert timedelta(days=2) < timedelta(minutes=sum(waits)) <= timedelta(days=3)
    assert mail.tries == len(waits) + 1
    assert not mail.sent_at
    assert mail.body  # it can still be tried by hand


def test_a_mail_that_nobody_can_receive_is_given_up(blog: Blog, mailbox: Mailbox) -> None:
    queue(blog, "gone@example.org", BOB)
    mailbox.answers["gone@example.org"] = "550 nobody of that name\nBcc: x"
    deliver(blog, mailbox.url)
    [mail] = blog.mails_to("gone@example.org")
    assert mail.next_try_at is None
    assert mail.error.startswith("550 nobody")
    assert "\n" not in mail.error
    assert mailbox.recipients == [BOB]  # and holds up no other


def test_a_server_that_is_away_is_asked_once_not_for_every_mail(blog: Blog) -> None:
    queue(blog, BOB, BOB, BOB)
    deliver(blog, nowhere())
    assert sorted(mail.tries for mail in blog.mails_to(BOB)) == [0, 0, 1]


def test_the_claim_of_a_process_that_died_ends(blog: Blog, mailbox: Mailbox) -> None:
    queue(blog)
    with blog.database.writing() as db:
        assert outbox.claim(db)
    deliver(blog, mailbox.url)
    assert not mailbox.mails  # it may be on its way
    move_next_try(blog)
    deliver(blog, mailbox.url)
    assert len(mailbox.mails) == 1


def test_who_lost_a_claim_marks_nothing(blog: Blog) -> None:
    queue(blog)
    with blog.database.writing() as db:
        first = outbox.claim(db)
    move_next_try(blog)
    with blog.database.writing() as db:
        second = outbox.claim(db)
    assert first
    assert second
    with blog.database.writing() as db:
        outbox.mark_sent(db, first, keeps_text=True)
    assert not blog.mails_to(BOB)[0].sent_at
    with blog.database.writing() as db:
        outbox.mark_sent(db, second, keeps_text=True)
    assert blog.mails_to(BOB)[0].sent_at


def test_nobody_waits_while_a_mail_is_sent(blog: Blog, alice: Person, mailbox: Mailbox) -> None:
    """A slow server. No transaction is open meanwhile."""
    queue(blog)
    mailbox.pause = 1.5
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(deliver, blog, mailbox.url)
        while not blog.mails_to(BOB)[0].tries:
            time.sleep(0.005)
        alice.write("Meanwhile")
        assert not sending.done()
    assert blog.mails_to(BOB)[0].sent_at

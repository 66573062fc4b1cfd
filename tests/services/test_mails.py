"""The outbox: what goes in, and that nothing in it can be more than a mail to one person."""

from contextlib import suppress

import pytest

from models import Mail
from services import mails
from tests.blog import Blog


def queue(blog: Blog, recipient: str = "bob@example.org", **context: str) -> Mail:
    with blog.database.writing() as db:
        return mails.queue(db, blog.settings, recipient, "test", **context)


def test_a_mail_waits_in_the_outbox(blog: Blog) -> None:
    queue(blog)
    [mail] = blog.mails_to("bob@example.org")
    assert mail.subject == "A test from Inkstand"
    assert mail.body.startswith("This is how mails")
    assert mail.body.endswith(f"--\nInkstand, {blog.settings.link_base}\n")
    assert mail.next_try_at
    assert not mail.sent_at


def test_what_is_rolled_back_sends_no_mail(blog: Blog) -> None:
    with suppress(ZeroDivisionError), blog.database.writing() as db:
        mails.queue(db, blog.settings, "bob@example.org", "test")
        db.flush()
        raise ZeroDivisionError
    assert not blog.rows(Mail)


@pytest.mark.parametrize(
    "recipient",
    [
        "bob@example.org\nBcc: eve@example.org",
        "bob@example.org\r\nBcc: eve@example.org",
        "bob@example.org, eve@example.org",
        "bob@example.org;eve@example.org",
        "Bob <bob@example.org>",
        "bob@example.org\x00",
        "bob@example.org\x85",
        "bob@example.org\u2028",
        "bob eve@example.org",
        "bob@eve@example.org",
        "bob",
        "",
        "b" * 250 + "@example.org",
    ],
)
def test_a_mail_goes_to_one_address(blog: Blog, recipient: str) -> None:
    """Nothing that reaches the recipient can be a second header or a second person."""
    with pytest.raises(ValueError, match="one address"):
        queue(blog, recipient)
    assert not blog.rows(Mail)


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00"])
def test_no_value_begins_a_line_of_its_own(blog: Blog, newline: str) -> None:
    """By way of a name that ends up in the subject and in the text."""
    name = f"Harbour{newline}Bcc: eve@example.org{newline}{newline}Pay here"
    settings = blog.settings.model_copy(update={"site_name": name})
    subject, body = mails.render("test", {"site_name": settings.site_name, "link_base": "http://x"})
    assert subject == "A test from Harbour Bcc: eve@example.org Pay here"
    assert not [line for line in body.splitlines() if line.startswith(("Bcc", "Pay"))]


def test_a_subject_is_cut_not_refused(blog: Blog) -> None:
    subject, _ = mails.render("test", {"site_name": "x" * 500, "link_base": "http://x"})
    assert len(subject) == mails.LONGEST_SUBJECT


def test_texts_are_not_escaped_as_html() -> None:
    _, body = mails.render("test", {"site_name": "Fish & Chips <3", "link_base": "http://x"})
    assert "Fish & Chips <3" in body

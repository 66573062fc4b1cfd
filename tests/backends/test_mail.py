"""How mails leave, tried on real mail servers on loopback."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from backends.mail import Console, NotSent, Smtp
from tests.blog import blog_settings
from tests.mailbox import PASSWORD, USER, Mailbox, make_certificate
from tests.servers import _free_port

SENDER = "Häfen <blog@example.org>"


def send(
    url: str, recipient: str = "bob@example.org", subject: str = "Hello", body: str = "A text.\n"
) -> None:
    Smtp(url, SENDER, "Inkstand").send(recipient, subject, body, "42")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate") / "both.pem")


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same certificate, on a machine that trusts it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


def test_a_mail_has_the_headers_that_mail_needs(mailbox: Mailbox) -> None:
    send(
        mailbox.url, subject="Grüße aus dem Hafen — 港", body="Viele Grüße\n.\n" + "x" * 2000 + "\n"
    )
    [mail] = mailbox.mails
    assert mail["From"] == SENDER
    assert mail["To"] == "bob@example.org"
    assert mail["Subject"] == "Grüße aus dem Hafen — 港"
    assert mail["Message-ID"] == "<42@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime
    assert text_of(mail) == "Viele Grüße\n.\n" + "x" * 2000 + "\n"
    assert mailbox.recipients == ["bob@example.org"]


@pytest.mark.parametrize("subject", ["Hi\nBcc: eve@example.org", "Hi\r\nBcc: eve@example.org"])
def test_a_second_line_in_a_subject_is_not_sent(mailbox: Mailbox, subject: str) -> None:
    """Past the outbox: the last line of defence."""
    with pytest.raises(NotSent) as caught:
        send(mailbox.url, subject=subject)
    assert caught.value.is_final
    assert not mailbox.mails


@pytest.mark.parametrize(
    "recipient",
    ["bob@example.org\r\nBcc: e@example.org", "a@b.org, e@b.org", "bob", "", "\ud800@x"],
)
def test_what_is_no_address_is_not_sent(mailbox: Mailbox, recipient: str) -> None:
    with pytest.raises(NotSent) as caught:
        send(mailbox.url, recipient)
    assert caught.value.is_final
    assert not mailbox.mails


def test_starttls_is_used_and_the_password_sent(trusted: Path) -> None:
    with Mailbox(trusted, password=True) as mailbox:
        send(mailbox.url)
        assert mailbox.was_encrypted
    assert len(mailbox.mails) == 1


def test_smtps_is_encrypted_from_the_start(trusted: Path) -> None:
    with Mailbox(trusted, implicit=True) as mailbox:
        send(mailbox.url)
    assert mailbox.url.startswith("smtps://")
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: Path, implicit: bool
) -> None:
    with (
        Mailbox(certificate, implicit=implicit) as mailbox,
        pytest.raises(NotSent, match="certificate") as caught,
    ):
        send(mailbox.url)
    assert caught.value.is_general
    assert not mailbox.mails


def test_unless_the_address_says_not_to_verify(certificate: Path) -> None:
    with Mailbox(certificate) as mailbox:
        send(mailbox.url + "?verify=no")
        assert mailbox.was_encrypted


def test_a_password_is_not_sent_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sits between could strip STARTTLS from what the server offers."""
    monkeypatch.setattr("backends.mail.LOOPBACK", set())
    with Mailbox(password=True) as mailbox:
        with pytest.raises(NotSent, match="encryption"):
            send(mailbox.url)
        send(mailbox.url + "?verify=no")
    assert len(mailbox.mails) == 1


def test_a_wrong_password_is_the_fault_of_no_mail() -> None:
    with Mailbox(password=True) as mailbox, pytest.raises(NotSent, match="535") as caught:
        send(mailbox.url.replace("p%40ss", "guess"))
    assert (caught.value.is_general, caught.value.is_final) == (True, False)
    assert PASSWORD not in str(caught.value)
    assert USER not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "is_final", "is_general"),
    [
        ("550 nobody of that name", True, False),
        ("450 come back later", False, False),
        ("421 too busy", False, True),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    mailbox: Mailbox, answer: str, is_final: bool, is_general: bool
) -> None:
    mailbox.answers["bob@example.org"] = answer
    with pytest.raises(NotSent, match=answer) as caught:
        send(mailbox.url)
    assert (caught.value.is_final, caught.value.is_general) == (is_final, is_general)


def test_a_server_that_is_away_is_said_to_be() -> None:
    with pytest.raises(NotSent) as caught:
        send(f"smtp://127.0.0.1:{_free_port()}")
    assert (caught.value.is_general, caught.value.is_final) == (True, False)


def test_a_server_that_says_nothing_is_not_waited_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.mail.TIMEOUT_SECONDS", 0.2)
    mailbox.pause = 1
    with pytest.raises(NotSent, match="timed out") as caught:
        send(mailbox.url)
    assert caught.value.is_general


def test_what_was_taken_was_sent_whatever_comes_after(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be sent again."""
    monkeypatch.setattr("backends.mail.TIMEOUT_SECONDS", 0.2)
    mailbox.farewell = 1
    send(mailbox.url)
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("sender", ["Harbour", "a@b.org, c@d.org", "<>", "x@y.org\nBcc: e@f.org"])
def test_a_sender_that_is_no_address_is_refused_at_the_start(sender: str) -> None:
    with pytest.raises(ValueError, match="MAIL_FROM"):
        blog_settings(smtp_url="smtp://mail.example", mail_from=sender)


def test_international_addresses_are_sent_or_refused_in_words(mailbox: Mailbox) -> None:
    send(mailbox.url, "bob@bücher.example")
    send(mailbox.url, "jürgen@example.org")
    assert mailbox.recipients == ["bob@xn--bcher-kva.example", "jürgen@example.org"]
    with Mailbox(utf8=False) as older, pytest.raises(NotSent, match="no such") as caught:
        send(older.url, "jürgen@example.org")
    assert caught.value.is_final


def test_the_console_shows_all_but_in_production(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A log must hold no address, and no link that is as good as a password."""
    link = "https://blog.example/auth/reset/secret"
    Console(shows_text=True).send("bob@example.org", "Hello", f"{link}\n", "42")
    shown = capsys.readouterr().out
    assert "To: bob@example.org\nSubject: Hello" in shown
    assert link in shown
    Console(shows_text=False).send("bob@example.org", "Hello", f"{link}\n", "42")
    assert capsys.readouterr().out == ""
    [told] = caplog.records
    assert "SMTP_URL is not set" in told.getMessage()
    assert "bob@example.org" not in str(told.__dict__)
    assert link not in str(told.__dict__)


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")

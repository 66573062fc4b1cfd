"""How mails leave: over SMTP, or to the console where no server is set."""

import logging
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, parseaddr
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from settings import Settings

TIMEOUT_SECONDS = 10
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
NOT_HERE = "A mail went nowhere: SMTP_URL is not set. The owner finds its text at /admin/mail."
log = logging.getLogger("inkstand.mail")
# No list, no name, no comment, no second line.
ONE_ADDRESS = re.compile(
    r'[^\s\x00-\x1f\x7f-\x9f"(),:;<>@\[\]\\]+@[^\s\x00-\x1f\x7f-\x9f"(),:;<>@\\]+'
)
GOOD_BYE = 421  # "closing transmission channel" (RFC 5321, 3.8): about the server, not the mail


class NotSent(Exception):
    """A mail did not go out; `str(error)` says why.

    `is_final`: trying this mail again will not help. `is_general`: the server does not serve us at
    the moment, so other mails would fare no better.
    """

    def __init__(self, why: str, *, is_final: bool = False, is_general: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final
        self.is_general = is_general


class Mailer(Protocol):
    reaches_people: bool

    def send(self, recipient: str, subject: str, body: str, message_id: str) -> None:
        """Hand one mail over. `message_id` is the same whenever the same mail is tried again.

        Raises:
            NotSent: nobody took it.
        """


class Smtp:
    """`smtp://user:password@host:587` with STARTTLS where it is offered, or `smtps://`.

    Certificates are verified, unless the address says `?verify=no`. A password is never sent in the
    open, except to this machine: whoever strips STARTTLS from the conversation learns nothing.
    """

    reaches_people = True

    def __init__(self, url: str, sender: str, site_name: str) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or "localhost"
        self.port = parts.port or PORTS[parts.scheme]
        self.is_encrypted = parts.scheme == "smtps"
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.verifies = parse_qs(parts.query).get("verify") != ["no"]
        name, address = parseaddr(sender)
        self.address = in_ascii(address)
        self.sender_name = name or site_name
        self.domain = self.address.rpartition("@")[2] or "localhost"

    def send(self, recipient: str, subject: str, body: str, message_id: str) -> None:
        with saying_why():
            recipient = in_ascii(recipient)
            message = self.message(recipient, subject, body, message_id)
            server = self.connection()
            try:
                if not recipient.isascii() and not server.has_extn("smtputf8"):
                    raise NotSent("The mail server knows no such addresses.", is_final=True)
                server.send_message(message, self.address, [recipient])
            finally:
                good_bye(server)

    def message(self, recipient: str, subject: str, body: str, message_id: str) -> EmailMessage:
        if not ONE_ADDRESS.fullmatch(recipient):
            raise ValueError("This is not one address.")
        message = EmailMessage()
        message["From"] = Address(self.sender_name, *self.address.rsplit("@"))
        message["To"] = Address("", *recipient.rsplit("@"))
        message["Subject"] = subject
        message["Date"] = localtime()
        message["Message-ID"] = f"<{message_id}@{self.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no "out of office" to us
        message.set_content(body)
        return message

    def connection(self) -> smtplib.SMTP:
        # Its own guess of our name asks the DNS, which may take long.
        name = self.domain
        if self.is_encrypted:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, name, timeout=TIMEOUT_SECONDS, context=self.trust()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, name, timeout=TIMEOUT_SECONDS)
        try:
            self.introduce(server)
        except BaseException:
            server.close()
            raise
        return server

    def introduce(self, server: smtplib.SMTP) -> None:
        """Encrypt what can be encrypted, then say who we are."""
        server.ehlo_or_helo_if_needed()
        is_encrypted = self.is_encrypted
        if not is_encrypted and server.has_extn("starttls"):
            server.starttls(context=self.trust())
            is_encrypted = True
        if not self.user:
            return
        if not (is_encrypted or self.host in LOOPBACK or not self.verifies):
            raise NotSent("The mail server offers no encryption for the password.", is_general=True)
        server.login(self.user, self.password)

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verifies:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Console:
    """For trying things out. In production only that there is a mail: logs go to many places, and
    a link in a mail is as good as a password."""

    reaches_people = False

    def __init__(self, *, shows_text: bool) -> None:
        self.shows_text = shows_text

    def send(self, recipient: str, subject: str, body: str, message_id: str) -> None:
        if not self.shows_text:
            log.warning(NOT_HERE, extra={"fields": {"mail": message_id}})
            return
        rule = "-" * 72
        head = f"To: {recipient}\nSubject: {subject}\nMessage-ID: {message_id}"
        print(f"{rule}\n{head}\n\n{body}{rule}", flush=True)


def open_mailer(settings: Settings) -> Mailer:
    if settings.smtp_url:
        return Smtp(settings.smtp_url, settings.mail_from, settings.site_name)
    return Console(shows_text=not settings.in_production)


def in_ascii(address: str) -> str:
    """An international domain as every server takes it; a local part stays what it is."""
    if address.isascii():
        return address
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False).ascii_email or address
    except EmailNotValidError:
        return address


@contextmanager
def saying_why() -> Iterator[None]:
    """Turn what smtplib raises into NotSent."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        [(code, reason)] = error.recipients.values()
        raise refusal(code, reason) from error
    except smtplib.SMTPDataError as error:
        raise refusal(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPResponseException as error:
        why = f"{error.smtp_code} {as_text(error.smtp_error)}"
        raise NotSent(why, is_general=True) from error
    except (smtplib.SMTPException, OSError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotSent(why, is_general=True) from error
    except NotSent:
        raise
    except Exception as error:  # the e-mail package has many kinds for what no header can carry
        raise NotSent(str(error) or type(error).__name__, is_final=True) from error


def good_bye(server: smtplib.SMTP) -> None:
    """Whatever goes wrong from here on, the mail was taken or was not."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def refusal(code: int, why: bytes | str) -> NotSent:
    return NotSent(f"{code} {as_text(why)}", is_final=code >= 500, is_general=code == GOOD_BYE)


def as_text(why: bytes | str) -> str:
    return why.decode(errors="replace") if isinstance(why, bytes) else why

"""A real mail server on loopback, and what it was given."""

import asyncio
import datetime
import ssl
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests import servers

USER, PASSWORD = "blog", "p@ss:w/ord"


class Mailbox:
    """`with Mailbox() as mailbox:` takes mails until the block ends.

    `answers` are what it says to recipients instead of "250 OK"; `pause` is how long it thinks
    before it says anything to one, `farewell` how long it needs to say good-bye.
    """

    def __init__(
        self,
        certificate: Path | None = None,
        *,
        password: bool = False,
        utf8: bool = True,
        implicit: bool = False,
        port: int = 0,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self.pause = self.farewell = 0.0
        self.was_encrypted = False
        self.needs_password = password
        self.scheme = "smtps" if implicit else "smtp"
        options: dict[str, Any] = {"enable_SMTPUTF8": utf8}
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            options["ssl_context" if implicit else "tls_context"] = context
        if password:
            is_encrypted = certificate is not None  # aiosmtpd asks nobody for a password without
            options |= {"auth_required": is_encrypted, "auth_require_tls": is_encrypted}
            options["authenticator"] = authenticate
        self.port = port or servers._free_port()
        self.controller = Controller(self, "127.0.0.1", self.port, **options)

    def __enter__(self) -> Self:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    @property
    def settings(self) -> dict[str, str]:
        """For a blog that sends its mails here."""
        return {"jobs": "web", "smtp_url": self.url, "mail_from": "Harbour <blog@example.org>"}

    @property
    def url(self) -> str:
        login = "blog:p%40ss%3Aw%2Ford@" if self.needs_password else ""
        return f"{self.scheme}://{login}127.0.0.1:{self.port}"

    def wait_for(self, count: int = 1, seconds: float = 10) -> list[EmailMessage]:
        """All mails so far, as soon as there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < deadline, f"{len(self.mails)} mails, not {count}"
            time.sleep(0.005)
        return self.mails

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.pause)
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.was_encrypted = session.ssl is not None
        self.recipients += envelope.rcpt_tos
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.farewell)
        return "221 Bye"


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
) -> AuthResult:
    is_right = given == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


def make_certificate(path: Path, host: str = "127.0.0.1") -> Path:
    """A certificate that vouches for itself, with its key, in one file."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path

"""Signed cookies: every key verifies, the first one signs, so keys can be rotated."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import BadData, Signer, URLSafeSerializer

LONGEST_COOKIE = 4096


@dataclass(frozen=True)
class CookieOptions:
    """Names and attributes of our cookies (RFC 6265bis, section 5.6)."""

    session: str = "inkstand_session"
    remember: str = "inkstand_remember"
    domain: str = ""
    path: str = "/"
    secure: bool = False
    samesite: str = "lax"

    @property
    def prefix(self) -> str:
        """What makes browsers refuse a cookie that a subdomain or a plain-text page has set."""
        if not self.secure:
            return ""
        return "__Secure-" if self.domain or self.path != "/" else "__Host-"


class Cookies:
    """Names, flags and signatures of our cookies."""

    def __init__(self, secrets: Sequence[str], options: CookieOptions) -> None:
        keys = list(reversed(secrets))  # itsdangerous signs with the last
        self.signer = Signer(keys, salt="inkstand.session", digest_method=hashlib.sha256)
        digest = {"digest_method": hashlib.sha256}
        self.flashes = URLSafeSerializer(keys, salt="inkstand.flash", signer_kwargs=digest)
        self.devices = URLSafeSerializer(keys, salt="inkstand.devices", signer_kwargs=digest)
        self.options = options
        self.session_name = options.prefix + options.session
        self.remember_name = options.prefix + options.remember
        self.flash_name = f"{options.prefix}inkstand_flash"
        self.devices_name = f"{options.prefix}inkstand_devices"

    def sign(self, session_id: str) -> str:
        return self.signer.sign(session_id).decode()

    def verify(self, cookie: str) -> str | None:
        """The session id, or None for anything that we did not sign."""
        if len(cookie) > LONGEST_COOKIE:
            return None
        try:
            return self.signer.unsign(cookie).decode("ascii")
        except (BadData, UnicodeError):
            return None

    def header(self, name: str, value: str, max_age: int | None) -> str:
        """A Set-Cookie value; a `max_age` of 0 deletes the cookie, None ends it with the browser."""
        options = self.options
        parts = [f"{name}={value}"]
        if max_age is not None:
            parts.append(f"Max-Age={max_age}")
        if options.domain:
            parts.append(f"Domain={options.domain}")
        parts += [f"Path={options.path}", "HttpOnly", f"SameSite={options.samesite.capitalize()}"]
        if options.secure:
            parts.append("Secure")
        return "; ".join(parts)

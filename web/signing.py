"""Signed cookies: every key verifies, the first one signs, so keys can be rotated."""

import hashlib
from collections.abc import Sequence

from itsdangerous import BadData, Signer, URLSafeSerializer

LONGEST_COOKIE = 4096


class Cookies:
    """Names, flags and signatures of our cookies.

    Over HTTPS they carry the `__Host-` prefix: no subdomain and no plain-text page can set them.
    """

    def __init__(self, secrets: Sequence[str], secure: bool) -> None:
        keys = list(reversed(secrets))  # itsdangerous signs with the last
        self.signer = Signer(keys, salt="inkstand.session", digest_method=hashlib.sha256)
        self.flashes = URLSafeSerializer(
            keys, salt="inkstand.flash", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self.secure = secure
        self.prefix = "__Host-" if secure else ""

    @property
    def session_name(self) -> str:
        return f"{self.prefix}inkstand_session"

    @property
    def flash_name(self) -> str:
        return f"{self.prefix}inkstand_flash"

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

    def header(self, name: str, value: str, max_age: int) -> str:
        """A Set-Cookie value; a `max_age` of 0 deletes the cookie."""
        flags = "; Secure" if self.secure else ""
        return f"{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{flags}"

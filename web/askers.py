"""Who asks for pages, by the head of a request: whether a page from memory can be what they want, and
whether they are known to us."""

from collections.abc import Callable

from starlette.types import Scope

from web.kept_pages import Key
from web.signing import Cookies

MOST_HOSTS = 100
# Whoever sends one of these may want something else than a page.
SPECIAL = frozenset(
    {b"authorization", b"content-length", b"transfer-encoding", b"upgrade", b"range"}
)


class Askers:
    """`are_ours` knows the hosts that we answer to."""

    def __init__(self, are_ours: Callable[[str], bool], cookies: Cookies) -> None:
        self.are_ours = are_ours
        self.session = cookies.session_name.encode()
        self.flash = cookies.flash_name.encode()
        self.remember = cookies.remember_name.encode()
        self.hosts: set[bytes] = set()

    def headers_of(self, scope: Scope) -> dict[bytes, bytes] | None:
        """None if they may want something else than a page of ours."""
        sent = dict(scope["headers"])
        if not SPECIAL.isdisjoint(sent) or len(sent) != len(scope["headers"]):
            return None
        if sent.get(b"host") not in self.hosts and not self.is_our_host(sent):
            return None
        return sent

    def is_our_host(self, sent: dict[bytes, bytes]) -> bool:
        host = sent.get(b"host", b"")
        if not self.are_ours(host.decode("latin-1")):
            return False
        if len(self.hosts) < MOST_HOSTS:
            self.hosts.add(host)
        return True

    def are_known(self, sent: dict[bytes, bytes]) -> bool:
        """Whether they have a session, or once had, or a sentence waits for them."""
        cookie = sent.get(b"cookie")
        return cookie is not None and (
            self.session in cookie or self.flash in cookie or self.remember in cookie
        )

    def have_but_a_session(self, sent: dict[bytes, bytes]) -> bool:
        """Of those who are known: whether the session is all that matters. No sentence waits, and
        nobody must be logged in again."""
        cookie = sent[b"cookie"]
        return self.session in cookie and self.flash not in cookie


def key_of(scope: Scope) -> Key:
    return scope["scheme"], scope["path"], scope["query_string"]


def wants_json(sent: dict[bytes, bytes]) -> bool:
    """Where a page is missing, programs get another answer than people."""
    accepted = sent.get(b"accept", b"")
    return b"json" in accepted and b"text/html" not in accepted

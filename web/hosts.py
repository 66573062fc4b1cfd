"""The names that the blog answers to. Our own: Starlette's middleware lets doubled and missing Host
headers pass, and watches that ask by address must get through."""

import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from web.headers import header

# A name or an address, and a port (RFC 9110, section 7.2).
WELL_FORMED = re.compile(r"([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])\.?(?::\d{1,5})?")
# Platforms and containers ask these by whatever address they have; they tell nobody anything.
FOR_WATCHES = {"/healthz", "/readyz"}
# Whoever can reach these is on the machine itself.
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class Hosts:
    """`names` in lower case; `.example.org` stands for everything below it too, `*` for any, and so
    does no name at all. X-Forwarded-Host is never looked at."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = set(names)
        self.domains = tuple(name for name in names if name.startswith("."))
        self.is_any = not names or "*" in names

    def are_meant(self, host: str) -> bool:
        """By a Host header."""
        found = WELL_FORMED.fullmatch(host.lower())
        return found is not None and (self.is_any or self.know(found[1]))

    def know(self, name: str) -> bool:
        return name in self.names | LOOPBACK or f".{name}".endswith(self.domains)


class HostGuard:
    """Refuse a request for a name that is not ours; `refuse` answers 400."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], refuse: ASGIApp) -> None:
        self.app = app
        self.hosts = Hosts(hosts)
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self.lets_in(scope):
            return await self.refuse(scope, receive, send)
        return await self.app(scope, receive, send)

    def lets_in(self, scope: Scope) -> bool:
        return scope["path"] in FOR_WATCHES or self.hosts.are_meant(header(scope, b"host") or "")

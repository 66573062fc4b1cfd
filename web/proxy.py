"""Who is asking, behind proxies. Our own: uvicorn's trusts the leftmost, spoofable address."""

import ipaddress
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send


class ProxyMiddleware:
    """Take client and scheme from X-Forwarded-*, counted from the right.

    Each trusted proxy appends the address it was called from, so with `hops` proxies the client
    is the `hops`-th entry from the right; what stands left of it was sent by the client itself.
    With 0 hops the headers are ignored.
    """

    def __init__(self, app: ASGIApp, hops: int) -> None:
        self.app = app
        self.hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.hops and scope["type"] in ("http", "websocket"):
            self.unveil(scope)
        await self.app(scope, receive, send)

    def unveil(self, scope: Scope) -> None:
        if address := self.entry(scope, b"x-forwarded-for"):
            with suppress(ValueError):
                scope["client"] = (str(ipaddress.ip_address(address)), 0)
        scheme = self.entry(scope, b"x-forwarded-proto").lower()
        if scheme in ("http", "https"):
            secure = scheme == "https"
            schemes = ("wss", "ws") if scope["type"] == "websocket" else ("https", "http")
            scope["scheme"] = schemes[0] if secure else schemes[1]

    def entry(self, scope: Scope, name: bytes) -> str:
        lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
        entries = [part.strip() for part in ",".join(lines).split(",") if part.strip()]
        return entries[-min(self.hops, len(entries))] if entries else ""


def client_network(scope: Scope) -> str:
    """The network to count tries by: an IPv4 address, or the /64 that an IPv6 customer holds."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return "unknown"
    if address.version == 6:
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)

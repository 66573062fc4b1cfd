"""Who is asking, behind proxies. Our own: uvicorn's trusts the leftmost, spoofable address."""

import ipaddress
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.answers import Headers, Ready, nothing_ready

FORWARDED_FOR, FORWARDED_PROTO = b"x-forwarded-for", b"x-forwarded-proto"


class ProxyMiddleware:
    """Take client and scheme from X-Forwarded-*, counted from the right.

    Each trusted proxy appends the address it was called from, so with `hops` proxies the client
    is the `hops`-th entry from the right; what stands left of it was sent by the client itself.
    With 0 hops the headers are ignored.
    """

    def __init__(self, app: ASGIApp, hops: int, ready: Ready = nothing_ready) -> None:
        self.app = app
        self.hops = hops
        self.inside_ready = ready

    def ready(self, scope: Scope) -> Message | None:
        if self.hops:
            self.unveil(scope)
        return self.inside_ready(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.hops and scope["type"] in ("http", "websocket"):
            self.unveil(scope)
        await self.app(scope, receive, send)

    def unveil(self, scope: Scope) -> None:
        """The same each time, however often a request is looked at."""
        said = [pair for pair in scope["headers"] if pair[0] in (FORWARDED_FOR, FORWARDED_PROTO)]
        if not said:
            return
        if client := client_at(self.entry(said, FORWARDED_FOR)):
            scope["client"] = (client, 0)
        scheme = self.entry(said, FORWARDED_PROTO).lower()
        if scheme in ("http", "https"):
            secure = scheme == "https"
            schemes = ("wss", "ws") if scope["type"] == "websocket" else ("https", "http")
            scope["scheme"] = schemes[0] if secure else schemes[1]

    def entry(self, said: Headers, name: bytes) -> str:
        lines = [value.decode("latin-1") for key, value in said if key == name]
        entries = [part.strip() for part in ",".join(lines).split(",") if part.strip()]
        return entries[-min(self.hops, len(entries))] if entries else ""


@lru_cache(maxsize=1024)
def client_at(entry: str) -> str:
    """An address as it is usually written; empty if it is none."""
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return ""


def client_address(scope: Scope) -> str:
    """Where a request comes from, for people to read; "unknown" without an address."""
    address = ip_address(scope)
    return str(address) if address else "unknown"


def network_of(address: str) -> str:
    """The same as `client_network` of a request that comes from there."""
    return client_network({"client": (address, 0)})


def client_network(scope: Scope, v4_bits: int = 32, v6_bits: int = 64) -> str:
    """The network to count tries by: an IPv4 address, or the /64 that an IPv6 customer holds."""
    address = ip_address(scope)
    if address is None:
        return "unknown"
    bits = v4_bits if address.version == 4 else v6_bits
    if bits == address.max_prefixlen:
        return str(address)
    return str(ipaddress.ip_network((address, bits), strict=False))


def ip_address(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    client = scope.get("client")
    known = client[0].partition("%")[0] if client else ""  # a zone means nothing elsewhere
    try:
        address = ipaddress.ip_address(known)
    except ValueError:
        return None
    return (address.version == 6 and address.ipv4_mapped) or address

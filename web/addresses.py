"""Addresses that no page can have are refused before a database has to hold them."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

IMPOSSIBLE = re.compile("[\x00-\x1f\x7f]")


class AddressGuard:
    """Answer `missing`, a 404, for a path with control characters; PostgreSQL cannot store a NUL."""

    def __init__(self, app: ASGIApp, missing: ASGIApp) -> None:
        self.app = app
        self.missing = missing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and IMPOSSIBLE.search(scope["path"]):
            return await self.missing(scope, receive, send)
        return await self.app(scope, receive, send)

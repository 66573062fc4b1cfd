"""Cross-site requests that would change something are refused; no tokens in pages.

Our own: the packages in use put tokens into forms, and then no page is the same for two readers.
The rule is that of Go's http.CrossOriginProtection and of the OWASP cheat sheet (Fetch Metadata).
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from web.headers import header

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class CrossSiteGuard:
    """Refuse an unsafe method that a page of another origin caused; `refuse` answers 403.

    So it is with a WebSocket, which browsers open to any origin, with all cookies.
    """

    def __init__(self, app: ASGIApp, base_url: str, refuse: ASGIApp) -> None:
        self.app = app
        self.base_url = base_url.lower()
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_request = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        is_foreign = is_request and not self.is_ours(scope) and not shows_a_token(scope)
        if scope["type"] == "websocket":
            is_foreign = not self.is_ours(scope)
        if is_foreign:
            return await self.refuse(scope, receive, send)
        return await self.app(scope, receive, send)

    def is_ours(self, scope: Scope) -> bool:
        """Browsers send Sec-Fetch-Site, older ones Origin, and Origin with every WebSocket
        (RFC 6455, section 10.2); who sends neither is no browser."""
        sent = {name for name, _ in scope["headers"]}
        if b"sec-fetch-site" in sent:
            return header(scope, b"sec-fetch-site") in ("same-origin", "none")
        if b"origin" in sent:
            origin = (header(scope, b"origin") or "null").lower()
            return origin in (own_origin(scope), self.base_url)
        return True


def shows_a_token(scope: Scope) -> bool:
    """Whether a call of the API carries a token and no cookie. There is nothing to misuse then:
    no browser adds that header by itself, and none lets a page of another site send it here."""
    is_bearer = (header(scope, b"authorization") or "").lower().startswith("bearer ")
    has_cookie = any(name == b"cookie" for name, _ in scope["headers"])
    return is_bearer and not has_cookie and scope["path"].startswith("/api/")


def own_origin(scope: Scope) -> str:
    host = header(scope, b"host") or ""
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    return f"{scheme}://{host}".lower() if host else "unknown"

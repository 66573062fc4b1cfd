"""The headers that every response carries, errors and static files too."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from web.access_log import SECRET_PATHS
from web.headers import header, on_start

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
A_YEAR = 365 * 24 * 60 * 60


class SecurityHeaders:
    """A route may set its own value of a header first; that one stays."""

    def __init__(self, app: ASGIApp, media_hosts: str, *, indexed: bool = True) -> None:
        self.app = app
        self.headers = HEADERS | {"Content-Security-Policy": content_security_policy(media_hosts)}
        if not indexed:
            self.headers["X-Robots-Tag"] = "noindex"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        def secure(headers: MutableHeaders, _: int) -> None:
            if SECRET_PATHS.match(scope["path"]):
                headers["Referrer-Policy"] = secret_policy(scope)
            for name, value in self.headers.items():
                headers.setdefault(name, value)
            if scope["scheme"] in ("https", "wss"):
                headers.setdefault(
                    "Strict-Transport-Security", f"max-age={A_YEAR}; includeSubDomains"
                )

        return await self.app(scope, receive, on_start(send, secure))


def content_security_policy(media_hosts: str) -> str:
    """No inline code and no nonce: the same bytes can be cached for everybody. Images, videos and
    sound may come from some other origins, given with spaces between them."""
    others = f" {media_hosts}" if media_hosts else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data:{others}",
            "font-src 'self'",
            f"media-src 'self'{others}",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def secret_policy(scope: Scope) -> str:
    """For pages whose address is a secret: it goes nowhere.

    "no-referrer" also makes the origin of a form "null". Where browsers send no Sec-Fetch-Site, on
    plain HTTP but for loopback, such a form could not be told from a foreign one any more; there
    the address goes to this very site alone.
    """
    host = (header(scope, b"host") or "").rsplit(":", 1)[0]
    is_trustworthy = scope["scheme"] == "https" or host in ("localhost", "127.0.0.1", "[::1]")
    return "no-referrer" if is_trustworthy else "same-origin"

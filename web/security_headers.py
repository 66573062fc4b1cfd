"""The headers that every response carries, errors and static files too."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from web.headers import on_start

# No inline code and no nonce: the same bytes can be cached for everybody.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
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

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)

        def secure(headers: MutableHeaders, _: int) -> None:
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if scope["scheme"] in ("https", "wss"):
                headers.setdefault(
                    "Strict-Transport-Security", f"max-age={A_YEAR}; includeSubDomains"
                )

        return await self.app(scope, receive, on_start(send, secure))

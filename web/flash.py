"""A sentence for the next page, in a signed cookie: strangers need no session for it."""

from typing import Any

from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import Response

from languages import _
from web.headers import read_cookie
from web.signing import Cookies

FOR_SECONDS = 60


def flash(request: Request, response: Response, text: str) -> None:
    """Show `text` on the next page that this browser opens; said now, if it was only marked."""
    text = _(text)
    cookies: Cookies = request.app.state.cookies
    value = str(cookies.flashes.dumps(text))
    response.headers.append("Set-Cookie", cookies.header(cookies.flash_name, value, FOR_SECONDS))


def waiting(request: Request) -> str | None:
    """The sentence that waits to be shown, if there is one and we wrote it."""
    cookies: Cookies = request.app.state.cookies
    cookie = read_cookie(request.scope, cookies.flash_name)
    if not cookie or len(cookie) > 4096:
        return None
    try:
        text: Any = cookies.flashes.loads(cookie)
    except BadData:
        return None
    return text if isinstance(text, str) else None


def shown(request: Request, response: Response) -> None:
    """Forget the sentence: it is on this page."""
    cookies: Cookies = request.app.state.cookies
    if read_cookie(request.scope, cookies.flash_name) is not None:
        response.headers.append("Set-Cookie", cookies.header(cookies.flash_name, "", 0))

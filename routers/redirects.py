"""Errors that are answered by going somewhere else."""

from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import LoginRequired
from database import SAFE_METHODS
from routers.loading import AtAnotherAddress
from web.errors import error_page
from web.next_url import safe_next
from web.templating import redirect_to


def handle_redirects(app: FastAPI) -> None:
    app.add_exception_handler(LoginRequired, to_login)
    app.add_exception_handler(AtAnotherAddress, to_newest_address)


def to_login(request: Request, _: Any) -> Response:
    """303 to the login form, which leads back here; the API gets 401."""
    path = request.scope["path"]
    if path.startswith("/api/"):
        return error_page(request, 401, headers={"WWW-Authenticate": "Bearer"})
    query = request.scope["query_string"].decode("latin-1")
    back = f"{path}?{query}" if query else path
    if request.method not in SAFE_METHODS:
        back = page_of_form(request) or back
    return redirect_to(request, f"/auth/login?next={quote(back, safe='')}")


def page_of_form(request: Request) -> str:
    """The path of our page that the form was on; "" if the browser does not say."""
    referer = urlsplit(request.headers.get("referer", ""))
    is_ours = referer.netloc and referer.netloc == request.headers.get("host")
    return safe_next(referer.path) if is_ours else ""


def to_newest_address(request: Request, error: Any) -> Response:
    return redirect_to(request, error.path, status_code=301)

"""Errors that are answered by going somewhere else."""

from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import LoginRequired
from routers.loading import AtAnotherAddress
from web.errors import error_page
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
    return redirect_to(request, f"/auth/login?next={quote(back, safe='')}")


def to_newest_address(request: Request, error: Any) -> Response:
    return redirect_to(request, error.path, status_code=301)

"""Errors that are answered by going somewhere else."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import FreshLoginRequired, GoElsewhere, LoginRequired
from database import SAFE_METHODS
from errors import Unverified
from languages import N_
from routers.loading import AtAnotherAddress
from web.errors import error_page, wants_json
from web.next_url import safe_next
from web.templating import redirect_to


def handle_redirects(app: FastAPI) -> None:
    app.add_exception_handler(LoginRequired, to_login)
    app.add_exception_handler(FreshLoginRequired, to_confirmation)
    app.add_exception_handler(Unverified, to_verification)
    app.add_exception_handler(GoElsewhere, elsewhere)
    app.add_exception_handler(AtAnotherAddress, to_newest_address)


def to_login(request: Request, _: Any) -> Response:
    """303 to the login form, which leads back here; the API gets 401."""
    if wants_json(request):
        return error_page(request, 401, NOBODY)
    return by_way_of(request, "/auth/login")


NOBODY = N_("Log in first, or send a token: Authorization: Bearer. See /docs.")


def to_confirmation(request: Request, _: Any) -> Response:
    """303 to where one shows again who one is, and from there back here; the API gets 401."""
    if wants_json(request):
        wanted = {"WWW-Authenticate": 'Bearer error="reauth_required"'}
        return error_page(request, 401, STALE, wanted, kind="reauth_required")
    return by_way_of(request, "/auth/confirm")


STALE = N_("This needs a fresh login. Log in again, then repeat the request.")


def to_verification(request: Request, error: Any) -> Response:
    """303 to where one may have the link sent again; the API gets 403."""
    if wants_json(request):
        return error_page(request, 403, str(error), kind="unverified_email")
    request.state.session.begin_flow(PENDING_FOR, unverified_user=str(error.user_id))
    return redirect_to(request, "/auth/verify")


PENDING_FOR = timedelta(minutes=15)


def elsewhere(request: Request, error: Any) -> Response:
    """303 to a path, or to a route by its name."""
    path = error.location
    if not path.startswith("/"):
        path = str(request.app.url_path_for(path))
    return by_way_of(request, path)


def by_way_of(request: Request, path: str) -> Response:
    """303 to a page that leads back here. What is too long for a header leads to the front page."""
    return redirect_to(request, f"{path}?next={quote(safe_next(way_back(request)), safe='')}")


def way_back(request: Request) -> str:
    """The page to return to: this one, or that of the form which was sent."""
    path = str(request.scope["path"])
    query = request.scope["query_string"].decode("latin-1")
    back = f"{path}?{query}" if query else path
    return back if request.method in SAFE_METHODS else page_of_form(request) or back


def page_of_form(request: Request) -> str:
    """The path of our page that the form was on; "" if the browser does not say."""
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    is_ours = referer.netloc and referer.netloc == request.headers.get("host")
    return safe_next(referer.path) if is_ours else ""


def to_newest_address(request: Request, error: Any) -> Response:
    """301, which is not to be kept: an address may become the newest again. The query stays."""
    query = request.scope["query_string"].decode("latin-1")
    path = f"{error.path}?{query}" if query else error.path
    return redirect_to(request, path, status_code=301)

"""Refusals for the audit log: what somebody was not allowed to do, and what was tried too often."""

from contextlib import suppress

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import client_of
from errors import Forbidden, TooOften
from models import User
from services import audit
from web.access_log import shown_path
from web.errors import show_forbidden, show_too_often


def note_refusals(app: FastAPI) -> None:
    """Answer these as before, and write them down; a flood of them leaves a few rows, not all."""
    app.add_exception_handler(Forbidden, forbidden)  # type: ignore[arg-type]
    app.add_exception_handler(TooOften, too_often)  # type: ignore[arg-type]


def forbidden(request: Request, error: Forbidden) -> Response:
    """Strangers are not noted: they are sent to the login form, or registration is closed."""
    if user := user_of(request):
        note(request, audit.FORBIDDEN, user)
    return show_forbidden(request, error)


def too_often(request: Request, error: TooOften) -> Response:
    if not error.is_noted:
        note(request, audit.LIMITED, user_of(request))
    return show_too_often(request, error)


def note(request: Request, action: str, user: User | None) -> None:
    state = request.app.state
    client = client_of(request.scope, state.settings)
    what = f"{request.method} {shown_path(request.scope['path'])}"
    with suppress(SQLAlchemyError):  # the answer comes out without the database too
        if audit.is_worth_a_row(state.limits, action, client):
            audit.record_apart(state.database, action, user, client=client, what=what)


def user_of(request: Request) -> User | None:
    found: User | None = getattr(request.state, "user", None)
    return found

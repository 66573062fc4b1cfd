"""Logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentSession, OptionalUser, logins_available
from database import Db
from web.forms import Form, form_of
from web.next_url import safe_next
from web.proxy import client_network
from web.templating import page, redirect_to

router = APIRouter(prefix="/auth")

Next = Annotated[str, Query(alias="next")]


class NextForm(BaseModel):
    """Where to go afterwards; anything but a local path means the front page."""

    next: str = ""


class Credentials(auth_service.Credentials, NextForm):
    pass


CredentialsForm = Annotated[Form[Credentials], Depends(form_of(Credentials))]


@router.get("/login", name="auth.new")
def new(request: Request, user: OptionalUser, back: Next = "") -> Response:
    if user:
        return redirect_to(request, safe_next(back))
    form: Form[Credentials] = Form({"next": safe_next(back)})
    return page(request, "auth/login.html", form=form)


@router.post("/login", name="auth.create", dependencies=[Depends(logins_available)])
def create(
    request: Request, user: OptionalUser, session: CurrentSession, form: CredentialsForm, db: Db
) -> Response:
    if user:
        return redirect_to(request, safe_next(form.value("next")))
    state = request.app.state
    network = client_network(request.scope)
    with form.or_show("auth/login.html"):
        known = auth_service.validate_user(db, form.data, state.settings, state.limits, network)
    auth_service.log_in(session, known)
    return redirect_to(
        request, safe_next(form.data.next), say=f"Welcome back, {known.display_name}."
    )


@router.get("/logout", name="auth.delete")
def delete(request: Request, _: OptionalUser) -> Response:
    return page(request, "auth/logout.html")


@router.post("/logout", name="auth.destroy")
def destroy(request: Request, session: CurrentSession) -> Response:
    auth_service.log_out(session)
    response = redirect_to(request, "/", say="You are logged out.")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response

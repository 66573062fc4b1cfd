"""Logging in and out."""

import re
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import (
    CurrentClient,
    CurrentSession,
    OptionalUser,
    logins_available,
    public,
)
from database import Db
from errors import TooOften, WrongPassword
from languages import _
from routers.entering import enter
from services import credentials
from settings import LONGEST_REMEMBERED
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import page, redirect_to

router = public("/auth")

Next = Annotated[str, Query(alias="next")]


def days(typed: str) -> str:
    """Nothing, "on" or a number of days."""
    typed = typed.strip()
    if typed in ("", "on"):
        return typed
    if not re.fullmatch(r"[0-9]{1,2}", typed) or not 1 <= int(typed) <= LONGEST_REMEMBERED:
        raise ValueError(
            _(
                "Between 1 and %(longest_remembered)s days, please.",
                longest_remembered=LONGEST_REMEMBERED,
            )
        )
    return typed


class NextForm(BaseModel):
    """Where to go afterwards; anything but a local path means the front page."""

    next: str = ""


class Remember(BaseModel):
    """For how long to stay logged in on this device."""

    remember: Annotated[str, AfterValidator(days)] = ""

    def remember_days(self, usually: int) -> int | None:
        if not self.remember:
            return None
        return usually if self.remember == "on" else int(self.remember)


class Credentials(credentials.Credentials, NextForm, Remember):
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
    request: Request,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    form: CredentialsForm,
    db: Db,
) -> Response:
    if user:
        return redirect_to(request, safe_next(form.value("next")))
    state = request.app.state
    settings = state.settings
    with form.or_show("auth/login.html"):
        given = form.data
        try:
            known = auth_service.validate_user(db, given, settings, state.limits, client, session)
        except (WrongPassword, TooOften) as error:
            auth_service.note_refusal(state.database, state.limits, error, client, given.username)
            raise
    return enter(
        request,
        db,
        session,
        known,
        client,
        by="password",
        remember_days=given.remember_days(settings.remember_days),
        back=given.next,
    )


@router.get("/logout", name="auth.delete")
def delete(request: Request, _user: OptionalUser) -> Response:
    return page(request, "auth/logout.html")


@router.post("/logout", name="auth.destroy")
def destroy(
    request: Request, user: OptionalUser, session: CurrentSession, client: CurrentClient, db: Db
) -> Response:
    auth_service.log_out(db, session, user, client)
    response = redirect_to(request, "/", say=_("You are logged out."))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response

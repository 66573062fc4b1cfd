"""Becoming somebody here."""

from typing import Annotated

from fastapi import Depends
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
from backends.limits import take_one
from database import Db
from errors import Forbidden
from routers.auth import Next, NextForm
from routers.entering import welcome
from services import credentials
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import page, redirect_to

router = public("/users")


class Registration(credentials.Registration, NextForm):
    """`homepage` is a field that people do not see, and that programs fill."""

    homepage: str = ""


RegistrationForm = Annotated[Form[Registration], Depends(form_of(Registration))]


@router.get("/register", name="users.new")
def new(request: Request, user: OptionalUser, back: Next = "") -> Response:
    if user:
        return redirect_to(request, safe_next(back))
    must_be_open(request)
    form: Form[Registration] = Form({"next": safe_next(back)})
    return page(request, "users/register.html", form=form)


@router.post("/register", name="users.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    session: CurrentSession,
    client: CurrentClient,
    form: RegistrationForm,
    db: Db,
) -> Response:
    must_be_open(request)
    if form.value("homepage"):
        return redirect_to(request, safe_next(form.value("next")))  # as if all were well
    state = request.app.state
    with form.or_show("users/register.html"):
        wanted = form.data
        take_one(state.limits, auth_service.REGISTRATIONS_OF_ADDRESS, client.network)
        user = auth_service.register(db, wanted, state.settings, client)
    return welcome(request, db, session, user, client, back=wanted.next)


def must_be_open(request: Request) -> None:
    registration = request.app.state.settings.registration
    if registration != "open":
        raise Forbidden(auth_service.CLOSED[registration])

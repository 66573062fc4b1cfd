"""Deleting one's account."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from errors import Invalid
from languages import _
from models import User
from routers.proving import check_password
from services import credentials, departures, usernames
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/delete", fresh=True)


class Departure(departures.Departure):
    """The password; who has none types their name instead."""

    password: Annotated[str, AfterValidator(credentials.optional_password)] = ""
    username: str = ""


DepartureForm = Annotated[Form[Departure], Depends(form_of(Departure))]


@router.get("", name="departures.new")
def new(request: Request) -> Response:
    return page(request, "departures/new.html", form=Form())


@router.post("", name="departures.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    form: DepartureForm,
    db: Db,
) -> Response:
    with form.or_show("departures/new.html"):
        wanted = form.data
        if user.has_password:
            check_password(request, db, user, client, wanted.password, "password")
        else:
            check_name(user, wanted.username)
        departures.leave(db, user, wanted, request.app.state.settings, client)
    session.end_elsewhere(str(user.id))
    session.end()
    session.forget()
    response = redirect(request, "home", say=_("Your account is deleted. Goodbye, and thank you."))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def check_name(user: User, typed: str) -> None:
    if usernames.canonical(typed[: credentials.LONGEST_TYPED]) != user.username:
        raise Invalid({"username": _("That is not your username. Nothing was deleted.")})

"""A forgotten password, replaced by way of the mailbox."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, logins_available, public
from database import Db
from languages import N_
from services import credentials, recoveries
from web.forms import Form, form_of
from web.templating import page, redirect, redirect_to

router = public("/auth")


class Forgotten(BaseModel):
    email: Annotated[str, AfterValidator(credentials.needed_address)]


class NewPassword(BaseModel):
    password: Annotated[str, AfterValidator(credentials.password)]


ForgottenForm = Annotated[Form[Forgotten], Depends(form_of(Forgotten))]
NewPasswordForm = Annotated[Form[NewPassword], Depends(form_of(NewPassword))]


@router.get("/forgot", name="recoveries.new")
def new(request: Request) -> Response:
    return page(request, "recoveries/new.html", form=Form())


@router.post("/forgot", name="recoveries.create")
def create(request: Request, client: CurrentClient, form: ForgottenForm, db: Db) -> Response:
    state = request.app.state
    with form.or_show("recoveries/new.html"):
        recoveries.ask(db, form.data.email, state.settings, state.limits, client)
    return redirect(request, "recoveries.show")


@router.get("/forgot/sent", name="recoveries.show")
def show(request: Request) -> Response:
    return page(request, "recoveries/show.html")


@router.get("/reset/{token}", name="recoveries.edit")
def edit(request: Request, token: str, db: Db) -> Response:
    link = recoveries.find(db, token)
    return page(request, "recoveries/edit.html", form=Form(), token=token, link=link)


@router.post("/reset/{token}", name="recoveries.update", dependencies=[Depends(logins_available)])
def update(
    request: Request,
    token: str,
    session: CurrentSession,
    client: CurrentClient,
    form: NewPasswordForm,
    db: Db,
) -> Response:
    state = request.app.state
    link = recoveries.find(db, token)
    with form.or_show("recoveries/edit.html", token=token, link=link):
        given = form.data
        recoveries.reset(db, session, token, given.password, state.settings, state.limits, client)
    return redirect_to(request, "/auth/login", say=CHANGED)


CHANGED = N_(
    "Your password is changed, and all your devices are logged out. Log in with the new one."
)

"""Confirming an e-mail address by a link in a mail. Opening the link changes nothing: programs that
look for viruses open links too."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, LoginRequired, OptionalUser, public
from database import Db
from languages import _
from models import User
from services import credentials, verifications
from web.forms import Form, form_of
from web.templating import page, redirect, redirect_to

router = public("/auth/verify")


class Again(BaseModel):
    email: Annotated[str, AfterValidator(credentials.email_address)] = ""


AgainForm = Annotated[Form[Again], Depends(form_of(Again))]


def waiting_user(session: CurrentSession, user: OptionalUser, db: Db) -> User | None:
    """Who is logged in, or has shown their password and waits for their address to be confirmed."""
    return user or verifications.find_waiting(db, session.get("unverified_user"))


WaitingUser = Annotated[User | None, Depends(waiting_user)]


@router.get("", name="verifications.new")
def new(request: Request, waiting: WaitingUser) -> Response:
    form: Form[Again] = Form({"email": (waiting and waiting.email) or ""})
    return page(request, "verifications/new.html", form=form, waiting=waiting)


@router.post("", name="verifications.create")
def create(
    request: Request,
    user: OptionalUser,
    waiting: WaitingUser,
    client: CurrentClient,
    form: AgainForm,
    db: Db,
) -> Response:
    """Send the link again. Who waits to be let in has just shown their password, and may correct
    the address; who is logged in changes it in the settings, where the password is asked for."""
    if waiting is None:
        raise LoginRequired
    state = request.app.state
    with form.or_show("verifications/new.html", waiting=waiting):
        corrected = None if user else form.data.email
        verifications.send_again(db, waiting, state.settings, state.limits, client, corrected)
    return redirect(request, "verifications.new", say=_("The mail is on its way."))


@router.get("/{token}", name="verifications.edit")
def edit(request: Request, token: str, db: Db) -> Response:
    link = verifications.find(db, token)
    return page(request, "verifications/edit.html", token=token, link=link)


@router.post("/{token}", name="verifications.update")
def update(request: Request, token: str, client: CurrentClient, db: Db) -> Response:
    link = verifications.confirm(db, token, request.app.state.settings, client)
    return redirect_to(
        request, "/auth/login", say=_("%(email)s is confirmed. Thank you.", email=link.email)
    )

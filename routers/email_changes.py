"""Changing one's e-mail address, giving a first one, or having none."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import (
    CurrentClient,
    CurrentSession,
    CurrentUser,
    fresh_login_required,
    guarded,
)
from database import Db
from languages import N_, _
from models import User
from routers.proving import check_password
from services import credentials, email_changes
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/email")


class EmailChange(BaseModel):
    email: Annotated[str, AfterValidator(credentials.email_address)] = ""
    password: Annotated[str, AfterValidator(credentials.optional_password)] = ""


EmailChangeForm = Annotated[Form[EmailChange], Depends(form_of(EmailChange))]


async def provable_user(session: CurrentSession, user: CurrentUser) -> User:
    """Who is logged in; whoever has no password to show needs a fresh login instead."""
    return user if user.has_password else await fresh_login_required(session, user)


ProvableUser = Annotated[User, Depends(provable_user)]


@router.get("", name="email_changes.new")
def new(request: Request, user: ProvableUser) -> Response:
    form: Form[EmailChange] = Form({"email": user.email or ""})
    return page(request, "email_changes/new.html", form=form)


@router.post("", name="email_changes.create")
def create(
    request: Request, user: ProvableUser, client: CurrentClient, form: EmailChangeForm, db: Db
) -> Response:
    state = request.app.state
    with form.or_show("email_changes/new.html"):
        given = form.data
        if user.has_password:
            check_password(request, db, user, client, given.password, "password")
        if not given.email:
            email_changes.remove(db, user, state.settings, client)
            return redirect(request, "settings.index", say=_("Your e-mail address is removed."))
        if given.email == user.email:
            return redirect(request, "email_changes.new", say=_("That is your address already."))
        email_changes.ask(db, user, given.email, state.settings, state.limits, client)
    return redirect(request, "email_changes.new", say=ASKED)


ASKED = N_(
    "A mail is on its way to the new address. Open the link in it; until then nothing changes."
)

"""Changing one's password, or setting the first one."""

from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import (
    CurrentClient,
    CurrentLogin,
    CurrentSession,
    FreshUser,
    guarded,
    logins_available,
)
from database import Db
from languages import N_
from routers.proving import check_password
from services import credentials, password_changes
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/password", fresh=True)


class PasswordChange(BaseModel):
    current_password: Annotated[str, AfterValidator(credentials.optional_password)] = ""
    password: Annotated[str, AfterValidator(credentials.password)]


PasswordChangeForm = Annotated[Form[PasswordChange], Depends(form_of(PasswordChange))]


@router.get("", name="password_changes.new")
def new(request: Request) -> Response:
    return page(request, "password_changes/new.html", form=Form())


@router.post("", name="password_changes.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    user: FreshUser,
    login: CurrentLogin,
    session: CurrentSession,
    client: CurrentClient,
    form: PasswordChangeForm,
    db: Db,
) -> Response:
    settings = request.app.state.settings
    with form.or_show("password_changes/new.html"):
        given = form.data
        if user.has_password:
            check_password(request, db, user, client, given.current_password, "current_password")
        password_changes.change(db, session, user, login, given.password, settings, client)
    return redirect(request, "settings.index", say=CHANGED)


CHANGED = N_("Your password is changed. All your other devices are logged out.")

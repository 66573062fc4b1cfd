"""Asking for more than a password: what is switched on, and an authenticator app."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from errors import Invalid
from languages import N_, _
from services import audit, recovery_codes, totp, two_factor
from services.text import one_line
from web.forms import Form, form_of
from web.templating import page, redirect

router = guarded("/settings/two-factor", fresh=True)


class Code(BaseModel):
    code: Annotated[str, one_line(100)]


CodeForm = Annotated[Form[Code], Depends(form_of(Code))]


@router.get("", name="two_factor.show")
def show(request: Request, user: CurrentUser, db: Db) -> Response:
    return page(request, "two_factor/show.html", factors=two_factor.of_user(db, user))


@router.post("/secret", name="two_factor.prepare")
def prepare(request: Request, session: CurrentSession) -> Response:
    """Make the secret that the next page shows."""
    totp.prepare(session, request.app.state.settings)
    return redirect(request, "two_factor.new")


@router.get("/new", name="two_factor.new")
def new(request: Request, user: CurrentUser, session: CurrentSession) -> Response:
    settings = request.app.state.settings
    secret = totp.prepared(session, settings)
    if secret is None:
        return redirect(request, "two_factor.show")
    form: Form[Code] = Form()
    app = totp.enrolment(named(request), user, secret)
    return page(request, "two_factor/new.html", form=form, app=app)


@router.post("", name="two_factor.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    form: CodeForm,
    db: Db,
) -> Response:
    """Switch codes on, if the app shows the right one; until then nothing has changed."""
    settings = request.app.state.settings
    secret = totp.prepared(session, settings)
    if secret is None:
        say = _("That took a while, so nothing was changed. Please begin again.")
        return redirect(request, "two_factor.show", say=say)
    with form.or_show("two_factor/new.html", app=totp.enrolment(named(request), user, secret)):
        step = totp.step_of(secret, form.data.code)
        if step is None:
            raise Invalid({"code": WRONG})
    totp.switch_on(session, user, settings, secret, step)
    sentence = _("An authenticator app was set up. Logging in now takes a code from it.")
    two_factor.tell(db, settings, user, client, audit.APP_ADDED, sentence)
    if codes := two_factor.provide_recovery_codes(db, user):
        recovery_codes.show(session, settings, codes)
        say = _("Your app is set up. One more thing: keep these codes.")
        return redirect(request, "recovery_codes.show", say=say)
    return redirect(request, "two_factor.show", say=_("Your app is set up."))


WRONG = N_(
    "That is not the code that the app should show now. Nothing was switched on. "
    "If it happens again, look whether the clock of your phone is right."
)


@router.get("/delete", name="two_factor.delete")
def delete(request: Request, user: CurrentUser, db: Db) -> Response:
    return page(request, "two_factor/delete.html", factors=two_factor.of_user(db, user))


@router.post("/delete", name="two_factor.destroy")
def destroy(request: Request, user: CurrentUser, client: CurrentClient, db: Db) -> Response:
    if user.totp_secret is not None:
        totp.switch_off(user)
        two_factor.tidy_up(db, user)
        sentence = _(
            "The authenticator app was removed. Logging in takes no code from it any more."
        )
        settings = request.app.state.settings
        two_factor.tell(db, settings, user, client, audit.APP_REMOVED, sentence)
    return redirect(request, "two_factor.show", say=_("The authenticator app is removed."))


def named(request: Request) -> str:
    name: str = request.app.state.site.now().site_name
    return name

"""Showing again who one is, before something sensitive."""

from typing import Annotated, Any

from fastapi import Depends
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from errors import WrongPassword
from models import User
from routers.auth import Next, NextForm
from services import audit, credentials, identities
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import page, redirect_to

router = guarded("/auth/confirm")


class Confirmation(NextForm):
    password: Annotated[str, AfterValidator(credentials.password)]


ConfirmationForm = Annotated[Form[Confirmation], Depends(form_of(Confirmation))]


@router.get("", name="confirmations.new")
def new(request: Request, user: CurrentUser, db: Db, back: Next = "") -> Response:
    form: Form[Confirmation] = Form({"next": safe_next(back)})
    return page(request, "confirmations/new.html", form=form, **shown(db, user))


@router.post("", name="confirmations.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    form: ConfirmationForm,
    db: Db,
) -> Response:
    state = request.app.state
    with form.or_show("confirmations/new.html", **shown(db, user)):
        given = form.data
        try:
            auth_service.confirm_password(db, user, given.password, state.settings, state.limits)
        except WrongPassword:
            audit.record_apart(state.database, audit.CONFIRMATION_FAILED, user, client=client)
            raise
    auth_service.confirm(session, client)
    audit.record(db, audit.CONFIRMED, user, client=client)
    return redirect_to(request, safe_next(given.next))


def shown(db: Db, user: User) -> dict[str, Any]:
    """What the page knows of them beside the form."""
    return {"linked": {each.provider for each in identities.of_user(db, user)}}

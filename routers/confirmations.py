"""Showing again who one is, before something sensitive."""

from typing import Annotated, Any

from fastapi import Depends
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import CurrentClient, CurrentSession, CurrentUser, guarded
from database import Db
from errors import Invalid, NotFound, TooOften, WrongCode, WrongPasskey, WrongPassword
from languages import _
from models import User
from routers.auth import Next, NextForm
from routers.relying_parties import ThisBlog, as_json
from services import (
    audit,
    ceremonies,
    challenges,
    credentials,
    identities,
    passkeys,
    proofs,
    two_factor,
)
from services.ceremonies import SentPasskey
from services.proofs import Proof
from services.text import optional_line
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import page, redirect_to

router = guarded("/auth/confirm")


class Confirmation(NextForm):
    """One of the three."""

    password: Annotated[str, AfterValidator(credentials.password_or_nothing)] = ""
    code: Annotated[str, optional_line(100)] = ""
    passkey: SentPasskey = ""


ConfirmationForm = Annotated[Form[Confirmation], Depends(form_of(Confirmation))]


@router.get("", name="confirmations.new")
def new(request: Request, user: CurrentUser, db: Db, back: Next = "") -> Response:
    form: Form[Confirmation] = Form({"next": safe_next(back)})
    return page(request, "confirmations/new.html", form=form, **shown(request, db, user))


@router.post("/passkey-options", name="confirmations.options")
def options(user: CurrentUser, session: CurrentSession, here: ThisBlog, db: Db) -> Response:
    """What the browser is to ask a passkey for; JSON for navigator.credentials.get()."""
    known = passkeys.of_user(db, user)
    if not known or here is None:
        raise NotFound
    return as_json(ceremonies.ask_for_one(session, here, challenges.CONFIRMATION, known))


@router.post("", name="confirmations.create")
def create(
    request: Request,
    user: CurrentUser,
    session: CurrentSession,
    client: CurrentClient,
    here: ThisBlog,
    form: ConfirmationForm,
    db: Db,
) -> Response:
    state = request.app.state
    with form.or_show("confirmations/new.html", **shown(request, db, user)):
        given = form.data
        try:
            by = confirm(request, db, session, here, user, given)
        except (WrongPassword, WrongCode, WrongPasskey, TooOften) as error:
            action = audit.CONFIRMATION_FAILED
            proofs.note_refusal(state.database, state.limits, error, client, user, action)
            raise
    auth_service.confirm(session, client)
    audit.record(db, audit.CONFIRMED, user, client=client, by=by)
    return redirect_to(request, safe_next(given.next))


def confirm(
    request: Request,
    db: Db,
    session: CurrentSession,
    here: ThisBlog,
    user: User,
    given: Confirmation,
) -> str:
    """What was shown, if it is theirs: "password", "code" or "passkey"."""
    settings, limits = request.app.state.settings, request.app.state.limits

    def look() -> Proof:
        if given.passkey:
            purpose = challenges.CONFIRMATION
            return proofs.by_passkey(db, session, limits, here, purpose, given.passkey, user)
        return proofs.by_code(user, settings, given.code)

    if given.passkey or given.code:
        return proofs.prove(db, limits, proofs.tries_of(session, user), str(user.id), look).by
    if not given.password:
        raise Invalid({"password" if user.has_password else "code": _("Please fill this in.")})
    auth_service.confirm_password(db, user, given.password, settings, limits)
    return "password"


def shown(request: Request, db: Db, user: User) -> dict[str, Any]:
    """What the page offers beside a password: the factors, and the services that are linked."""
    return {
        "factors": two_factor.of_user(db, user),
        "linked": identities.linked(db, user, request.app.state.providers),
    }

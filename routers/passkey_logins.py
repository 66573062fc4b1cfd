"""Logging in with nothing but a passkey, which its owner has to unlock."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auth_dependencies import (
    CurrentClient,
    CurrentSession,
    OptionalUser,
    logins_available,
    public,
)
from backends.limits import take_one
from database import Db
from errors import NotFound, TooOften, WrongPasskey
from routers.auth import NextForm, Remember
from routers.entering import log_in
from routers.relying_parties import ThisBlog, as_json
from services import audit, ceremonies, challenges, proofs
from services.ceremonies import SentPasskey
from services.proofs import Proof
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import redirect_to

router = public("/auth/passkey")


class PasskeyLogin(NextForm, Remember):
    passkey: SentPasskey


PasskeyLoginForm = Annotated[Form[PasskeyLogin], Depends(form_of(PasskeyLogin))]


@router.post("/options", name="passkey_logins.options")
def options(
    request: Request, session: CurrentSession, client: CurrentClient, here: ThisBlog
) -> Response:
    """What the browser is to ask for; JSON for navigator.credentials.get()."""
    if here is None:
        raise NotFound
    take_one(request.app.state.limits, challenges.QUESTIONS_OF_NETWORK, client.network)
    return as_json(ceremonies.ask_for_one(session, here, challenges.LOGIN))


@router.post("", name="passkey_logins.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    here: ThisBlog,
    form: PasskeyLoginForm,
    db: Db,
) -> Response:
    if user:
        return redirect_to(request, safe_next(form.value("next")))
    settings, limits = request.app.state.settings, request.app.state.limits
    with form.or_show("auth/login.html"):
        given = form.data

        def look() -> Proof:
            purpose = challenges.LOGIN
            return proofs.by_passkey(db, session, limits, here, purpose, given.passkey)

        try:
            proof = proofs.prove(db, limits, proofs.FAILURES_OF_NETWORK, client.network, look)
        except (WrongPasskey, TooOften) as error:
            database, refused = request.app.state.database, audit.PASSKEY_REFUSED
            proofs.note_refusal(database, limits, error, client, None, refused)
            raise
    return log_in(
        request,
        db,
        session,
        proof.user,
        client,
        by=proof.by,
        remember_days=given.remember_days(settings.remember_days),
        back=given.next,
    )

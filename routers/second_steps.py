"""The second step of a login: whoever is here has done the first, and is not logged in yet."""

from typing import Annotated, Any
from urllib.parse import quote

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
from database import Db
from errors import Invalid, NotFound, TooOften, WrongCode, WrongPasskey
from languages import _, ngettext
from models import User
from routers.auth import Next, NextForm
from routers.entering import log_in
from routers.relying_parties import ThisBlog, as_json
from services import audit, ceremonies, challenges, passkeys, proofs, second_steps, two_factor
from services.ceremonies import SentPasskey
from services.proofs import Proof
from services.text import optional_line
from web.forms import Form, form_of
from web.next_url import safe_next
from web.templating import page, redirect_to

router = public("/auth/two-factor")


class SecondStep(NextForm):
    """One of the two; `way` is the page that it was sent from."""

    code: Annotated[str, optional_line(100)] = ""
    passkey: SentPasskey = ""
    way: str = ""


SecondStepForm = Annotated[Form[SecondStep], Depends(form_of(SecondStep))]


@router.get("", name="second_steps.new")
def new(
    request: Request,
    user: OptionalUser,
    session: CurrentSession,
    db: Db,
    back: Next = "",
    way: str = "",
) -> Response:
    if user:
        return redirect_to(request, safe_next(back))
    pending = second_steps.find(db, session)
    if pending is None:
        return to_login(request, back)
    form: Form[SecondStep] = Form({"next": safe_next(back), "way": way})
    return page(request, "second_steps/new.html", form=form, **shown(db, pending.user))


@router.post("/passkey-options", name="second_steps.options")
def options(session: CurrentSession, here: ThisBlog, db: Db) -> Response:
    """What the browser is to ask a passkey for; JSON for navigator.credentials.get()."""
    pending = second_steps.find(db, session)
    if pending is None or here is None:
        raise NotFound
    known = passkeys.of_user(db, pending.user)
    return as_json(ceremonies.ask_for_one(session, here, challenges.SECOND_STEP, known))


@router.post("", name="second_steps.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    here: ThisBlog,
    form: SecondStepForm,
    db: Db,
) -> Response:
    if user:
        return redirect_to(request, safe_next(form.value("next")))
    pending = second_steps.find(db, session)
    if pending is None:
        return to_login(request, form.value("next"))
    with form.or_show("second_steps/new.html", **shown(db, pending.user)):
        given = form.data
        proof = proven(request, db, session, client, here, pending.user, given)
    pending = second_steps.find(db, session)  # again, in the transaction that logs in
    if pending is None:
        return to_login(request, given.next)
    return log_in(
        request,
        db,
        session,
        pending.user,
        client,
        by=f"{pending.by} and {proof.by}",
        remember_days=pending.remember_days,
        back=given.next or pending.back,
        say=used_up(request, db, pending.user, client) if proof.by == "recovery code" else "",
    )


def proven(
    request: Request,
    db: Db,
    session: CurrentSession,
    client: CurrentClient,
    here: ThisBlog,
    user: User,
    given: SecondStep,
) -> Proof:
    state = request.app.state
    settings, limits = state.settings, state.limits

    def look() -> Proof:
        if given.passkey:
            purpose = challenges.SECOND_STEP
            return proofs.by_passkey(db, session, limits, here, purpose, given.passkey, user)
        return proofs.by_any_code(db, user, settings, given.code)

    if not given.code and not given.passkey:
        raise Invalid({"code": _("Please fill this in.")})
    try:
        return proofs.prove(db, limits, proofs.tries_of(session, user), str(user.id), look)
    except (WrongCode, WrongPasskey, TooOften) as error:
        second_steps.note_refusal(state.database, limits, settings, error, user, client)
        raise


def used_up(request: Request, db: Db, user: User, client: CurrentClient) -> str:
    """Tell the owner that a recovery code was used; the sentence for the next page."""
    left = two_factor.of_user(db, user).recovery_codes
    sentence = ngettext(
        "A recovery code was used to log in. %(left)s of them is left.",
        "A recovery code was used to log in. %(left)s of them are left.",
        left,
        left=left,
    )
    settings = request.app.state.settings
    two_factor.tell(db, settings, user, client, audit.RECOVERY_CODE_USED, sentence)
    welcome = _("Welcome back, %(display_name)s.", display_name=user.display_name)
    codes = ngettext(
        "You have %(left)s recovery code left.",
        "You have %(left)s recovery codes left.",
        left,
        left=left,
    )
    return f"{welcome} {codes}"


def shown(db: Db, user: User) -> dict[str, Any]:
    return {"factors": two_factor.of_user(db, user)}


def to_login(request: Request, back: str) -> Response:
    say = _("Please log in again: it has been a while, or something has changed.")
    return redirect_to(request, f"/auth/login?next={quote(safe_next(back), safe='')}", say=say)

"""Becoming somebody here by way of another service: only the name is left to choose."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

import auth_service
from auth_dependencies import (
    CurrentClient,
    CurrentSession,
    OptionalUser,
    logins_available,
    public,
)
from backends.limits import take_one
from backends.openid import Claims, Provider
from database import Db
from languages import _
from routers.entering import welcome
from services import newcomers
from web.forms import Form, form_of
from web.sessions import Session
from web.templating import page, redirect

router = public("/users/register/openid")


ChoiceForm = Annotated[Form[newcomers.Choice], Depends(form_of(newcomers.Choice))]


@dataclass(frozen=True)
class Newcomer:
    """Somebody whom a provider has sent and who has no account yet."""

    provider: Provider
    claims: Claims
    back: str


@router.get("", name="newcomers.new")
def new(request: Request, user: OptionalUser, session: CurrentSession, db: Db) -> Response:
    newcomer = newcomer_in(request, session)
    if user or newcomer is None:
        return redirect(request, "users.new")
    form: Form[Any] = Form({"username": newcomers.propose_username(db, newcomer.claims)})
    return page(request, "newcomers/new.html", form=form, claims=newcomer.claims)


@router.post("", name="newcomers.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    form: ChoiceForm,
    db: Db,
) -> Response:
    newcomer = newcomer_in(request, session)
    if user or newcomer is None:
        return redirect(request, "users.new", say=_("That took too long. Please begin again."))
    state = request.app.state
    by, claims = newcomer.provider, newcomer.claims
    with form.or_show("newcomers/new.html", claims=claims):
        choice = form.data
        take_one(state.limits, auth_service.REGISTRATIONS_OF_ADDRESS, client.network)
        made = newcomers.register(db, state.settings, by, claims, choice, client)
    session.set("newcomer", None)
    return welcome(request, db, session, made, client, by=by.label, back=newcomer.back)


def newcomer_in(request: Request, session: Session) -> Newcomer | None:
    kept = session.get("newcomer") or {}
    provider = request.app.state.providers.get(kept.get("provider"))
    return Newcomer(provider, Claims(**kept["claims"]), kept["back"]) if provider else None

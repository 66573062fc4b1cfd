"""What happens to somebody who came back from a provider: by why they went there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

import auth_service
from backends.openid import Claims, NoAnswer, Provider, Untrusted
from errors import Conflict, NotProven, ProviderAway, WrongPassword
from languages import _
from models import User
from routers.entering import enter
from services import audit, identities, newcomers
from services.logins import Client
from services.trips import Return
from web.forms import Form
from web.sessions import Session
from web.templating import redirect, redirect_to

log = logging.getLogger("inkstand.openid")

TIME_TO_REGISTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Arrival:
    """Who came back to whom: `claims` are proven, `user` is who was logged in all the time."""

    request: Request
    session: Session
    client: Client
    provider: Provider
    claims: Claims
    found: Return
    user: User | None

    @property
    def state(self) -> Any:
        return self.request.app.state


def arrive(here: Arrival) -> Response:
    """The database is released; each of these has a transaction of its own, since a request that
    only reads commits nothing."""
    if here.found.purpose == "log in":
        return come_in(here)
    assert here.user
    return link(here, here.user) if here.found.purpose == "link" else confirm(here, here.user)


def come_in(here: Arrival) -> Response:
    form: Form[Any] = Form({"next": here.found.back})
    with form.or_show("auth/login.html"):
        try:
            response = enter_if_known(here)
        except WrongPassword:
            note_refusal(here.request, here.provider, here.client, "disabled")
            raise
        except Conflict:
            form.values["next"] = "/settings/identities"
            raise
    if response:
        return response
    newcomers.must_be_open(here.state.settings)
    here.session.begin_flow(
        TIME_TO_REGISTER,
        newcomer={
            "provider": here.provider.name,
            "claims": asdict(here.claims),
            "back": here.found.back,
        },
    )
    return redirect(here.request, "newcomers.new")


def enter_if_known(here: Arrival) -> Response | None:
    with here.state.database.writing() as db:
        user = identities.whose(db, here.state.settings, here.provider, here.claims, here.client)
        if user is None:
            return None
        return enter(
            here.request,
            db,
            here.session,
            user,
            here.client,
            by=here.provider.label,
            remember_days=None,
            back=here.found.back,
        )


def link(here: Arrival, user: User) -> Response:
    with here.state.database.writing() as db:
        user = db.merge(user, load=False)
        identities.link(db, here.state.settings, user, here.provider, here.claims, here.client)
    say = _("You can log in with %(label)s from now on.", label=here.provider.label)
    return redirect_to(here.request, here.found.back, say=say)


def confirm(here: Arrival, user: User) -> Response:
    with here.state.database.writing() as db:
        found = identities.find(db, here.claims)
        is_theirs = found is not None and found.id == user.id
        action = audit.CONFIRMED if is_theirs else audit.CONFIRMATION_FAILED
        audit.record(db, action, user, client=here.client, by=here.provider.label)
    if is_theirs:
        auth_service.confirm(here.session, here.client)
        return redirect_to(here.request, here.found.back)
    say = _("That account at %(label)s is not linked to yours here.", label=here.provider.label)
    address = f"/auth/confirm?next={quote(here.found.back, safe='')}"
    return redirect_to(here.request, address, say=say)


@contextmanager
def asking(request: Request, provider: Provider, client: Client) -> Iterator[None]:
    """Talk to a provider; what goes wrong becomes a page, and a line in the log."""
    try:
        yield
    except NoAnswer as error:
        log.warning("%s does not answer: %s", provider.name, error)
        raise ProviderAway(provider.label) from error
    except Untrusted as error:
        log.warning("%s proved nothing: %s", provider.name, error)
        note_refusal(request, provider, client, "proved nothing")
        raise NotProven(
            _(
                "What came back from %(label)s does not prove who you are. Nothing was changed; please begin again.",
                label=provider.label,
            )
        ) from error


def note_refusal(request: Request, provider: Provider, client: Client, why: str) -> None:
    state = request.app.state
    if audit.is_worth_a_row(state.limits, audit.LOGIN_FAILED, client):
        audit.record_apart(
            state.database, audit.LOGIN_FAILED, client=client, by=provider.label, why=why
        )

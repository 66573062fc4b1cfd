"""Logging in by way of another service: there, and back."""

from datetime import timedelta
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
from backends.limits import Limit, take_one
from backends.openid import Provider, Trip
from database import Db, release
from errors import NotFound
from languages import _
from models import User
from routers.arriving import Arrival, arrive, asking
from routers.auth import NextForm
from services import identities, trips
from services.logins import Client
from web.forms import Form, form_of
from web.next_url import safe_next
from web.sessions import Session
from web.templating import page, redirect_to

router = public("/auth/openid")

TRIPS_OF_NETWORK = Limit("trips to providers", 60, timedelta(minutes=5))
BackForm = Annotated[Form[NextForm], Depends(form_of(NextForm))]


@router.post("/{provider}", name="openid.create", dependencies=[Depends(logins_available)])
def create(
    request: Request,
    provider: str,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    form: BackForm,
    db: Db,
) -> Response:
    """Off to the provider; whoever is logged in goes there to show that it is still them."""
    release(db)
    purpose: trips.Purpose = "confirm" if user else "log in"
    return leave(request, session, client, provider, purpose, safe_next(form.value("next")), user)


@router.get("/{provider}/callback", name="openid.show", dependencies=[Depends(logins_available)])
def show(
    request: Request,
    provider: str,
    user: OptionalUser,
    session: CurrentSession,
    client: CurrentClient,
    db: Db,
    state: str = "",
    code: str = "",
    error: str = "",
) -> Response:
    """Back from the provider. Browsers come back by a GET; `state` proves that this one was sent."""
    release(db)
    known = provider_of(request, provider)
    if left_its_cookies_at_home(request, session):
        return page(request, "openid/leave.html", address=same_address(request), label="the blog")
    found = trips.end(session, request.app.state.limits, provider, state, user)
    if error:
        way = found.back if user else "/auth/login"
        say = _("%(label)s did not tell us who you are. Nothing was changed.", label=known.label)
        return redirect_to(request, way, say=say)
    back, again = address_of(request, provider), found.purpose == "confirm"
    with asking(request, known, client):
        claims = known.claims(found.trip, code, back, again=again)
    claims = identities.clean(claims)
    return arrive(Arrival(request, session, client, known, claims, found, user))


def leave(
    request: Request,
    session: Session,
    client: Client,
    provider: str,
    purpose: trips.Purpose,
    back: str,
    user: User | None,
) -> Response:
    """A page that leads to the provider by itself; call it with the database released.

    Not a redirect: Chromium holds the address that a form leads to, and all that follow, against
    `form-action` of our policy, and where a provider leads people then, nobody here can know.
    """
    known = provider_of(request, provider)
    take_one(request.app.state.limits, TRIPS_OF_NETWORK, client.network)
    trip = Trip.new()
    with asking(request, known, client):
        address = known.address(trip, address_of(request, provider), again=purpose == "confirm")
    trips.begin(session, provider, trip, purpose, back, user)
    return page(request, "openid/leave.html", address=address, label=known.label)


def provider_of(request: Request, name: str) -> Provider:
    found: Provider | None = request.app.state.providers.get(name)
    if found is None:
        raise NotFound
    return found


def address_of(request: Request, provider: str) -> str:
    """Where the provider sends people back to; it is registered there, to the letter."""
    return f"{request.app.state.settings.link_base}/auth/openid/{provider}/callback"


def left_its_cookies_at_home(request: Request, session: Session) -> bool:
    """As browsers do that come from elsewhere, with COOKIE_SAMESITE=strict. From a page of ours,
    which asks once more, they bring them."""
    is_strict = request.app.state.settings.cookie_samesite == "strict"
    return is_strict and not session.get("trip") and "again" not in request.query_params


def same_address(request: Request) -> str:
    return f"{request.scope['path']}?{request.url.query}&again=1"

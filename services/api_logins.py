"""Logging in to the API: a short access token, and a refresh token that brings the next one."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from errors import Invalid, Unverified
from languages import _
from models import RefreshToken, User, now
from services import audit, jwts, logins, notices, refresh_tokens, verifications
from services.logins import Client
from services.permissions import in_order, scopes_of
from settings import Settings


@dataclass(frozen=True)
class Issued:
    """What a program gets: `access` for a quarter of an hour, `refresh` for one use."""

    access: str
    refresh: str
    scopes: list[str]


def begin(
    db: Session, user: User, client: Client, wanted: Iterable[str], settings: Settings, *, by: str
) -> Issued:
    """Let a program in for somebody who has shown all that was asked of them.

    It may do what is `wanted`; if that is nothing, all that the person may. A program that has
    not been here for them before is told to them.

    Raises:
        Invalid: something is wanted that this person may not do.
        Unverified: this blog wants to know the address first, and it is not confirmed.
    """
    if verifications.is_needed(user, settings):
        raise Unverified(user.id)
    scopes = in_order(wanted) or in_order(scopes_of(user))
    if not scopes_of(user).issuperset(wanted):
        raise Invalid({"scope": _("Your account cannot give all of these.")})
    is_new = not refresh_tokens.knows(db, user, client)
    family, token = refresh_tokens.begin(db, user, client, scopes, settings)
    user.logged_in_at = now()
    db.add(user)
    audit.record(db, audit.API_LOGIN, user, client=client, by=by, scopes=family.scopes)
    if is_new:
        tell(db, settings, user, "new_device", client)
    return issue(settings, user, family, token)


def go_on(db: Session, token: str, client: Client, settings: Settings) -> Issued | None:
    """The next pair for a refresh token; None if it is not good.

    One that was used before has been copied: then its login ends, and the person is told.
    """
    found = refresh_tokens.rotate(db, token, client, settings)
    if isinstance(found, refresh_tokens.Reused):
        audit.record(db, audit.REFRESH_REUSED, found.user, client=client)
        tell(db, settings, found.user, "refresh_token_reused", client)
        return None
    return issue(settings, found.user, found.family, found.token) if found else None


def issue(settings: Settings, user: User, family: RefreshToken, token: str) -> Issued:
    scopes = in_order(scopes_of(user) & set(family.scopes.split()))
    return Issued(jwts.sign(settings, user.id, family.id, scopes), token, scopes)


def tell(db: Session, settings: Settings, user: User, template: str, client: Client) -> None:
    device = logins.device_name(client.user_agent)
    notices.tell(db, settings, user, template, device=device, address=client.address)

"""Newcomers: people whom a provider has sent, and who have no account here yet."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Annotated

from pydantic import AfterValidator, BaseModel
from slugify import slugify
from sqlmodel import Session, col, or_, select

import auth_service
from backends.openid import Claims, Provider
from errors import Forbidden
from models import User
from services import audit, credentials, email_addresses, identities, usernames, verifications
from services.logins import Client
from settings import Settings

LONGEST_PROPOSAL = usernames.LONGEST - 6  # leaves room for a number


class Choice(BaseModel):
    """What is left to choose for somebody new; the address only if the provider told none."""

    username: Annotated[str, AfterValidator(credentials.username)]
    email: Annotated[str, AfterValidator(credentials.email_address)] = ""


def register(
    db: Session,
    settings: Settings,
    provider: Provider,
    claims: Claims,
    choice: Choice,
    client: Client,
) -> User:
    """Make an account that has no password.

    Raises:
        Forbidden: registration is not open.
        Invalid: an address is needed.
        Conflict: the name is taken, or somebody has their identity or address meanwhile.
    """
    must_be_open(settings)
    email = claims.email or choice.email
    verifications.must_have_address(settings, email)
    # Nobody is looked up by it: this refuses an address that somebody has by now.
    identities.of_address(db, replace(claims, email_is_verified=False))
    new = credentials.Registration.model_construct(
        username=choice.username, password="", email=email
    )
    user = auth_service.add_user(db, new, "", settings.new_user_role)
    user.display_name = claims.name or user.display_name
    if claims.email_is_verified:
        email_addresses.confirm(db, user, email)
    verifications.send(db, settings, user)
    audit.record(db, audit.REGISTERED, user, client=client, by=provider.label)
    identities.add(db, user, provider, claims, client)
    return user


def propose_username(db: Session, claims: Claims) -> str:
    """A free name like the one that they have elsewhere."""
    known = (claims.username.partition("@")[0], claims.name, claims.email.partition("@")[0])
    slugs = (slugify(word, max_length=LONGEST_PROPOSAL) for word in known)
    wanted = next(filter(None, slugs), "writer")
    alike = or_(User.username == wanted, col(User.username).startswith(f"{wanted}-"))
    taken = set(db.exec(select(User.username).where(alike)))
    return next(
        name for name in numbered(wanted) if name not in taken and not usernames.problem(name)
    )


def must_be_open(settings: Settings) -> None:
    """Raises Forbidden if nobody may register."""
    if settings.registration != "open":
        raise Forbidden(auth_service.CLOSED[settings.registration])


def numbered(wanted: str) -> Iterator[str]:
    yield wanted
    for number in count(2):
        yield f"{wanted}-{number}"

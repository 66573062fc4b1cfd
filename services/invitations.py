"""Invitations: links that let one person each register, also where registration is not open."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel
from sqlalchemy import delete, tuple_, update
from sqlmodel import Session, col, select

import auth_service
from database import release
from errors import Forbidden, NotFound
from languages import N_
from models import Invitation, User, now
from services import (
    audit,
    breaches,
    credentials,
    cursors,
    email_addresses,
    mails,
    passwords,
    usernames,
    verifications,
)
from services.digests import digest
from services.logins import Client
from settings import Settings

LASTS = timedelta(days=14)
PER_PAGE = 50


class NewInvitation(BaseModel):
    role: Literal["reader", "author", "editor"] = "author"
    email: Annotated[str, AfterValidator(credentials.email_address)] = ""


@dataclass(frozen=True)
class Page:
    """Invitations, the newest first, and the cursor of the page with older ones."""

    invitations: Sequence[Invitation]
    older: str | None


def invite(
    db: Session, owner: User, new: NewInvitation, settings: Settings, client: Client
) -> str | None:
    """Make an invitation; its path, which is known to nobody else and kept nowhere.

    With an address it is mailed there and not given back: whoever comes with it has read that
    mail, so the address needs no other proof.
    """
    token = secrets.token_urlsafe(32)
    path = f"/auth/invite/{token}"
    invitation = Invitation(
        digest=digest(token),
        email=new.email or None,
        role=new.role,
        invited_by=owner.id,
        expires_at=now() + LASTS,
    )
    db.add(invitation)
    audit.record(db, audit.INVITED, owner, client=client, role=new.role, email=new.email or "")
    if not invitation.email:
        return path
    link = settings.link_base + path
    mails.queue(db, settings, invitation.email, "invitation", owner=owner, link=link)
    return None


def find(db: Session, token: str, settings: Settings) -> Invitation:
    """Raises Forbidden if it is used, expired, taken back or was never made, or nobody may come."""
    if settings.registration == "closed":
        raise Forbidden(auth_service.CLOSED["closed"])
    found = db.exec(select(Invitation).where(Invitation.digest == digest(token))).first()
    if found is None or not found.is_open:
        raise void()
    return found


def register(
    db: Session,
    invitation: Invitation,
    new: credentials.Registration,
    settings: Settings,
    client: Client,
) -> User:
    """Make an account for somebody who was invited, and use the invitation up.

    Raises:
        Forbidden: somebody else has used it meanwhile.
        Invalid, Conflict, Busy: as auth_service.register.
    """
    verifications.must_have_address(settings, new.email)
    auth_service.check_new(db, new, settings)
    release(db)  # hashing takes a quarter of a second: hold nothing meanwhile
    breaches.refuse(new.password, settings)
    hashed = passwords.hash_password(new.password, settings.bcrypt_cost)
    user = auth_service.add_user(db, new, hashed, invitation.role)
    use(db, invitation, user)
    if user.email and is_where_it_went(invitation, user.email):
        email_addresses.confirm(db, user, user.email)
    verifications.send(db, settings, user)
    inviter = db.get(User, invitation.invited_by)
    audit.record(
        db, audit.REGISTERED, user, client=client, invited_by=inviter.username if inviter else "?"
    )
    return user


def revoke(db: Session, owner: User, handle: str, client: Client) -> None:
    """Take an invitation back that nobody has used. Raises NotFound."""
    try:
        found = db.get(Invitation, UUID(handle))
    except ValueError:
        found = None
    if found is None:
        raise NotFound
    unused = (col(Invitation.id) == found.id) & col(Invitation.used_at).is_(None)
    done = db.execute(delete(Invitation).where(unused))
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotFound
    audit.record(
        db, audit.UNINVITED, owner, client=client, role=found.role, email=found.email or ""
    )


def latest(db: Session, before: str = "") -> Page:
    """The newest invitations, or those older than a cursor. Raises NotFound: it is none of ours."""
    key = (col(Invitation.created_at), col(Invitation.id))
    query = select(Invitation).order_by(*(part.desc() for part in key)).limit(PER_PAGE + 1)
    if before:
        query = query.where(tuple_(*key) < cursors.position(before))
    found = db.exec(query).all()
    last = found[PER_PAGE - 1] if len(found) > PER_PAGE else None
    older = cursors.cursor_of(last.created_at, last.id) if last else None
    return Page(found[:PER_PAGE], older)


def use(db: Session, invitation: Invitation, user: User) -> None:
    """By one statement: of two who come with the same link, one gets in."""
    is_unused = (col(Invitation.id) == invitation.id) & col(Invitation.used_at).is_(None)
    is_in_time = col(Invitation.expires_at) > now()
    statement = update(Invitation).where(is_unused, is_in_time)
    done = db.execute(statement.values(used_at=now(), used_by=user.username))
    if not done.rowcount:  # type: ignore[attr-defined]
        raise void()


def is_where_it_went(invitation: Invitation, address: str) -> bool:
    went_to = invitation.email or ""
    return usernames.canonical(went_to) == usernames.canonical(address)


def void() -> Forbidden:
    return Forbidden(VOID, 410)


VOID = N_(
    "This invitation was used, taken back, or is older than 14 days. "
    "Ask whoever invited you for another one."
)

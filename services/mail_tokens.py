"""Links in mails: good once, for one purpose, for a while, and only while nothing has changed that
they were meant to change."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from errors import BadLink
from models import MailToken, User, now
from services import accounts
from services.digests import digest

RESET, VERIFY, EMAIL = "reset", "verify", "email"
LASTS = {
    RESET: timedelta(minutes=60),
    VERIFY: timedelta(days=3),
    EMAIL: timedelta(hours=24),
}


@dataclass(frozen=True)
class Link:
    """What a good link is for: whose account, and which address."""

    user: User
    purpose: str
    email: str


def issue(db: Session, user: User, purpose: str, email: str) -> str:
    """The secret part of a new link for `email`; older ones for the same purpose are void."""
    revoke(db, user, purpose)
    token = secrets.token_urlsafe(32)
    stored = MailToken(
        digest=digest(token),
        user_id=user.id,
        purpose=purpose,
        email=email,
        binding=binding(user, purpose),
        expires_at=now() + LASTS[purpose],
    )
    db.add(stored)
    return token


def revoke(db: Session, user: User, purpose: str) -> None:
    """Make the links of somebody for a purpose void."""
    theirs = delete(MailToken).where(
        col(MailToken.user_id) == user.id, col(MailToken.purpose) == purpose
    )
    db.execute(theirs)


def find(db: Session, token: str, *purposes: str) -> Link:
    """What a link is for, without using it up. Raises BadLink."""
    return checked(db, db.get(MailToken, digest(token)), purposes)


def redeem(db: Session, token: str, *purposes: str) -> Link:
    """Use a link up: of two who try at once, one gets it. The account is locked until the end of
    the transaction. Raises BadLink."""
    good = delete(MailToken).where(col(MailToken.digest) == digest(token))
    found = db.execute(good.returning(MailToken), execution_options=UNSYNCHRONISED)
    return checked(db, found.scalar_one_or_none(), purposes, lock=True)


UNSYNCHRONISED = {"synchronize_session": False}


def checked(
    db: Session, stored: MailToken | None, purposes: tuple[str, ...], *, lock: bool = False
) -> Link:
    if stored is None or stored.purpose not in purposes or stored.expires_at <= now():
        raise BadLink
    user = accounts.locked(db, stored.user_id) if lock else db.get_one(User, stored.user_id)
    if not user.is_active:
        raise BadLink
    if not hmac.compare_digest(stored.binding, binding(user, stored.purpose)):
        raise BadLink
    return Link(user, stored.purpose, stored.email)


def binding(user: User, purpose: str) -> str:
    """A digest of what must stay as it is: a password that was changed, an address that was
    changed, and for a reset also a login since, make a link void."""
    bound: list[str | None] = [purpose, str(user.id), user.email]
    if purpose in (RESET, EMAIL):
        bound.append(user.password_hash)
    if purpose == RESET:
        bound.append(user.logged_in_at.isoformat() if user.logged_in_at else None)
    return hashlib.sha256(json.dumps(bound).encode()).hexdigest()
